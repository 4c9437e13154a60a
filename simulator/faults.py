"""Faults on demand: what goes wrong with which call, and how often. The kinds are described in README.md."""

from __future__ import annotations

import asyncio
import dataclasses
import fnmatch
import itertools
import json
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse

from .errors import ApiError

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

Work = Callable[["Scope", "Receive", "Send"], Awaitable[None]]

KINDS = (
    "status",
    "html",
    "empty",
    "text",
    "drop",
    "cut",
    "hang",
    "slow",
    "drip",
    "truncated",
    "wrong-type",
    "edit",
    "huge",
    "gzip-bomb",
    "redirect",
)
CODES = {
    400: "invalid_parameter",
    401: "unauthorized",
    402: "insufficient_credit",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    410: "gone",
    413: "payload_too_large",
    429: "rate_limit_exceeded",
    500: "internal_error",
    502: "voice_provider_error",
    503: "service_unavailable",
    504: "gateway_timeout",
}
GATEWAY_PAGE = (
    "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center>"
    "<hr><center>edge</center></body></html>"
)


class FaultError(ValueError):
    """A fault that cannot be understood."""


@dataclass(slots=True)
class Fault:
    """Strikes the calls whose method, path (glob on the path or its template) and key fit.

    `skip` calls pass first, then `count` are struck (None: all, until cleared). `after` does the work first and
    spoils only the answer. `seconds` for slow; `rate` bytes per second for drip; `size` bytes for huge and gzip-bomb.
    `retry_after` is sent as it is; "date+20" becomes the HTTP date 20 seconds ahead.
    """

    kind: str
    path: str = "*"
    method: str = "*"
    key: str = ""
    count: int | None = 1
    skip: int = 0
    after: bool = False
    status: int = 500
    code: str = ""
    message: str = ""
    param: str | None = None
    retry_after: int | str | None = None
    seconds: float = 5.0
    rate: float = 1.0
    size: int = 1_000_000_000
    url: str = ""
    set: dict[str, Any] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)
    number: int = 0
    struck: int = 0

    def fits(self, method: str, path: str, template: str, key: str) -> bool:
        return (
            self.method in ("*", method)
            and (not self.key or self.key == key)
            and (fnmatch.fnmatchcase(path, self.path) or self.path == template)
        )


