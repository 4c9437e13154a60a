"""Files behind the links: pictures, films, sounds, live segments. No key: signed, public or unguessable addresses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from simulator.agent import Frame, Video
from simulator.assets import KINDS
from simulator.catalogue import Look
from simulator.identifiers import digest
from simulator.media import film, live, pictures, portraits, sound
from simulator.media.portraits import Person

if TYPE_CHECKING:
    from simulator.app import Simulator

KEPT_AFTER_END = 120.0
STYLE_SCENES = (("One", "How this style opens"), ("Two", "How it tells"), ("Three", "How it closes"))


def simulator_of(request: Request) -> Simulator:
    found: Simulator = request.scope["simulator"]
    return found


def signed(request: Request) -> bool:
    return simulator_of(request).world.links.holds(request.url.path, request.query_params)


def refused() -> Response:
    return PlainTextResponse("Request has expired", 403)


def missing() -> Response:
    return PlainTextResponse("There is no such file", 404)


def file(path: Path, media_type: str) -> Response:
    """A file with byte ranges; links change at each read, so only private caches may keep it."""
    return FileResponse(path, media_type=media_type, headers={"Cache-Control": "private, max-age=300"})


def writing(make: Callable[[], bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(make())

    return write


async def frame_file(simulator: Simulator, frame: Frame, *, small: bool) -> Response:
    key = pictures.key_of(frame)
    if small:
        made = await simulator.workshop.file(
            f"thumbnails/{key}.jpg", writing(lambda: pictures.thumbnail(frame))
        )
    else:
        made = await simulator.workshop.file(f"pictures/{key}.jpg", writing(lambda: pictures.picture(frame)))
    return file(made, "image/jpeg")


async def session_file(request: Request) -> Response:
    """Storyboard pictures and drafts of a session."""
    simulator = simulator_of(request)
    if not signed(request):
        return refused()
    record = simulator.world.sessions.get(request.path_params["session_id"])
    resource_id, _, kind = request.path_params["name"].partition(".")
    resource = record.machine.resources.get(resource_id) if record else None
    if record is None or resource is None:
        return missing()
    frame = resource.material.frame
    if frame is not None and kind == "jpg":
        return await frame_file(simulator, frame, small=False)
    if kind == "thumbnail.jpg" and (frame or record.machine.storyboard):
        return await frame_file(simulator, frame or record.machine.storyboard[0], small=True)
    if kind == "txt" and resource.material.link == "draft":
        lines = "\n\n".join(f"{scene.title}\n{scene.caption}" for scene in record.machine.storyboard)
        return PlainTextResponse(f"Draft of {record.machine.title}\n\n{lines}\n")
    return missing()


def film_key(video: Video) -> str:
    return digest(*(pictures.key_of(frame) for frame in video.frames), video.duration, *video.lines)


async def video_file(request: Request) -> Response:
    """The film of a video, with captions, as subtitles or as a still."""
    simulator = simulator_of(request)
    if not signed(request):
        return refused()
    identifier, _, kind = request.path_params["name"].partition(".")
    found = simulator.world.video_owner.get(identifier)
    if found is None or identifier in simulator.world.deleted_videos or not found[1].frames:
        return missing()
    video = found[1]
    if kind == "srt":
        return Response(film.subtitles(video.lines, video.duration), media_type="application/x-subrip")
    if kind == "jpg":
        return await frame_file(simulator, video.frames[0], small=False)
    if kind not in ("mp4", "captioned.mp4"):
        return missing()
    return file(await film_of(simulator, video, captioned=kind != "mp4"), "video/mp4")


async def film_of(simulator: Simulator, video: Video, *, captioned: bool = False) -> Path:
    """The rendered film, made when first needed."""
    key = film_key(video)

    def write(path: Path) -> None:
        lines = video.lines if captioned else ()
        film.write_film(path, video.frames, video.duration, key, captions=lines)

    return await simulator.workshop.file(f"films/{key}{'.captioned' if captioned else ''}.mp4", write)


def place_of(identifier: str) -> int:
    return int(digest(identifier, size=2), 16)


async def style_file(request: Request) -> Response:
    simulator = simulator_of(request)
    identifier, _, kind = request.path_params["name"].partition(".")
    styles = next(iter(simulator.world.catalogues.values())).styles
    style = styles.get(identifier)
    if style is None or kind not in ("jpg", "mp4"):
        return missing()
    frames = [
        Frame(
            digest(identifier, number, size=8),
            title if number else style.name,
            caption if number else ", ".join(style.tags),
            style.palette,
            style.aspect_ratio == "9:16",
            place_of(identifier) + number,
        )
        for number, (title, caption) in enumerate(STYLE_SCENES)
    ]
    if kind == "jpg":
        return await frame_file(simulator, frames[0], small=True)

    def write(path: Path) -> None:
        film.write_film(path, frames, 4.5, identifier)

    return file(await simulator.workshop.file(f"styles/{identifier}.mp4", write), "video/mp4")


def look_named(simulator: Simulator, identifier: str) -> Look | None:
    for catalogue in simulator.world.catalogues.values():
        if identifier in catalogue.looks:
            return catalogue.looks[identifier]
    return None


async def look_file(request: Request) -> Response:
    simulator = simulator_of(request)
    look = look_named(simulator, request.path_params["name"].removesuffix(".jpg"))
    if look is None:
        return missing()
    person = Person(look.group_id, look.id, look.gender)
    made = await simulator.workshop.file(
        f"looks/{look.id}.jpg", writing(lambda: portraits.picture(person, look.orientation))
    )
    return file(made, "image/jpeg")


async def voice_file(request: Request) -> Response:
    simulator = simulator_of(request)
    identifier = request.path_params["name"].removesuffix(".wav")
    catalogues = simulator.world.catalogues.values()
    voice = next((found for one in catalogues if (found := one.voices.get(identifier))), None)
    if voice is None:
        return missing()
    write = writing(lambda: sound.preview(voice.id, voice.gender))
    return file(await simulator.workshop.file(f"voices/{voice.id}.wav", write), "audio/wav")


async def kit_file(request: Request) -> Response:
    simulator = simulator_of(request)
    identifier = request.path_params["name"].removesuffix(".png")
    catalogues = simulator.world.catalogues.values()
    kit = next((found for one in catalogues if (found := one.kits.get(identifier))), None)
    if kit is None:
        return missing()
    write = writing(lambda: portraits.logo(kit.id, kit.colors))
    return file(await simulator.workshop.file(f"kits/{kit.id}.png", write), "image/png")


async def asset_file(request: Request) -> Response:
    simulator = simulator_of(request)
    if not signed(request):
        return refused()
    identifier = request.path_params["name"].partition(".")[0]
    document = simulator.assets.documents.get(identifier)
    if document is None or not document["ready"]:
        return missing()
    mime = document["mime"] if document["mime"] in KINDS else "application/octet-stream"
    return file(simulator.assets.path(identifier), mime)


async def receive_upload(request: Request) -> Response:
    """The PUT of a direct upload: the announced headers and exactly the announced bytes."""
    simulator = simulator_of(request)
    if not signed(request):
        return refused()
    identifier = request.path_params["name"]
    document = simulator.assets.documents.get(identifier)
    if document is None or document["ready"]:
        return missing()
    if request.headers.get("content-type") != document["declared"]:
        return PlainTextResponse("The headers are not those that were signed", 403)
    if not await simulator.assets.receive(identifier, request.stream()):
        return PlainTextResponse("The body has not the announced size", 400)
    return Response(status_code=200)


async def live_file(request: Request) -> Response:
    """Playlist and segments of a stream that plays, and for a while after it has ended."""
    simulator = simulator_of(request)
    world = simulator.world
    stream = simulator.streams.all.get(request.path_params["stream_id"])
    now = world.now()
    if stream is None or now < stream.starts or now > stream.ends + KEPT_AFTER_END:
        return missing()
    headers = {"Cache-Control": "no-cache"}
    if world.settings.hls_cors:
        headers["Access-Control-Allow-Origin"] = "*"
    look = look_named(simulator, stream.look_id)
    if look is None:
        return missing()
    folder = await simulator.live_parts(look)
    # Pictures move in real time, whatever the speed of the story.
    clock = world.clock
    began = clock.stamp_at(stream.starts)
    name = request.path_params["name"]
    if name == "index.m3u8":
        ended_at = clock.stamp_at(stream.ends) - began if now >= stream.ends else None
        text = live.playlist(clock.stamp() - began, ended_at=ended_at)
        return Response(text, media_type="application/vnd.apple.mpegurl", headers=headers)
    if name == "init.mp4":
        return Response((folder / name).read_bytes(), media_type="video/mp4", headers=headers)
    number, _, extension = name.partition(".")
    if extension != "m4s" or not (number.isascii() and number.isdigit() and len(number) < 7):
        return missing()

    def talking(begin: float, end: float) -> bool:
        """Whether anything is said between two moments of the film."""
        if stream.kind == "audio":
            return begin < stream.audio_seconds / clock.speed
        return stream.speech.speaking(begin * clock.speed, end * clock.speed)

    part = live.part_for(int(number), talking)
    init = (folder / "init.mp4").read_bytes()
    segment = (folder / f"{part}.m4s").read_bytes()
    body = live.placed(segment, int(number), live.timescales(init), part + live.LEAD)
    return Response(body, media_type="video/iso.segment", headers=headers | {"Cache-Control": "max-age=60"})


ROUTES = [
    Route("/media/sessions/{session_id}/{name}", session_file, methods=["GET"]),
    Route("/media/videos/{name}", video_file, methods=["GET"]),
    Route("/media/styles/{name}", style_file, methods=["GET"]),
    Route("/media/looks/{name}", look_file, methods=["GET"]),
    Route("/media/voices/{name}", voice_file, methods=["GET"]),
    Route("/media/kits/{name}", kit_file, methods=["GET"]),
    Route("/media/assets/{name}", asset_file, methods=["GET"]),
    Route("/media/uploads/{name}", receive_upload, methods=["PUT"]),
    Route("/live/{stream_id}/{name}", live_file, methods=["GET"]),
]
