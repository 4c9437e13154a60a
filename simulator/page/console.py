"""Routes of the page: it shows on GET, switches on POST of plain forms, and works without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from simulator.faults import FaultError

from . import views

if TYPE_CHECKING:
    from simulator.app import Simulator

STATIC = Path(__file__).parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

# Ready-made faults of the page: name, what it is called and does, the fault.
DRILLS: dict[str, tuple[str, str, dict[str, object]]] = {
    "limit": ("Rate limited", "The next 20 calls answer 429 with Retry-After 20.", {"kind": "status", "status": 429, "retry_after": 20, "count": 20}),
    "quota": ("Allowance used up", "The next 5 creates answer 429 quota_exceeded.", {"kind": "status", "status": 429, "code": "quota_exceeded", "method": "POST", "path": "/v3/video-agents", "count": 5}),
    "down": ("Down", "Everything answers 503 until you clear it.", {"kind": "status", "status": 503, "count": None}),
    "html": ("Bad gateway", "The next 10 calls answer a 502 page of HTML.", {"kind": "html", "count": 10}),
    "lost-create": ("Lost create", "The next create is accepted, then the line drops.", {"kind": "drop", "after": True, "method": "POST", "path": "/v3/video-agents"}),
    "lost-send": ("Lost message", "The next message is accepted, then the line drops.", {"kind": "drop", "after": True, "method": "POST", "path": "/v3/video-agents/*"}),
    "lost-append": ("Lost text", "The next pushed text is accepted, then the line drops.", {"kind": "drop", "after": True, "method": "POST", "path": "/v3/avatar-realtime/*/text"}),
    "slow": ("Slow writes", "The next 5 POSTs take 31 s.", {"kind": "slow", "seconds": 31, "method": "POST", "count": 5}),
    "drip": ("Drip", "The next 3 reads come at one byte per second.", {"kind": "drip", "method": "GET", "count": 3}),
    "drop": ("Cut lines", "The next 10 calls are dropped.", {"kind": "drop", "count": 10}),
    "strange": ("Strange words", "The next 20 session reads have an unknown status and field.", {"kind": "edit", "method": "GET", "path": "/v3/video-agents/{session_id}", "count": 20, "set": {"data.status": "pondering", "data.mood": "good"}}),
    "expired": ("Dead links", "The next 20 files answer 403, as when their links have expired.", {"kind": "status", "status": 403, "path": "/media/*", "count": 20}),
}  # fmt: skip


def simulator_of(request: Request) -> Simulator:
    found: Simulator = request.scope["simulator"]
    return found


async def home(request: Request) -> Response:
    simulator = simulator_of(request)
    simulator.world.catch_up()
    drills = {name: (title, what) for name, (title, what, _) in DRILLS.items()}
    return HTMLResponse(views.home(simulator, drills), headers=HEADERS)


async def session(request: Request) -> Response:
    simulator = simulator_of(request)
    simulator.world.catch_up()
    record = simulator.world.sessions.get(request.path_params["session_id"])
    if record is None:
        return PlainTextResponse("There is no such session.\n", 404)
    simulator.world.refresh(record)
    return HTMLResponse(views.session(simulator, record), headers=HEADERS)


async def static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in ("console.css", "console.js", "icon.svg"):
        return PlainTextResponse("There is no such file.\n", 404)
    return FileResponse(STATIC / name, headers={"Cache-Control": "no-cache"})


def change_clock(simulator: Simulator, form: dict[str, str]) -> None:
    if "advance" in form:
        simulator.change_clock({"advance": float(form["advance"])})
    elif "speed" in form:
        simulator.change_clock({"speed": float(form["speed"])})
    elif "frozen" in form:
        simulator.change_clock({"frozen": form["frozen"] == "yes"})


def add_fault(simulator: Simulator, form: dict[str, str]) -> None:
    if "drill" in form:
        simulator.faults.add(dict(DRILLS[form["drill"]][2]))
        return
    document: dict[str, object] = {
        "kind": form["kind"],
        "path": form.get("path") or "*",
        "method": form.get("method") or "*",
        "count": int(form["count"]) if form.get("count") else None,
        "after": form.get("after") == "yes",
    }
    if form.get("status"):
        document["status"] = int(form["status"])
    if form.get("retry_after"):
        document["retry_after"] = form["retry_after"]
    simulator.faults.add(document)


def clear_faults(simulator: Simulator, form: dict[str, str]) -> None:
    if "number" in form:
        simulator.faults.remove(int(form["number"]))
    else:
        simulator.faults.clear()


def change_account(simulator: Simulator, form: dict[str, str]) -> None:
    account = simulator.world.accounts[form["key"]]
    values: dict[str, object] = {}
    if "key_works" in form:
        values["key_works"] = form["key_works"] == "yes"
    if "balance" in form:
        values["balance"] = float(form["balance"]) if form["balance"] else None
    if "billing_type" in form:
        values["billing_type"] = form["billing_type"] or None
    for name in ("max_sessions", "max_streams"):
        if name in form:
            values[name] = int(form[name])
    if "requests_per_second" in form:
        values["requests_per_second"] = float(form["requests_per_second"])
    simulator.world.change_account(account, values)


def change_settings(simulator: Simulator, form: dict[str, str]) -> None:
    """All of the form's settings: a check box that is off sends nothing."""
    settings = simulator.world.settings
    values: dict[str, object] = {}
    for name in views.RULES:
        before = getattr(settings, name)
        if isinstance(before, bool):
            values[name] = form.get(name) == "yes"
        elif name in form:
            values[name] = form[name] if isinstance(before, str) else type(before)(form[name])
    simulator.world.change_settings(values)


def speak(simulator: Simulator, form: dict[str, str]) -> None:
    record = simulator.world.sessions[form["session_id"]]
    if form.get("text"):
        simulator.world.inject(record, [{"say": form["text"]}])
    elif form.get("fail"):
        simulator.world.inject(record, [{"fail": "Stopped by the person who runs this drill."}])


def end_stream(simulator: Simulator, form: dict[str, str]) -> None:
    simulator.streams.cancel(simulator.streams.all[form["stream_id"]])


def reset(simulator: Simulator, form: dict[str, str]) -> None:
    simulator.reset()


CHANGES: dict[str, Callable[[Simulator, dict[str, str]], None]] = {
    "clock": change_clock,
    "fault": add_fault,
    "clear": clear_faults,
    "account": change_account,
    "settings": change_settings,
    "speak": speak,
    "end": end_stream,
    "reset": reset,
}


async def change(request: Request) -> Response:
    action = CHANGES.get(request.path_params["action"])
    if action is None:
        return PlainTextResponse("There is no such switch.\n", 404)
    form = {name: str(value) for name, value in (await request.form()).items()}
    back = form.pop("back", "/")
    try:
        action(simulator_of(request), form)
    except (FaultError, KeyError, ValueError) as error:
        return HTMLResponse(views.trouble(str(error)), 400, headers=HEADERS)
    # Only our own pages; `//host` would lead elsewhere.
    return RedirectResponse(back if back.startswith("/sessions/") else "/", 303)


ROUTES = [
    Route("/", home, methods=["GET"]),
    Route("/sessions/{session_id}", session, methods=["GET"]),
    Route("/_page/static/{name}", static, methods=["GET"]),
    Route("/_page/{action}", change, methods=["POST"]),
]
