"""Lets a view say which stored file to send, and sends it outside Django: ranges, etags, no thread held.

A view that has checked access answers with an empty body and `X-Send-File: <path below MEDIA_DIR>`; its other headers go out
with the file. The same contract as a reverse proxy's, so that one may take it over.
"""

from __future__ import annotations

from pathlib import Path

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
from starlette.datastructures import Headers
from starlette.responses import FileResponse, PlainTextResponse, Response

HEADER = b"x-send-file"


def sending_files(application: ASGI3Application, *, root: Path) -> ASGI3Application:
    """Wraps `application`; only files below `root` are ever sent."""

    async def wrapped(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http":
            return await application(scope, receive, send)
        found: list[tuple[bytes, bytes]] | None = None
        name = b""

        async def watch(event: ASGISendEvent) -> None:
            nonlocal found, name
            if event["type"] == "http.response.start":
                headers = list(event["headers"])
                name = next((value for key, value in headers if key.lower() == HEADER), b"")
                if name:
                    found = headers
                    return
            if found is None:
                await send(event)

        await application(scope, receive, watch)
        if found is not None:
            response = _response(_below(root, name.decode()), found)
            await response(dict(scope), receive, send)  # type: ignore[arg-type]  # Starlette types scopes as plain dicts

    return wrapped


def _below(root: Path, name: str) -> Path | None:
    """The file of that name, unless the name leads out of `root`."""
    path = (root / name).resolve()
    return path if path.is_relative_to(root.resolve()) else None


def _response(path: Path | None, headers: list[tuple[bytes, bytes]]) -> Response:
    of_view = Headers(raw=[(key.lower(), value) for key, value in headers])
    if path is None or not path.is_file():
        # The row says that we have it; the disk does not agree.
        return PlainTextResponse("The stored file is missing.", status_code=404)
    dropped = (HEADER, b"content-length", b"content-type")
    kept = {key: value for key, value in of_view.items() if key.encode() not in dropped}
    return FileResponse(path, media_type=of_view.get("content-type"), headers=kept)
