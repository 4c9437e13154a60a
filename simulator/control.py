"""The control API, `/_control/…`: what tests, drills and the page use to look behind the curtain and to pull strings.

It needs no key and is therefore only for this machine, and only for programs: requests of other origins are refused.
"""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import scenarios as scenario_files
from .errors import ApiError
from .faults import FaultError
from .realtime import Stream
from .scenarios import ScenarioError
from .schemas import CREATE_SESSION
from .world import SessionRecord

if TYPE_CHECKING:
    from .app import Simulator


def simulator_of(request: Request) -> Simulator:
    found: Simulator = request.scope["simulator"]
    return found


def allowed(request: Request) -> bool:
    """Whether a request may use the control API: from this machine, and not sent by some other web page."""
    simulator = simulator_of(request)
    client = request.client.host if request.client else "127.0.0.1"
    if not simulator.config.control_open:
        try:
            if not ipaddress.ip_address(client.partition("%")[0]).is_loopback:
                return False
        except ValueError:
            return False
        # A name that was pointed at this machine by somebody else does not make their page ours.
        names = {"localhost", "127.0.0.1", "::1", urlsplit(simulator.config.public_url).hostname}
        if request.url.hostname not in names:
            return False
    origin = request.headers.get("origin")
    if origin is not None and origin.split("//")[-1] != request.headers.get("host"):
        return False
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


async def body_of(request: Request) -> dict[str, Any]:
    try:
        document = json.loads(await request.body() or b"{}")
    except ValueError as error:
        raise HTTPException(400, "the body is not JSON") from error
    if not isinstance(document, dict):
        raise HTTPException(400, "the body must be an object")
    return document


def refuse(error: Exception) -> HTTPException:
    return HTTPException(400, str(error))


async def overview(request: Request) -> Response:
    simulator = simulator_of(request)
    world = simulator.world
    return JSONResponse(
        {
            "sessions": len(world.sessions),
            "accounts": [account.key for account in world.accounts.values()],
            "faults": len(simulator.faults.active),
            "calls": sum(simulator.calls.counts.values()),
            "seed": world.seed,
            "dialects": simulator.config.dialects,
            "scenarios": world.scenarios.names,
        }
    )


# ---- clock


def clock_view(simulator: Simulator) -> dict[str, Any]:
    clock = simulator.world.clock
    return {
        "stamp": clock.stamp(),
        "story": clock.story(),
        "speed": clock.speed,
        "frozen": clock.frozen,
        "offset": clock.offset,
        "next_due": None if simulator.world.next_due() == float("inf") else simulator.world.next_due(),
    }


async def read_clock(request: Request) -> Response:
    simulator_of(request).world.catch_up()
    return JSONResponse(clock_view(simulator_of(request)))


async def change_clock(request: Request) -> Response:
    simulator = simulator_of(request)
    document = await body_of(request)
    try:
        simulator.change_clock(document)
    except ValueError as error:
        raise refuse(error) from error
    return JSONResponse(clock_view(simulator))


# ---- settings and accounts


async def read_settings(request: Request) -> Response:
    return JSONResponse(dataclasses.asdict(simulator_of(request).world.settings))


async def change_settings(request: Request) -> Response:
    world = simulator_of(request).world
    try:
        world.change_settings(await body_of(request))
    except ValueError as error:
        raise refuse(error) from error
    return JSONResponse(dataclasses.asdict(world.settings))


def account_view(simulator: Simulator, key: str) -> dict[str, Any]:
    account = simulator.world.accounts[key]
    return {
        "key": key,
        "id": account.id,
        "username": account.username,
        "space_id": account.space_id,
        "working": account.working,
        "streaming": account.streaming,
        "spent_usd": round(simulator.world.spent[account.id], 4),
        **dataclasses.asdict(account.settings),
    }


async def read_accounts(request: Request) -> Response:
    simulator = simulator_of(request)
    return JSONResponse({"accounts": [account_view(simulator, key) for key in simulator.world.accounts]})


async def change_account(request: Request) -> Response:
    simulator = simulator_of(request)
    document = await body_of(request)
    key = document.pop("key", None)
    if not isinstance(key, str) or not key:
        raise HTTPException(400, "key is required")
    world = simulator.world
    account = world.accounts.get(key) or world.add_account(key)
    try:
        world.change_account(account, document)
    except ValueError as error:
        raise refuse(error) from error
    return JSONResponse(account_view(simulator, key))


# ---- faults, calls, ledger


async def read_faults(request: Request) -> Response:
    return JSONResponse(
        {"faults": [dataclasses.asdict(fault) for fault in simulator_of(request).faults.active]}
    )


async def add_fault(request: Request) -> Response:
    try:
        fault = simulator_of(request).faults.add(await body_of(request))
    except (FaultError, TypeError) as error:
        raise refuse(error) from error
    return JSONResponse(dataclasses.asdict(fault), 201)


