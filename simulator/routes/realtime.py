"""Avatar Realtime (contract 9)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from simulator import schemas
from simulator.errors import invalid
from simulator.gateway import Call, answer, operation
from simulator.realtime import Stream
from simulator.speech import batches

from .sessions import check_choices

HEARTBEAT_SECONDS = 15.0


async def create(call: Call) -> Response:
    body = await call.body()
    schemas.CREATE_STREAM(body, "")
    check_choices(call, body)
    audio = body.get("audio", {})
    if audio.get("type") == "asset_id" and not call.simulator.assets.owns(call.account, audio["asset_id"]):
        raise invalid("There is no such asset.", "audio.asset_id")
    stream = call.simulator.streams.create(call.account, body)
    if call.world.clock.seconds_until(stream.starts) > 1:
        look = call.world.catalogue(call.account).looks[stream.look_id]
        call.simulator.prepare(call.simulator.live_parts(look))
    return answer({"stream_id": stream.id}, 201)


async def read(call: Call) -> Response:
    stream = call.simulator.streams.get(call.account, call.id("stream_id"))
    return answer(stream_view(call, stream))


def stream_view(call: Call, stream: Stream) -> dict[str, Any]:
    now = call.world.now()
    status = stream.status(now)
    url = call.world.links.public(f"/live/{stream.id}/index.m3u8")
    return {
        "stream_id": stream.id,
        "status": status,
        "hls_url": url if status == "streaming" else None,
        "error_message": stream.scenario.stream_error if status == "error" else None,
        "end_reason": stream.end_reason(now),
    }


async def append(call: Call) -> Response:
    body = await call.body()
    stream = call.simulator.streams.get(call.account, call.id("stream_id"))
    schemas.APPEND_TEXT(body, "")
    delta, final = body["delta"], body.get("final", False)
    if not delta and not final:
        raise invalid("delta may be empty only together with final.", "delta")
    buffered = call.simulator.streams.append(stream, delta, final)
    return answer({"ok": True, "buffered_bytes": buffered}, 202)


async def cancel(call: Call) -> Response:
    stream = call.simulator.streams.get(call.account, call.id("stream_id"))
    return answer({"stream_id": stream.id, "cancelled": call.simulator.streams.cancel(stream)}, 202)


async def words(call: Call) -> Response:
    stream = call.simulator.streams.get(call.account, call.id("stream_id"))
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(spoken(call, stream), media_type="text/event-stream", headers=headers)


async def spoken(call: Call, stream: Stream) -> AsyncIterator[bytes]:
    """All words from the first on, as they are spoken, and one `end`."""
    sent, wrote = 0, time.monotonic()
    world, closing = call.world, call.simulator.closing
    while not closing.is_set():
        world.run_due()
        now = world.now()
        heard = stream.spoken(now)
        for batch in batches(heard[sent:]):
            items = [{"word": word.word, "start": word.start, "end": word.end} for word in batch]
            yield f"data: {json.dumps({'words': items})}\n\n".encode()
            wrote = time.monotonic()
        sent = len(heard)
        if stream.status(now) in ("completed", "error"):
            yield f"event: end\ndata: {json.dumps({'reason': stream.words_reason(now)})}\n\n".encode()
            return
        if time.monotonic() - wrote > HEARTBEAT_SECONDS:
            yield b": still here\n\n"
            wrote = time.monotonic()
        try:
            await asyncio.wait_for(closing.wait(), 0.2)
        except TimeoutError:
            continue


ROUTES = [
    operation("POST", "/v3/avatar-realtime", create),
    operation("GET", "/v3/avatar-realtime/{stream_id}", read),
    operation("POST", "/v3/avatar-realtime/{stream_id}/text", append),
    operation("POST", "/v3/avatar-realtime/{stream_id}/cancel", cancel),
    operation("GET", "/v3/avatar-realtime/{stream_id}/words", words),
]
