"""The operators' room: the board for the wall and for trouble, and the same figures for Prometheus.

It reads the rows of every other package and writes none, so it stands above them all, beside `config`.
"""
