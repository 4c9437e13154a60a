"""Video Agent sessions, old dialect (contract 4.3 and the right-hand column of 4.1)."""

from __future__ import annotations

from starlette.responses import Response

from simulator import schemas
from simulator.errors import invalid
from simulator.gateway import Call, answer, operation
from simulator.paging import cut

from .sessions import check_choices, hidden, resource_view, session_response


async def create(call: Call) -> Response:
    body = await call.body()
    schemas.LEGACY_CREATE_SESSION(body, "")
    check_choices(call, body)
    record = call.world.create_session(call.account, body, old_dialect=True)
    created_at = int(call.world.clock.stamp_at(record.created))
    return answer({"session_id": record.id, "created_at": created_at})


async def read(call: Call) -> Response:
    record = call.world.session(call.account, call.id("session_id"), old_dialect=True)
    return session_response(call, record)


async def send(call: Call) -> Response:
    body = await call.body()
    record = call.world.session(call.account, call.id("session_id"), old_dialect=True)
    schemas.LEGACY_SEND_MESSAGE(body, "")
    check_choices(call, body)
    run_id = call.world.send(record, body)
    return answer({"session_id": record.id, "run_id": run_id, "title": record.machine.title})


async def resources(call: Call) -> Response:
    record = call.world.session(call.account, call.id("session_id"), old_dialect=True)
    query = call.query
    source = query.get("source")
    if source is not None and source not in ("generated", "user_uploaded"):
        raise invalid("source must be generated or user_uploaded.", "source")
    wanted = (
        {part.strip() for part in query["resource_ids"].split(",")} if query.get("resource_ids") else None
    )
    found = [
        item
        for item in record.machine.resources.values()
        if (wanted is None or item.resource_id in wanted)
        and (not query.get("type") or item.material.kind == query["type"])
        and (source is None or item.material.source == source)
    ]
    page, cursor = cut(found, query, lambda item: item.resource_id, default=8, most=100)
    shown = [resource_view(call, record, item) for item in page if not hidden(record, item.resource_id)]
    return answer({"resources": shown, "next_cursor": cursor})


async def stop(call: Call) -> Response:
    body = await call.body()
    record = call.world.session(call.account, call.id("session_id"), old_dialect=True)
    schemas.EMPTY(body, "")
    call.world.stop(record)
    return answer({"session_id": record.id})


ROUTES = [
    operation("GET", "/v3/video-agents/sessions/{session_id}", read),
    operation("POST", "/v3/video-agents/sessions", create),
    operation("POST", "/v3/video-agents/sessions/{session_id}/messages", send),
    operation("GET", "/v3/video-agents/sessions/{session_id}/resources", resources),
    operation("POST", "/v3/video-agents/sessions/{session_id}/stop", stop),
]
