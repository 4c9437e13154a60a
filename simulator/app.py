"""The ASGI application: one simulator, its world and everything around it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router

from . import control
from .assets import Assets
from .calls import Calls
from .config import Config
from .faults import Faults
from .gateway import Gateway
from .limiter import Limiter
from .media.workshop import Workshop
from .routes import catalogue, legacy, media, sessions, videos
from .world import World

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class Simulator:
    """An ASGI app. `/v3` is the API, `/media` its files, `/_control` and `/` are for people and tests."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.world = World(config)
        self.calls = Calls()
        self.limiter = Limiter()
        self.closing = asyncio.Event()
        self.faults = Faults(self.closing)
        self.assets = Assets(self.world)
        self.workshop = Workshop(config.data_dir / "media")
        # Literal paths come before {session_id}, or `styles` and `sessions` would be taken for ids.
        routes: list[Route] = [sessions.STYLES]
        if config.dialects in ("both", "sessions"):
            routes += legacy.ROUTES
        if config.dialects in ("both", "current"):
            routes += sessions.ROUTES
        routes += videos.ROUTES + catalogue.ROUTES
        self.gateway = Gateway(self, routes)
        self.files = Router(media.ROUTES)
        self.people = Router(control.ROUTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            scope["simulator"] = self
            if scope["path"].startswith("/v3/"):
                await self.gateway(scope, receive, send)
            elif scope["path"] == "/healthz":
                await PlainTextResponse("ok\n")(scope, receive, send)
            elif scope["path"].startswith("/media/"):
                await self._files(scope, receive, send)
            elif control.allowed(Request(scope)):
                await self.people(scope, receive, send)
            else:
                await PlainTextResponse("Only for this machine.\n", 403)(scope, receive, send)

    async def _files(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Media: no key and no counting, but faults strike here too when they name a path of it."""
        fault = (
            self.faults.strike(scope["method"], scope["path"], scope["path"], "")
            if self.faults.files
            else None
        )
        if fault is None:
            await self.files(scope, receive, send)
        else:
            await self.faults.perform(fault, self.files, scope, receive, send)

    def change_clock(self, values: dict[str, Any]) -> None:
        """`advance` seconds, `speed`, `frozen`; raises ValueError and then changes nothing."""
        unknown = set(values) - {"advance", "speed", "frozen"}
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        speed, advance = values.get("speed"), values.get("advance")
        for value in (speed, advance):
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int | float) or value < 0
            ):
                raise ValueError("speed and advance are numbers of at least 0")
        clock = self.world.clock
        self.world.run_due()
        if speed is not None:
            if not 0 < speed <= 1_000_000:
                raise ValueError("speed must be greater than 0")
            clock.set_speed(float(speed))
        if values.get("frozen") is True and not clock.frozen:
            clock.freeze()
        elif values.get("frozen") is False and clock.frozen:
            clock.thaw()
        if advance is not None:
            clock.advance(float(advance))
        self.world.save_clock()
        self.world.run_due()

    def reset(self) -> None:
        """A fresh world on the same data directory; made pictures and films are kept."""
        self.world.store.clear()
        self.world.store.close()
        self.world = World(self.config)
        self.calls.clear()
        self.faults.clear()
        self.assets = Assets(self.world)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self._running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            self.closing.set()
            self.workshop.close()
            self.world.store.close()


def create_app(config: Config) -> Simulator:
    """The simulator as an ASGI app; `config.data_dir` is made if needed."""
    return Simulator(config)
