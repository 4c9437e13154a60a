"""From HeyGen to our rows: one module per kind of object that is polled.

    streams   the stream itself: status, address, how it ended
    words     what was spoken, with its times

Each registers a `polling.kinds.Kind`; nothing else in the project writes these columns.
"""
