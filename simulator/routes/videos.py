"""Rendered videos (contract 5)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from simulator.agent import Video
from simulator.errors import invalid
from simulator.gateway import Call, answer, as_json, operation
from simulator.paging import cut, envelope
from simulator.world import SessionRecord


def video_view(call: Call, record: SessionRecord, video: Video) -> dict[str, Any]:
    """The video as the API gives it; links are new at each read and only there when it is completed."""
    world = call.world
    status = video.status(world.now())
    done = status == "completed"
    base = f"/media/videos/{video.video_id}"
    failure = video.failure if status == "failed" else None
    return {
        "id": video.video_id,
        "status": status,
        "title": video.title,
        "created_at": int(world.clock.stamp_at(video.queued_at)),
        "completed_at": int(world.clock.stamp_at(video.ready_at)) if done else None,
        "video_url": world.links.signed(f"{base}.mp4") if done else None,
        "captioned_video_url": world.links.signed(f"{base}.captioned.mp4") if done else None,
        "subtitle_url": world.links.signed(f"{base}.srt") if done else None,
        "thumbnail_url": world.links.signed(f"{base}.jpg") if done else None,
        "gif_url": None,
        "duration": video.duration if done else None,
        "folder_id": None,
        "output_language": "English" if done else None,
        "failure_code": failure[0] if failure else None,
        "failure_message": failure[1] if failure else None,
        "video_page_url": f"https://app.heygen.com/videos/{video.video_id}" if done else None,
    }


async def list_videos(call: Call) -> Response:
    query = call.query
    title = query.get("title", "").lower()
    found = [
        pair
        for pair in call.world.videos(call.account)
        if title in pair[1].title.lower() and not query.get("folder_id")
    ]
    page, token = cut(found, query, lambda pair: pair[1].video_id, default=10, most=100)
    return as_json(envelope([video_view(call, record, video) for record, video in page], token))


async def statuses(call: Call) -> Response:
    wanted = [part.strip() for part in call.query.get("video_ids", "").split(",") if part.strip()]
    if len(wanted) > 100:
        raise invalid("video_ids may hold at most 100 ids.", "video_ids")
    world = call.world
    items = []
    for identifier in wanted:
        found = world.video_owner.get(identifier)
        known = (
            found is not None and found[0].account is call.account and identifier not in world.deleted_videos
        )
        status = found[1].status(world.now()) if found is not None and known else "not_found"
        items.append(
            {"video_id": identifier, "status": status, "error": None, "batch_id": None, "item_index": None}
        )
    return as_json(envelope(items, None))


async def read(call: Call) -> Response:
    record, video = call.world.video(call.account, call.id("video_id"))
    return answer(video_view(call, record, video))


async def delete(call: Call) -> Response:
    _, video = call.world.video(call.account, call.id("video_id"))
    call.world.delete_video(video)
    return answer({"id": video.video_id, "deleted": True})


ROUTES = [
    operation("GET", "/v3/videos", list_videos),
    operation("GET", "/v3/videos/statuses", statuses),
    operation("GET", "/v3/videos/{video_id}", read),
    operation("DELETE", "/v3/videos/{video_id}", delete),
]
