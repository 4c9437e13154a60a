"""Video Agent sessions, current dialect (contract 4.2, 4.5 to 4.13)."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from simulator import schemas
from simulator.agent import Machine, Resource
from simulator.catalogue import usable
from simulator.errors import invalid, not_found
from simulator.gateway import Call, answer, as_json, operation
from simulator.paging import cut, envelope
from simulator.world import SessionRecord

from .media import film_of
from .videos import video_view


async def create(call: Call) -> Response:
    body = await call.body()
    schemas.CREATE_SESSION(body, "")
    check_choices(call, body)
    if body.get("callback_id") is not None and body.get("callback_url") is None:
        raise invalid("callback_id needs a callback_url.", "callback_id")
    record = call.world.create_session(call.account, body, old_dialect=False)
    machine = record.machine
    return answer(
        {
            "session_id": record.id,
            "status": "thinking" if record.chat else "generating",
            "video_id": machine.video_id,
            "created_at": int(call.world.clock.stamp_at(record.created)),
        }
    )


async def read(call: Call) -> Response:
    record = call.world.session(call.account, call.id("session_id"), old_dialect=False)
    return session_response(call, record)


async def list_sessions(call: Call) -> Response:
    records = (
        record
        for record in reversed(call.world.sessions_of[call.account.id])
        if not record.old_dialect and not record.machine.gone
    )
    page, token = cut(records, call.query, lambda record: record.id, default=20, most=100)
    for record in page:
        call.world.refresh(record)
    stamp = call.world.clock.stamp_at
    items = [
        {"session_id": record.id, "title": record.machine.title, "created_at": int(stamp(record.created))}
        for record in page
    ]
    return as_json(envelope(items, token))


async def send(call: Call) -> Response:
    body = await call.body()
    record = call.world.session(call.account, call.id("session_id"), old_dialect=False)
    schemas.SEND_MESSAGE(body, "")
    check_choices(call, body)
    run_id = call.world.send(record, body)
    return answer({"session_id": record.id, "run_id": run_id, "title": record.machine.title})


async def stop(call: Call) -> Response:
    body = await call.body()
    record = call.world.session(call.account, call.id("session_id"), old_dialect=False)
    schemas.EMPTY(body, "")
    call.world.stop(record)
    return answer({"session_id": record.id})


async def resource(call: Call) -> Response:
    record = call.world.session(call.account, call.id("session_id"), old_dialect=False)
    identifier = call.id("resource_id")
    found = record.machine.resources.get(identifier)
    if found is None or hidden(record, identifier):
        raise not_found("Resource")
    return answer(resource_view(call, record, found))


async def videos(call: Call) -> Response:
    record = call.world.session(call.account, call.id("session_id"), old_dialect=False)
    found = [
        video for video in reversed(record.machine.videos) if video.video_id not in call.world.deleted_videos
    ]
    page, token = cut(found, call.query, lambda video: video.video_id, default=100, most=100)
    return as_json(envelope([video_view(call, record, video) for video in page], token))


async def styles(call: Call) -> Response:
    tag = call.query.get("tag")
    found = [
        style for style in call.world.catalogue(call.account).styles.values() if not tag or tag in style.tags
    ]
    page, token = cut(found, call.query, lambda style: style.id, default=20, most=100)
    links = call.world.links
    items = [
        {
            "style_id": style.id,
            "name": style.name,
            "thumbnail_url": links.public(f"/media/styles/{style.id}.jpg"),
            "preview_video_url": links.public(f"/media/styles/{style.id}.mp4"),
            "tags": list(style.tags),
            "aspect_ratio": style.aspect_ratio,
        }
        for style in page
    ]
    return as_json(envelope(items, token))


def session_response(call: Call, record: SessionRecord) -> Response:
    """The session as JSON; the bytes are kept until something changes, because clients poll."""
    now = call.world.now()
    view, machine = record.view, record.machine
    if machine.status == "generating" and machine.videos and worth_filming(call, record):
        record.filmed = len(machine.videos)
        call.simulator.prepare(film_of(call.simulator, machine.videos[-1]))
    if view is None or view[0] != machine.version or now >= view[1]:
        document = session_view(call, record, now)
        body = json.dumps({"data": document}, separators=(",", ":")).encode()
        record.view = view = (machine.version, machine.steady_until(now), body)
    return Response(view[2], media_type="application/json")


def worth_filming(call: Call, record: SessionRecord) -> bool:
    """Whether to render ahead: not in tests and measurements, which run fast and rarely look at the film."""
    return (
        record.filmed < len(record.machine.videos)
        and call.world.clock.speed <= 4
        and bool(record.machine.storyboard)
    )


def session_view(call: Call, record: SessionRecord, now: float) -> dict[str, Any]:
    machine = record.machine
    return {
        "session_id": record.id,
        "status": machine.status,
        "progress": machine.progress(now),
        "title": machine.title,
        "video_id": machine.video_id,
        "created_at": int(call.world.clock.stamp_at(record.created)),
        "messages": [message_view(message) for message in machine.window()],
    }


def message_view(message: Any) -> dict[str, Any]:
    return {
        "role": message.role,
        "content": message.content,
        "type": message.type,
        "created_at": message.created_at,
        "resource_ids": list(message.resource_ids) if message.resource_ids is not None else None,
    }


def hidden(record: SessionRecord, identifier: str) -> bool:
    """Whether this read of a resource still answers 404 (scenario `missing_reads`)."""
    record.reads[identifier] = record.reads.get(identifier, 0) + 1
    return record.reads[identifier] <= record.scenario.missing_reads


def resource_view(call: Call, record: SessionRecord, found: Resource) -> dict[str, Any]:
    material = found.material
    view: dict[str, Any] = {
        "resource_id": found.resource_id,
        "resource_type": material.kind,
        "source_type": material.source,
        "url": None,
        "thumbnail_url": None,
        "preview_url": None,
        "created_at": int(call.world.clock.stamp_at(found.at)),
        "metadata": dict(material.metadata) if material.metadata is not None else None,
    }
    links = call.world.links
    base = f"/media/sessions/{record.id}/{found.resource_id}"
    if material.frame is not None:
        view["url"] = links.signed(f"{base}.jpg")
        view["thumbnail_url"] = links.signed(f"{base}.thumbnail.jpg")
    elif material.link and material.link.startswith("url:"):
        view["url"] = material.link[len("url:") :]
    elif material.link == "draft":
        view["url"] = links.signed(f"{base}.txt")
        view["thumbnail_url"] = links.signed(f"{base}.thumbnail.jpg")
    elif material.link == "video":
        video = newest_video(record.machine, found.at)
        if video is not None and video.status(call.world.now()) == "completed":
            view["url"] = links.signed(f"/media/videos/{video.video_id}.mp4")
            view["thumbnail_url"] = links.signed(f"/media/videos/{video.video_id}.jpg")
    elif material.metadata and "asset_id" in material.metadata:
        view["url"] = call.simulator.assets.url(str(material.metadata["asset_id"]))
    return view


def newest_video(machine: Machine, at: float) -> Any:
    """The video that a resource made at `at` speaks of."""
    return next((video for video in reversed(machine.videos) if video.queued_at <= at), None)


def check_choices(call: Call, body: dict[str, Any]) -> None:
    """Ids in a body must exist and be usable; 400 with `param` otherwise, at once and free of charge."""
    catalogue = call.world.catalogue(call.account)
    look_id = body.get("avatar_id")
    if look_id is not None and (look_id not in catalogue.looks or not usable(catalogue.looks[look_id])):
        raise invalid("avatar_id is no look that you may use.", "avatar_id")
    for name, known in (
        ("voice_id", catalogue.voices),
        ("style_id", catalogue.styles),
        ("brand_kit_id", catalogue.kits),
        ("brand_glossary_id", catalogue.glossaries),
    ):
        if body.get(name) is not None and body[name] not in known:
            raise invalid(f"{name} is not known.", name)
    for place, item in enumerate(body.get("files") or ()):
        if item["type"] == "asset_id" and not call.simulator.assets.owns(call.account, item["asset_id"]):
            raise invalid("There is no such asset.", f"files.{place}.asset_id")


STYLES = operation("GET", "/v3/video-agents/styles", styles)
ROUTES = [
    operation("GET", "/v3/video-agents/{session_id}", read),
    operation("POST", "/v3/video-agents", create),
    operation("GET", "/v3/video-agents", list_sessions),
    operation("POST", "/v3/video-agents/{session_id}", send),
    operation("POST", "/v3/video-agents/{session_id}/stop", stop),
    operation("GET", "/v3/video-agents/{session_id}/resources/{resource_id}", resource),
    operation("GET", "/v3/video-agents/{session_id}/videos", videos),
]
