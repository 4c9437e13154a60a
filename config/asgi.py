"""The web process: Django, and beside it what is served without Django's middleware.

Event streams, static files and the health check of the process are bare ASGI callables: thousands of streams cost a
third of what Django's streaming responses do, and a static file no thread.
"""

from __future__ import annotations

import os
from typing import cast

import django
from asgiref.typing import ASGI3Application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# First: what follows relies on it.
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler  # noqa: E402

from config import serving  # noqa: E402
from config.handler import Handler  # noqa: E402
from config.sendfile import sending_files  # noqa: E402
from eventstream.asgi import stream  # noqa: E402


def build() -> ASGI3Application:
    # In development straight from the folders, always current.
    handler = ASGIStaticFilesHandler(Handler()) if settings.DEBUG else Handler()
    pages = sending_files(cast(ASGI3Application, handler), root=settings.MEDIA_DIR)
    pages = serving.limited(pages, most_bytes=settings.MAX_BODY_BYTES)
    if not settings.DEBUG:
        pages = serving.static_files(pages, root=settings.STATIC_ROOT, prefix=settings.STATIC_URL)
    return serving.routed({"/stream/": stream, "/healthz": serving.alive}, otherwise=pages)


application = build()
