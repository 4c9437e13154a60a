"""Small ASGI callables around Django: by path, static files, a limit for bodies, the health of this process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from wsgiref.headers import Headers

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    Scope,
)
from servestatic.asgi import ServeStaticASGI


def routed(routes: Mapping[str, ASGI3Application], *, otherwise: ASGI3Application) -> ASGI3Application:
    """Sends a request to the first route whose key it equals or, for keys ending in `/`, starts with."""

    async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            for key, route in routes.items():
                if path == key or (key.endswith("/") and path.startswith(key)):
                    return await route(scope, receive, send)
        await otherwise(scope, receive, send)

    return application


def static_files(application: ASGI3Application, *, root: Path, prefix: str) -> ASGI3Application:
    """Serves what `collectstatic` left in `root`; names that carry a hash may be kept for ever."""

    def harden(headers: Headers, _path: str, _url: str) -> None:
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"

    # Made now, so that a forgotten `collectstatic` is a page without style and not a process that doesn't start.
    root.mkdir(parents=True, exist_ok=True)
    served: ASGI3Application = ServeStaticASGI(
        application, root=root, prefix=prefix, allow_all_origins=False, add_headers_function=harden
    )
    return served


def limited(application: ASGI3Application, *, most_bytes: int) -> ASGI3Application:
    """Refuses a request body of more than `most_bytes`: Django would store all of it before any view could object."""

    async def limit(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http":
            return await application(scope, receive, send)
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > most_bytes:
            return await answer(send, 413, b"This is more than can be uploaded at once.")
        received = 0

        async def counted() -> ASGIReceiveEvent:
            nonlocal received
            event = await receive()
            if event["type"] == "http.request":
                received += len(event["body"])
                if received > most_bytes:
                    # A body without a declared length: whoever sends it does not wait for an explanation.
                    return {"type": "http.disconnect"}
            return event

        await application(scope, counted, send)

    return limit


async def alive(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """`/healthz`: this process answers. Asks neither the database nor Redis."""
    await answer(send, 200, b"ok")


async def answer(send: ASGISendCallable, status: int, body: bytes) -> None:
    """A whole plain-text response."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", b"%d" % len(body)),
                (b"cache-control", b"no-store"),
                (b"x-content-type-options", b"nosniff"),
            ],
            "trailers": False,
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