class Faults:
    """The faults that are switched on, oldest first; the first that fits strikes."""

    def __init__(self, closing: asyncio.Event) -> None:
        self.active: list[Fault] = []
        self._numbers = itertools.count(1)
        self._closing = closing

    def add(self, document: Any) -> Fault:
        if not isinstance(document, dict) or document.get("kind") not in KINDS:
            raise FaultError(f"kind must be one of: {', '.join(KINDS)}")
        known = {item.name: item for item in dataclasses.fields(Fault)}
        unknown = set(document) - set(known) | set(document) & {"number", "struck"}
        if unknown:
            raise FaultError(f"unknown: {', '.join(sorted(unknown))}")
        fault = Fault(**document)
        if not 100 < fault.status < 600 or (fault.count is not None and fault.count < 1):
            raise FaultError("status must be 101 to 599 and count at least 1, or null")
        fault.number = next(self._numbers)
        self.active.append(fault)
        return fault

    def remove(self, number: int) -> None:
        self.active = [fault for fault in self.active if fault.number != number]

    def clear(self) -> None:
        self.active = []

    def strike(self, method: str, path: str, template: str, key: str, *, files: bool = False) -> Fault | None:
        """The fault that this call meets. Files are only struck by faults that name them; `*` means the API."""
        for fault in self.active:
            if fault.path.startswith(("/media", "/live")) == files and fault.fits(
                method, path, template, key
            ):
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.struck += 1
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count <= 0:
                        self.active.remove(fault)
                return fault
        return None

    async def perform(self, fault: Fault, work: Work, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a struck call."""
        if fault.kind == "slow" and not fault.after:
            await self._wait(fault.seconds)
            await work(scope, receive, send)
        elif fault.kind in (
            "status",
            "html",
            "empty",
            "text",
            "redirect",
            "huge",
            "gzip-bomb",
            "drop",
            "hang",
        ):
            if fault.after:
                await self._done(work, scope, receive)
            if fault.kind == "drop":
                await cut_off(scope, receive)
            elif fault.kind == "hang":
                await self._wait(fault.seconds if fault.seconds != 5.0 else 86_400)
                await cut_off(scope, receive)
            else:
                await instead_of_answer(fault)(scope, receive, send)
        else:
            start, body = await self._done(work, scope, receive)
            await self._spoil(fault, start, body, scope, receive, send)

    async def _spoil(
        self, fault: Fault, start: Message, body: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if fault.kind == "slow":
            await self._wait(fault.seconds)
        elif fault.kind == "edit":
            body = edited(body, fault)
            start = {**start, "status": fault.status if fault.status != 500 else start["status"]}
        elif fault.kind == "truncated":
            body = body[: max(1, len(body) // 2)]
        elif fault.kind == "wrong-type":
            start = with_header(start, b"content-type", b"text/html; charset=utf-8")
        if fault.kind in ("drip", "cut"):
            start = with_header(start, b"content-length", str(len(body)).encode())
            await send(start)
            if fault.kind == "cut":
                await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
                await asyncio.sleep(0.05)
                await cut_off(scope, receive)
                return
            for place in range(len(body)):
                await send({"type": "http.response.body", "body": body[place : place + 1], "more_body": True})
                if await self._wait(1.0 / fault.rate):
                    return await cut_off(scope, receive)
            await send({"type": "http.response.body", "body": b""})
            return
        await send(with_header(start, b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.body", "body": body})

    async def _done(self, work: Work, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        """Do the work and keep its answer."""
        start: Message = {"type": "http.response.start", "status": 200, "headers": []}
        body = bytearray()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        await work(scope, receive, keep)
        return start, bytes(body)

    async def _wait(self, seconds: float) -> bool:
        """Wait in real time; True when the simulator is closing meanwhile."""
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return False
        return True


def instead_of_answer(fault: Fault) -> Response:
    """What is sent in place of the real answer."""
    headers = retry_header(fault)
    if fault.kind == "html":
        status = fault.status if fault.status != 500 else 502
        return HTMLResponse(GATEWAY_PAGE, status, headers)
    if fault.kind == "empty":
        return Response(b"", fault.status, headers)
    if fault.kind == "text":
        return PlainTextResponse(fault.message or "error code: 1010", fault.status, headers)
    if fault.kind == "redirect":
        return RedirectResponse(
            fault.url or "http://127.0.0.2:9/", fault.status if 300 <= fault.status < 400 else 307
        )
    if fault.kind == "huge":
        return StreamingResponse(spaces(fault.size), media_type="application/json")
    if fault.kind == "gzip-bomb":
        return StreamingResponse(
            bomb(fault.size), media_type="application/json", headers={"Content-Encoding": "gzip"}
        )
    code = fault.code or CODES.get(fault.status, "internal_error")
    error = ApiError(
        fault.status,
        code,
        fault.message or f"A drill: {code}.",
        param=fault.param,
        with_param=fault.status != 401,
    )
    return Response(json.dumps(error.body()), fault.status, headers, media_type="application/json")


def retry_header(fault: Fault) -> dict[str, str]:
    value = fault.retry_after
    if value is None:
        return {}
    if isinstance(value, str) and value.startswith("date+"):
        value = formatdate(time.time() + float(value[len("date+") :]), usegmt=True)
    return {"Retry-After": str(value)}


async def spaces(size: int) -> AsyncIterator[bytes]:
    """A JSON document of `size` bytes that is nearly all white space."""
    chunk = b" " * 65_536
    yield b'{"data":'
    for _ in range(size // len(chunk)):
        yield chunk
    yield b"{}}"


def gzipped(size: int) -> Iterator[bytes]:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    chunk = b" " * 1_048_576
    yield squeeze.compress(b'{"data":')
    for _ in range(max(1, size // len(chunk))):
        yield squeeze.compress(chunk)
    yield squeeze.compress(b"{}}") + squeeze.flush()


async def bomb(size: int) -> AsyncIterator[bytes]:
    """`size` bytes of white space, squeezed about a thousandfold."""
    for piece in gzipped(size):
        if piece:
            yield piece
        await asyncio.sleep(0)


def edited(body: bytes, fault: Fault) -> bytes:
    """The JSON answer with values set or removed at dotted paths such as `data.messages.0.type`."""
    try:
        document = json.loads(body)
    except ValueError:
        return body
    for path, value in fault.set.items():
        place(document, path.split("."), value, remove=False)
    for path in fault.remove:
        place(document, path.split("."), None, remove=True)
    return json.dumps(document).encode()


def place(document: Any, path: list[str], value: Any, *, remove: bool) -> None:
    target = document
    for part in path[:-1]:
        if isinstance(target, list) and part.isdigit() and int(part) < len(target):
            target = target[int(part)]
        elif isinstance(target, dict):
            target = target.setdefault(part, {})
        else:
            return
    last = path[-1]
    if isinstance(target, dict):
        if remove:
            target.pop(last, None)
        else:
            target[last] = value
    elif isinstance(target, list) and last.isdigit() and int(last) < len(target):
        if remove:
            del target[int(last)]
        else:
            target[int(last)] = value


def with_header(start: Message, name: bytes, value: bytes) -> Message:
    headers = [(key, old) for key, old in start["headers"] if key.lower() != name]
    return {**start, "headers": [*headers, (name, value)]}


async def cut_off(scope: Scope, receive: Receive) -> None:
    """Close the connection without another byte, and wait until the server has noticed."""
    transport = scope.get("simulator.transport")
    if transport is not None:
        transport.close()
        while (await receive())["type"] != "http.disconnect":
            pass
