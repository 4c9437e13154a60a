"""Which remote playlists a page may load: those whose origin is listed in MEDIA_HOSTS, as the page's policy says."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from django.conf import settings

_USUAL_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """Scheme, host and unusual port of a link, for people; "" when it is no web address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in _USUAL_PORTS and parts.hostname else ""


def listed(url: str) -> bool:
    """Whether browsers may load the link: its origin is one of MEDIA_HOSTS and it carries no user name."""
    parts = urlsplit(url)
    return not parts.username and _place(parts) in {
        _place(urlsplit(origin)) for origin in settings.MEDIA_HOSTS
    }


def _place(parts: SplitResult) -> tuple[str, str | None, int | None]:
    try:
        port = parts.port
    except ValueError:
        port = -1
    return parts.scheme, parts.hostname, port or _USUAL_PORTS.get(parts.scheme)
