"""The ASGI application: one simulator, its world and everything around it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from . import control
from .assets import Assets
from .calls import Calls
from .catalogue import Look
from .config import Config
from .faults import Faults
from .gateway import Gateway
from .limiter import Limiter
from .media import live, sound
from .media.portraits import Person
from .media.workshop import Workshop
from .page import console
from .realtime import Streams
from .routes import assets, catalogue, legacy, media, realtime, sessions, videos, webhooks
from .webhooks import Webhooks
from .world import World

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

logger = logging.getLogger("simulator")


class Simulator:
    """An ASGI app. `/v3` is the API, `/media` its files, `/_control` and `/` are for people and tests."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.world = World(config)
        self.calls = Calls()
        self.limiter = Limiter()
        self.closing = asyncio.Event()
        self._preparing: set[asyncio.Task[Path]] = set()
        self.faults = Faults(self.closing)
        self.workshop = Workshop(config.data_dir / "media")
        self._attach()
        # Literal paths come before {session_id}, or `styles` and `sessions` would be taken for ids.
        routes: list[Route] = [sessions.STYLES]
        if config.dialects in ("both", "sessions"):
            routes += legacy.ROUTES
        if config.dialects in ("both", "current"):
            routes += sessions.ROUTES
        routes += realtime.ROUTES + videos.ROUTES + catalogue.ROUTES + assets.ROUTES + webhooks.ROUTES
        self.gateway = Gateway(self, routes)
        self.files = Starlette(routes=media.ROUTES)
        self.people = Starlette(routes=[*console.ROUTES, *control.ROUTES])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            scope["simulator"] = self
            if scope["path"].startswith("/v3/"):
                await self.gateway(scope, receive, send)
            elif scope["path"] == "/healthz":
                await PlainTextResponse("ok\n")(scope, receive, send)
            elif scope["path"].startswith(("/media/", "/live/")):
                await self._files(scope, receive, send)
            elif control.allowed(Request(scope)):
                await self.people(scope, receive, send)
            else:
                await PlainTextResponse("Only for this machine.\n", 403)(scope, receive, send)

    async def _files(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Media: no key and no counting, but faults strike here too when they name a path of it."""
        fault = self.faults.strike(scope["method"], scope["path"], scope["path"], "", files=True)
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
        self.world.catch_up()
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
        self.world.catch_up()

    def reset(self) -> None:
        """A fresh world on the same data directory; made pictures and films are kept."""
        self.world.store.clear()
        self.world.store.close()
        # Ids begin anew with the same seed: files of former assets would be taken for theirs.
        self.assets.clear()
        self.world = World(self.config)
        self.calls.clear()
        self.faults.clear()
        self._attach()

    async def live_parts(self, look: Look) -> Path:
        """The folder with the live segments of a presenter, made when first needed."""
        person = Person(look.group_id, look.id, look.gender)
        pitch = sound.pitch_of(look.gender, look.group_id)
        return await self.workshop.parts(
            f"live/{look.id}", lambda path: live.write_parts(path, person, pitch)
        )

    def prepare(self, making: Coroutine[Any, Any, Path]) -> None:
        """Make something in the background that will be asked for soon."""
        task = asyncio.create_task(making)
        self._preparing.add(task)
        task.add_done_callback(self._prepared)

    def _prepared(self, task: asyncio.Task[Path]) -> None:
        self._preparing.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("could not be made: %s", task.exception())

    def _attach(self) -> None:
        """What stands around a world."""
        self.assets = Assets(self.world)
        self.streams = Streams(self.world)
        self.webhooks = Webhooks(self.world)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self._running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        delivering = asyncio.create_task(self._deliver())
        try:
            yield
        finally:
            self.closing.set()
            await delivering
            self.workshop.close()
            self.world.store.close()

    async def _deliver(self) -> None:
        """The delivery task; a reset gives it a new world, so it asks for the current one each time."""
        while not self.closing.is_set():
            self.webhooks.step()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.closing.wait(), 0.1)


def create_app(config: Config) -> Simulator:
    """The simulator as an ASGI app; `config.data_dir` is made if needed."""
    return Simulator(config)
