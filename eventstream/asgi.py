"""`/stream/<kind>/<id>/?since=<version>&variant=<name>`: the one event stream of a page.

A bare ASGI callable: a stream that is a Django response costs three times the memory. It answers 200, or 403 to
whoever may not listen, or 503 when there is no room or no database; never a redirect, which a script would follow
into the sign-in page. It sends what is current if the page shows something older, and then what changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from http.cookies import CookieError, SimpleCookie
from typing import cast
from urllib.parse import parse_qs
from uuid import UUID

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from django.conf import settings
from django.db import DatabaseError
from django.http.request import split_domain_port, validate_host

from eventstream import access, encoding, topics
from eventstream.access import Admission
from eventstream.hub import Reader, hub

logger = logging.getLogger(__name__)

ADDRESS = re.compile(r"/stream/(?P<kind>[a-z][a-z_-]{0,31})/(?P<id>[0-9a-f-]{36})/")
VARIANT = re.compile(r"[a-z0-9_-]{0,32}")
# Large enough for any counter in a database, small enough to be one.
VERSION = re.compile(r"[0-9]{1,18}")

LAST_WORD_SECONDS = 1.0


async def stream(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    if scope["type"] != "http":
        return
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
    try:
        admission = await _admit(scope, headers)
    except DatabaseError as exc:
        logger.error("no stream without a database: %s", exc)
        return await _refuse(send, 503)
    variant = query.get("variant", "")
    if admission is None or not VARIANT.fullmatch(variant):
        return await _refuse(send, 403)
    if not hub.has_room(admission.ticket.user_id):
        return await _refuse(send, 503)
    await _serve(admission, receive, send, variant=variant, shown=_shown(headers, query))


async def _admit(scope: HTTPScope, headers: dict[bytes, str]) -> Admission | None:
    address = ADDRESS.fullmatch(scope["path"])
    if scope["method"] != "GET" or address is None:
        return None
    host, _port = split_domain_port(headers.get(b"host", ""))
    topic = topics.find(address["kind"])
    session_key = _session_key(headers.get(b"cookie", ""))
    if topic is None or not session_key or not host or not validate_host(host, settings.ALLOWED_HOSTS):
        return None
    try:
        object_id = UUID(address["id"])
    except ValueError:
        return None
    accepted = headers.get(b"accept-language", "")
    return await hub.in_thread(access.admit, session_key, accepted, topic, object_id)


def _session_key(cookie_header: str) -> str:
    try:
        cookie = SimpleCookie(cookie_header).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    return cookie.value if cookie else ""


def _shown(headers: dict[bytes, str], query: dict[str, str]) -> int | None:
    """The version that the page shows. A reconnecting one knows it better than the address it once got."""
    for said in (headers.get(b"last-event-id", ""), query.get("since", "")):
        if VERSION.fullmatch(said):
            return int(said)
    return None


async def _serve(
    admission: Admission,
    receive: ASGIReceiveCallable,
    send: ASGISendCallable,
    *,
    variant: str,
    shown: int | None,
) -> None:
    async def write(chunk: bytes) -> None:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})

    task = cast("asyncio.Task[None]", asyncio.current_task())
    reader = Reader(
        admission.ticket,
        language=admission.language,
        variant=variant,
        # A page that is ahead of us shows a past that never was, as after a restored backup: it gets everything.
        version=shown if shown is not None and shown <= admission.pulse.version else None,
        send=write,
        end=task.cancel,
    )
    hub.join(reader)
    try:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS, "trailers": False})
        hub.note(reader.key, admission.pulse.version)
        await write(encoding.alive(admission.pulse.version, admission.pulse.age))
        hub.catch_up(reader)
        while (await receive())["type"] != "http.disconnect":
            pass
    except asyncio.CancelledError:
        # The hub has closed it. Ended properly, so that the browser reconnects at once; unless it takes nothing.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_SECONDS):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        hub.leave(reader)


HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back until its buffer is full
    (b"x-content-type-options", b"nosniff"),
]


async def _refuse(send: ASGISendCallable, status: int) -> None:
    headers = [(b"content-length", b"0"), (b"cache-control", b"no-store")]
    if status == 503:
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
