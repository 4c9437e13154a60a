"""Files behind the links: pictures, films, sounds. Not part of the API: no key, only signed or public addresses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from simulator.media import pictures

if TYPE_CHECKING:
    from simulator.app import Simulator


def simulator_of(request: Request) -> Simulator:
    found: Simulator = request.scope["simulator"]
    return found


def refused() -> Response:
    return PlainTextResponse("Request has expired", 403)


def missing() -> Response:
    return PlainTextResponse("There is no such file", 404)


def file(path: Path, media_type: str) -> Response:
    """A file with byte ranges; links change at each read, so only private caches may keep it."""
    return FileResponse(path, media_type=media_type, headers={"Cache-Control": "private, max-age=300"})


async def session_file(request: Request) -> Response:
    """Storyboard pictures and drafts of a session."""
    simulator = simulator_of(request)
    if not simulator.world.links.holds(request.url.path, request.query_params):
        return refused()
    record = simulator.world.sessions.get(request.path_params["session_id"])
    resource_id, _, kind = request.path_params["name"].partition(".")
    resource = record.machine.resources.get(resource_id) if record else None
    if record is None or resource is None:
        return missing()
    frame = resource.material.frame
    if frame is not None and kind == "jpg":
        name = f"pictures/{pictures.key_of(frame)}.jpg"
        return file(await simulator.workshop.file(name, lambda: pictures.picture(frame)), "image/jpeg")
    if kind == "thumbnail.jpg":
        shown = frame or (record.machine.storyboard[0] if record.machine.storyboard else None)
        if shown is not None:
            name = f"thumbnails/{pictures.key_of(shown)}.jpg"
            return file(await simulator.workshop.file(name, lambda: pictures.thumbnail(shown)), "image/jpeg")
    if kind == "html" and resource.material.link == "draft":
        lines = "\n\n".join(f"{frame.title}\n{frame.caption}" for frame in record.machine.storyboard)
        return PlainTextResponse(f"Draft of {record.machine.title}\n\n{lines}\n")
    return missing()


ROUTES = [
    Route("/media/sessions/{session_id}/{name}", session_file, methods=["GET"]),
]
