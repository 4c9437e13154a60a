"""A local HeyGen: the whole contract of the v3 API over real HTTP, for the demo, tests, training and fault drills.

It is the other side of the wire and imports nothing of the product. See README.md beside this file.
"""
