"""The web process: Django, and beside it what is served without Django's middleware.

Event streams, static files and the health check of the process are bare ASGI callables: thousands of streams cost a
third of what Django's streaming responses do, and a static file no thread.
"""

from __future__ import annotations

import os
from typing import cast

from asgiref.typing import ASGI3Application
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# First: it sets Django up, which what follows relies on.
django_application = get_asgi_application()

from django.conf import settings  # noqa: E402
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler  # noqa: E402

from config import serving  # noqa: E402
from config.sendfile import sending_files  # noqa: E402
from eventstream.asgi import stream  # noqa: E402


def build() -> ASGI3Application:
    # In development straight from the folders, always current.
    django = ASGIStaticFilesHandler(django_application) if settings.DEBUG else django_application
    pages = sending_files(cast(ASGI3Application, django), root=settings.MEDIA_DIR)
    pages = serving.limited(pages, most_bytes=settings.MAX_BODY_BYTES)
    if not settings.DEBUG:
        pages = serving.static_files(pages, root=settings.STATIC_ROOT, prefix=settings.STATIC_URL)
    return serving.routed({"/stream/": stream, "/healthz": serving.alive}, otherwise=pages)


application = build()
