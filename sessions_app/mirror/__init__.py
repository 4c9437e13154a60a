"""From HeyGen to our rows: one module per kind of object that is polled.

    sessions    the session itself: status, title, the message window
    resources   what an announced resource id stands for
    videos      a rendered video until its file is there
    files       our own copy of each link
    adoption    sessions that were made elsewhere

Each registers a `polling.kinds.Kind`; nothing else in the project writes these columns.
"""
