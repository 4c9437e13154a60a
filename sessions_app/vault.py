"""Our own copies of remote files: fetched without trusting the link, kept below MEDIA_DIR under names of our own.

A link comes from the remote side, so it could name any address. Its origin must be one of MEDIA_HOSTS and lead to a public
address, checked on the very connection that is used; an origin listed with scheme and port is exempt from the latter. At
most three redirects, each checked again; no key, no cookie is ever sent.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import puremagic
import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from sessions_app import proportions

REDIRECTS = 3
CHUNK = 256 * 1024  # bytes
CONNECT_SECONDS = 10
SILENCE_SECONDS = 20
# No copy takes so long.
UNFINISHED_SECONDS = 86_400


class NotFetched(Exception):
    """The file was not copied. `reason` is a code for the schedule: the same link may work later, or it will not."""

    reason = "not_fetched"


class Expired(NotFetched):
    """The link itself is no longer good; a fresh one may be."""

    reason = "link_expired"


class NotCopied(NotFetched):
    """However often it is tried, this file will not be copied."""

    reason = "not_copied"


class ForbiddenAddress(NotCopied):
    """The link leads to where we must not go."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that now lies below MEDIA_DIR at `path`; `size` in bytes; `content_type` by its content."""

    path: str
    size: int
    content_type: str
    sha256: str
    # Pixels of a picture.
    width: int | None = None
    height: int | None = None


def fetch(url: str, *, seconds: float) -> Copy:
    """Copies what `url` leads to, within `seconds` in all and MEDIA_MAX_BYTES. Raises NotFetched."""
    deadline = time.monotonic() + seconds
    try:
        with requests.Session() as http:
            http.trust_env = False
            response = _open(http, url)
            with response:
                return _store(response, deadline)
    except (requests.RequestException, HTTPError, OSError) as error:
        if (refused := _forbidden(error)) is not None:
            raise refused from None
        # The message of such an error may hold the link with its signature.
        what = (
            os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
        )
        raise NotFetched(f"no copy from {urlsplit(url).hostname}: {what}") from None


def forget_unfinished() -> int:
    """Removes what is left of copies whose process was killed; returns how many."""
    long_ago = time.time() - UNFINISHED_SECONDS
    forgotten = 0
    for path in settings.MEDIA_DIR.glob("*/*.part"):
        # One that is finished just now is there no more.
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < long_ago:
                path.unlink()
                forgotten += 1
    return forgotten


def _forbidden(error: BaseException) -> ForbiddenAddress | None:
    """The refusal of ours that urllib3 and requests wrapped."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ForbiddenAddress):
            return seen
        nested = getattr(seen, "reason", None) or (seen.args[0] if seen.args else None)
        seen = nested if isinstance(nested, BaseException) else seen.__cause__ or seen.__context__
    return None


def _open(http: requests.Session, url: str) -> requests.Response:
    for _ in range(REDIRECTS + 1):
        _prepare(http, url)
        response = http.get(
            url,
            stream=True,
            allow_redirects=False,
            timeout=(CONNECT_SECONDS, SILENCE_SECONDS),
            headers={"Accept-Encoding": "identity", "User-Agent": "Dailies"},
        )
        if response.is_redirect:
            url = urljoin(url, response.headers["location"])
            response.close()
            http.cookies.clear()
            continue
        if response.status_code in (401, 403, 404, 410):
            response.close()
            raise Expired(f"the link answered {response.status_code}")
        if response.status_code != 200:
            response.close()
            raise NotFetched(f"the link answered {response.status_code}")
        return response
    raise NotFetched("too many redirects")


def _listed_as(url: str) -> str | None:
    """The entry of MEDIA_HOSTS that `url` belongs to, or None."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if "@" in parts.netloc or not parts.hostname:
        return None
    standard = {"http": 80, "https": 443}
    for origin in settings.MEDIA_HOSTS:
        allowed = urlsplit(origin)
        if (allowed.scheme, allowed.hostname, allowed.port or standard.get(allowed.scheme)) == (
            parts.scheme,
            parts.hostname,
            port or standard.get(parts.scheme),
        ):
            return str(origin)
    return None


def listed(url: str) -> bool:
    """Whether the link's origin is one of MEDIA_HOSTS: pages may load from it, too."""
    return _listed_as(url) is not None


def _prepare(http: requests.Session, url: str) -> None:
    """Refuses an origin that is not listed, and mounts the connection that checks the address it reaches."""
    origin = _listed_as(url)
    if origin is None:
        raise ForbiddenAddress("the link's host is not listed in MEDIA_HOSTS")
    # With a port it is the operator's own choice, be it an internal one. Mounted for every address: the next connection
    # goes through it, whoever reads the link differently than we do.
    adapter = HTTPAdapter() if urlsplit(origin).port else _PublicAdapter()
    http.mount("https://", adapter)
    http.mount("http://", adapter)


def _require_public(connected: socket.socket) -> None:
    address = ipaddress.ip_address(connected.getpeername()[0].partition("%")[0])
    embedded = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    nat64 = address.version == 6 and address in ipaddress.ip_network("64:ff9b::/96")
    if not address.is_global or address.is_multicast or nat64 or (embedded and not embedded.is_global):
        connected.close()
        raise ForbiddenAddress("the link leads to an internal address")


class _PublicHTTPConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        _require_public(connected)
        return connected


class _PublicHTTPSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        # Before the TLS handshake: not a byte goes to an internal address.
        connected = super()._new_conn()
        _require_public(connected)
        return connected


class _PublicHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTPConnection


class _PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPSConnection


class _PublicAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}


def _store(response: requests.Response, deadline: float) -> Copy:
    name = secrets.token_hex(16)
    path = Path(name[:2]) / name
    target = settings.MEDIA_DIR / path
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    digest, size, head = sha256(), 0, b""
    try:
        with partial.open("wb") as out:
            for chunk in _body(response, deadline):
                size += len(chunk)
                if size > settings.MEDIA_MAX_BYTES:
                    raise NotCopied(f"larger than {settings.MEDIA_MAX_BYTES} bytes")
                head = head or chunk[:4096]
                digest.update(chunk)
                out.write(chunk)
            expected = response.headers.get("content-length", "")
            if expected.isdigit() and int(expected) != size:
                raise NotFetched(f"cut off after {size} of {expected} bytes")
            out.flush()
            os.fsync(out.fileno())
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    declared = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    content_type = content_type_of(head, declared)
    width, height = proportions.size_of(target, content_type) or (None, None)
    return Copy(str(path), size, content_type, digest.hexdigest(), width, height)


def _body(response: requests.Response, deadline: float) -> Iterator[bytes]:
    while True:
        if time.monotonic() > deadline:
            raise NotFetched("took too long")
        chunk = response.raw.read1(CHUNK)
        if not chunk:
            return
        yield chunk


def content_type_of(head: bytes, declared: str) -> str:
    """The type by content; the declared one only where content shows none and it is plain text, as subtitles are."""
    try:
        found = puremagic.from_string(head, mime=True)
    except puremagic.PureError:
        found = ""
    if found:
        return found
    return (
        "text/plain"
        if declared in ("text/plain", "application/x-subrip", "text/srt", "text/vtt")
        else ("application/octet-stream")
    )
