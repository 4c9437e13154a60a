"""The ASGI application: one simulator, its world and everything around it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router

from .assets import Assets
from .calls import Calls
from .config import Config
from .faults import Faults
from .gateway import Gateway
from .limiter import Limiter
from .media.workshop import Workshop
from .world import World

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class Simulator:
    """An ASGI app. `/v3` is the API, `/media` its files, `/_control` and `/` are for people and tests."""

    def __init__(self, config: Config) -> None:
        from .routes import catalogue, legacy, media, sessions, videos

        self.config = config
        self.world = World(config)
        self.calls = Calls()
        self.limiter = Limiter()
        self.faults = Faults()
        self.assets = Assets(self.world)
        self.workshop = Workshop(config.data_dir / "media")
        self.closing = asyncio.Event()
        # Literal paths come before {session_id}, or `styles` and `sessions` would be taken for ids.
        routes: list[Route] = [sessions.STYLES]
        if config.dialects in ("both", "sessions"):
            routes += legacy.ROUTES
        if config.dialects in ("both", "current"):
            routes += sessions.ROUTES
        routes += videos.ROUTES + catalogue.ROUTES
        self.gateway = Gateway(self, routes)
        self.others = Router(media.ROUTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            scope["simulator"] = self
            if scope["path"].startswith("/v3/"):
                await self.gateway(scope, receive, send)
            elif scope["path"] == "/healthz":
                await PlainTextResponse("ok\n")(scope, receive, send)
            else:
                await self.others(scope, receive, send)

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