async def clear_faults(request: Request) -> Response:
    simulator_of(request).faults.clear()
    return JSONResponse({})


async def remove_fault(request: Request) -> Response:
    simulator_of(request).faults.remove(int(request.path_params["number"]))
    return JSONResponse({})


async def read_calls(request: Request) -> Response:
    query = request.query_params
    try:
        since, last = float(query.get("since", 0)), int(query.get("last", 1000))
    except ValueError as error:
        raise refuse(error) from error
    report = simulator_of(request).calls.report(
        since=since, key=query.get("key", ""), template=query.get("template", ""), last=last
    )
    return JSONResponse(report)


async def clear_calls(request: Request) -> Response:
    simulator_of(request).calls.clear()
    return JSONResponse({})


async def read_ledger(request: Request) -> Response:
    world = simulator_of(request).world
    world.catch_up()
    total = round(sum(world.spent.values()), 4)
    return JSONResponse({"accepted": world.ledger, "charges": world.charges, "total_usd": total})


# ---- scenarios and sessions


async def read_scenarios(request: Request) -> Response:
    scenarios = simulator_of(request).world.scenarios
    options = {name: field.default for name, field in scenario_files.OPTIONS.items()}
    return JSONResponse(
        {"named": scenario_files.NAMED, "added": [r.name for r in scenarios.rules], "options": options}
    )


async def add_scenarios(request: Request) -> Response:
    try:
        added = simulator_of(request).world.add_scenarios(await body_of(request))
    except (ScenarioError, TypeError, AttributeError) as error:
        raise refuse(error) from error
    return JSONResponse({"added": added}, 201)


def session_summary(simulator: Simulator, record: SessionRecord) -> dict[str, Any]:
    machine = record.machine
    return {
        "session_id": record.id,
        "key": record.account.key,
        "dialect": "sessions" if record.old_dialect else "current",
        "scenario": record.scenario.name,
        "status": machine.status,
        "progress": machine.progress(simulator.world.now()),
        "title": machine.title,
        "video_id": machine.video_id,
        "messages": len(machine.messages),
        "resources": len(machine.resources),
        "created_at": simulator.world.clock.stamp_at(record.created),
        "gone": machine.gone,
    }


async def read_sessions(request: Request) -> Response:
    simulator = simulator_of(request)
    simulator.world.catch_up()
    try:
        last = int(request.query_params.get("last", 100))
    except ValueError as error:
        raise refuse(error) from error
    records = list(simulator.world.sessions.values())[-last:]
    return JSONResponse(
        {
            "total": len(simulator.world.sessions),
            "sessions": [session_summary(simulator, record) for record in records],
        }
    )


async def make_sessions(request: Request) -> Response:
    """Sessions in bulk, past ceilings and credit, as a load for measurements."""
    simulator = simulator_of(request)
    document = await body_of(request)
    count = document.pop("count", 1)
    key = document.pop("key", next(iter(simulator.world.accounts)))
    old_dialect = bool(document.pop("old_dialect", False))
    document.setdefault("prompt", "A short welcome video")
    if not isinstance(count, int) or not 1 <= count <= 100_000 or key not in simulator.world.accounts:
        raise HTTPException(400, "count must be 1 to 100000 and key known")
    try:
        CREATE_SESSION(document, "")
    except ApiError as error:
        raise refuse(error) from error
    world = simulator.world
    made: list[str] = []
    while len(made) < count:
        with world.store.together():
            for _ in range(min(200, count - len(made))):
                record = world.create_session(
                    world.accounts[key], document, old_dialect=old_dialect, free=True
                )
                made.append(record.id)
        await asyncio.sleep(0)
    return JSONResponse({"session_ids": made}, 201)


def record_of(request: Request) -> SessionRecord:
    world = simulator_of(request).world
    world.catch_up()
    record = world.sessions.get(request.path_params["session_id"])
    if record is None:
        raise HTTPException(404, "no such session")
    world.refresh(record)
    return record


async def read_session(request: Request) -> Response:
    simulator, record = simulator_of(request), record_of(request)
    machine, clock = record.machine, simulator.world.clock
    return JSONResponse(
        {
            **session_summary(simulator, record),
            "body": record.body,
            "revision": machine.revision,
            "storyboard": list(machine.storyboard_ids),
            "waits": machine.waits,
            "message_log": [dataclasses.asdict(message) for message in machine.messages],
            "resource_log": [
                {
                    "resource_id": resource.resource_id,
                    "resource_type": resource.material.kind,
                    "source_type": resource.material.source,
                    "picture": dataclasses.asdict(resource.material.frame)
                    if resource.material.frame
                    else None,
                    "reads": record.reads.get(resource.resource_id, 0),
                }
                for resource in machine.resources.values()
            ],
            "videos": [
                {
                    "video_id": video.video_id,
                    "status": video.status(simulator.world.now()),
                    "title": video.title,
                    "duration": video.duration,
                    "queued_at": clock.stamp_at(video.queued_at),
                }
                for video in machine.videos
            ],
        }
    )


