"""The one door of the API: finds the operation, counts the call, checks the key, lets faults strike, answers errors."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from .accounts import Account
from .errors import ApiError, invalid

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from .app import Simulator
    from .world import World

LARGEST_BODY = 48 * 1024 * 1024


@dataclass(slots=True)
class Call:
    """What a handler gets: the request, whose account it is, and the world."""

    request: Request
    simulator: Simulator
    account: Account

    @property
    def world(self) -> World:
        return self.simulator.world

    @property
    def query(self) -> dict[str, str]:
        return dict(self.request.query_params)

    def id(self, name: str) -> str:
        return str(self.request.path_params[name])

    async def body(self) -> Any:
        """The decoded JSON body; anything that is not JSON answers 400."""
        raw = await read_body(self.request)
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            raise invalid("The body must be JSON (Content-Type: application/json).")
        try:
            return json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise invalid("The body is not JSON.") from error


Handler = Callable[[Call], Awaitable[Response]]


async def read_body(request: Request, most: int = LARGEST_BODY) -> bytes:
    """All of a request's body; 413 beyond `most` bytes."""
    chunks = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise ApiError(413, "payload_too_large", "The body is too large.")
        chunks.append(chunk)
    return b"".join(chunks)


def answer(data: Any, status: int = 200) -> Response:
    """`{"data": …}`."""
    return as_json({"data": data}, status)


def as_json(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(document, separators=(",", ":")).encode()
    return Response(body, status, media_type="application/json", headers=headers)


def operation(method: str, template: str, handler: Handler) -> Route:
    """One operation of the API. `template` is its path as in the OpenAPI file."""

    async def endpoint(request: Request) -> Response:
        call: Call = request.scope["simulator.call"]
        call.request = request
        return await handler(call)

    route = Route(template, endpoint, methods=[method])
    route.methods = {method}  # HEAD is not part of the contract.
    return route


class Gateway:
    """An ASGI app for everything below /v3."""

    def __init__(self, simulator: Simulator, routes: Iterable[Route]) -> None:
        self.simulator = simulator
        self.routes = list(routes)

    def find(self, scope: Scope) -> tuple[Route | None, dict[str, Any], set[str]]:
        """The route of a request, what it adds to the scope, and the methods that the path knows."""
        allowed: set[str] = set()
        for route in self.routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                return route, dict(child), allowed
            if match is Match.PARTIAL:
                allowed |= route.methods or set()
        return None, {}, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        simulator = self.simulator
        simulator.world.run_due()
        request = Request(scope, receive)
        key = key_of(request)
        route, child, allowed = self.find(scope)
        template = route.path if route else "(unknown)"
        received = simulator.calls.note(scope["method"], template, scope["path"], key)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                received.status = message["status"]
                received.retry_after = dict(message["headers"]).get(b"retry-after", b"").decode()
            await send(message)

        async def work(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                account = self.account(key)
                if route is None:
                    raise method_or_path(allowed)
                scope = {**scope, **child}
                scope["simulator.call"] = Call(request, simulator, account)
                await route.handle(scope, receive, send)
            except ApiError as error:
                await as_json(error.body(), error.status, error.headers)(scope, receive, send)
            except ClientDisconnect:
                return

        fault = simulator.faults.strike(scope["method"], scope["path"], template, key)
        try:
            if fault is None:
                await work(scope, receive, noting)
            else:
                received.fault = fault.kind
                await simulator.faults.perform(fault, work, scope, receive, noting)
        finally:
            received.ended = time.time()

    def account(self, key: str) -> Account:
        account = self.simulator.world.accounts.get(key)
        if account is None or not account.settings.key_works:
            if self.simulator.world.settings.unauthorized_style == "seed":
                raise ApiError(401, "authentication_failed", "The key is not valid.")
            raise ApiError(401, "unauthorized", "Unauthorized", with_param=False)
        self.simulator.limiter.take(account)
        return account


def key_of(request: Request) -> str:
    key = request.headers.get("x-api-key")
    if key is not None:
        return key
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def method_or_path(allowed: set[str]) -> ApiError:
    if allowed:
        return ApiError(
            405, "method_not_allowed", "Method not allowed.", headers={"Allow": ", ".join(sorted(allowed))}
        )
    return ApiError(404, "not_found", "There is nothing at this address.")