async def add_steps(request: Request) -> Response:
    simulator, record = simulator_of(request), record_of(request)
    document = await body_of(request)
    try:
        steps = [dict(scenario_files.checked_step(step)) for step in document.get("steps", [])]
        simulator.world.inject(record, steps)
    except (ScenarioError, TypeError, ValueError) as error:
        raise refuse(error) from error
    return JSONResponse(session_summary(simulator, record), 201)


# ---- streams and webhooks


def stream_summary(simulator: Simulator, stream: Stream) -> dict[str, Any]:
    now, stamp = simulator.world.now(), simulator.world.clock.stamp_at
    return {
        "stream_id": stream.id,
        "key": stream.account.key,
        "type": stream.kind,
        "status": stream.status(now),
        "end_reason": stream.end_reason(now),
        "created_at": stamp(stream.created),
        "starts_at": stamp(stream.starts),
        "buffered_bytes": stream.bytes,
        "words": len(stream.speech.words),
    }


async def read_streams(request: Request) -> Response:
    simulator = simulator_of(request)
    return JSONResponse(
        {"streams": [stream_summary(simulator, stream) for stream in simulator.streams.all.values()]}
    )


async def read_stream(request: Request) -> Response:
    simulator = simulator_of(request)
    stream = simulator.streams.all.get(request.path_params["stream_id"])
    if stream is None:
        raise HTTPException(404, "no such stream")
    words = [{"word": word.word, "start": word.start, "end": word.end} for word in stream.speech.words]
    return JSONResponse(
        {
            **stream_summary(simulator, stream),
            "body": stream.body,
            "text": stream.speech.text,
            "word_log": words,
        }
    )


async def read_deliveries(request: Request) -> Response:
    deliveries = simulator_of(request).webhooks.deliveries
    return JSONResponse({"deliveries": [{"delivery_id": name, **item} for name, item in deliveries.items()]})


async def emit_event(request: Request) -> Response:
    """Send an event of your own making to the endpoints of an account, and to `callback` if given."""
    simulator = simulator_of(request)
    document = await body_of(request)
    world = simulator.world
    key = document.get("key", next(iter(world.accounts)))
    kind, data = document.get("event_type"), document.get("event_data", {})
    if key not in world.accounts or not isinstance(kind, str) or not isinstance(data, dict):
        raise HTTPException(400, "event_type (text), event_data (object) and a known key are needed")
    event = simulator.webhooks.emit(
        world.accounts[key],
        kind,
        data,
        event_id=str(document.get("event_id", "")),
        callback=document.get("callback"),
    )
    return JSONResponse(event, 201)


async def reset(request: Request) -> Response:
    simulator_of(request).reset()
    return JSONResponse({})


ROUTES = [
    Route("/_control/", overview, methods=["GET"]),
    Route("/_control/clock", read_clock, methods=["GET"]),
    Route("/_control/clock", change_clock, methods=["POST"]),
    Route("/_control/settings", read_settings, methods=["GET"]),
    Route("/_control/settings", change_settings, methods=["POST"]),
    Route("/_control/accounts", read_accounts, methods=["GET"]),
    Route("/_control/accounts", change_account, methods=["POST"]),
    Route("/_control/faults", read_faults, methods=["GET"]),
    Route("/_control/faults", add_fault, methods=["POST"]),
    Route("/_control/faults", clear_faults, methods=["DELETE"]),
    Route("/_control/faults/{number:int}", remove_fault, methods=["DELETE"]),
    Route("/_control/calls", read_calls, methods=["GET"]),
    Route("/_control/calls", clear_calls, methods=["DELETE"]),
    Route("/_control/ledger", read_ledger, methods=["GET"]),
    Route("/_control/scenarios", read_scenarios, methods=["GET"]),
    Route("/_control/scenarios", add_scenarios, methods=["POST"]),
    Route("/_control/sessions", read_sessions, methods=["GET"]),
    Route("/_control/sessions", make_sessions, methods=["POST"]),
    Route("/_control/sessions/{session_id}", read_session, methods=["GET"]),
    Route("/_control/sessions/{session_id}/steps", add_steps, methods=["POST"]),
    Route("/_control/streams", read_streams, methods=["GET"]),
    Route("/_control/streams/{stream_id}", read_stream, methods=["GET"]),
    Route("/_control/deliveries", read_deliveries, methods=["GET"]),
    Route("/_control/events", emit_event, methods=["POST"]),
    Route("/_control/reset", reset, methods=["POST"]),
]
