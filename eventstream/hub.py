"""Who listens to what in this process, and what each of them gets to see, and when.

A stream is one `Reader`. Between events it costs no task, no timer and no queue: its request waits for the browser
to go away, and the hub sends. What a slow reader misses is not kept for it. A reader knows the version that its page
shows, and gets whatever brings it from there to the present when it can take it: changes that come meanwhile become
one event. All methods run in the event loop; only `ask_again` may be called from any thread.

What changed is heard from Redis (`polling.changes`). A lost word costs little: with each sign of life the versions are
looked at, and after every interruption of Redis at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from eventstream import access, eager, encoding
from eventstream.access import Ticket
from eventstream.frames import Frames
from polling.changes import Subscriber

logger = logging.getLogger(__name__)

ALIVE_SECONDS = 20
# A reader that takes nothing for so long is asleep or gone; its page reconnects if it is not.
SEND_SECONDS = 10.0
# So many are sent to before others may do something: some five milliseconds.
AT_ONCE = 200
STREAMS_PER_USER = 24
STREAMS = 8000

Key = tuple[str, UUID]
P = ParamSpec("P")
R = TypeVar("R")


class Reader:
    """One open stream. `version` is what its page shows; None = nothing yet."""

    __slots__ = ("_end", "ended", "language", "moving", "send", "ticket", "variant", "version")

    def __init__(
        self,
        ticket: Ticket,
        *,
        language: str,
        variant: str,
        version: int | None,
        send: Callable[[bytes], Coroutine[Any, Any, None]],
        end: Callable[[], object],
    ) -> None:
        self.ticket = ticket
        self.language = language
        self.variant = variant
        self.version = version
        self.send = send
        self.moving = False
        self.ended = False
        self._end = end

    @property
    def key(self) -> Key:
        return self.ticket.topic.kind, self.ticket.object_id

    def close(self) -> None:
        """Ends the stream. Once: a second call would cut short the ending that the first began."""
        if not self.ended:
            self.ended = True
            self._end()


class Hub:
    """All readers of this process."""

    def __init__(self, *, alive_seconds: int = ALIVE_SECONDS) -> None:
        self._readers: dict[Key, set[Reader]] = defaultdict(set)
        self._per_user: Counter[int] = Counter()
        self._latest: dict[Key, int] = {}
        # Readers by the second of their sign of life, so that a thousand of them don't need it all at once.
        self._rounds: list[set[Reader]] = [set() for _ in range(alive_seconds)]
        self._next_round = 0
        self._standing: list[asyncio.Task[None]] = []
        self._tasks: set[asyncio.Task[object]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        # Few: they wait for the database most of the time, and each may hold a connection.
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="eventstream")
        self._frames = Frames(self.in_thread)
        self.closing = False

    def __len__(self) -> int:
        return sum(map(len, self._readers.values()))

    async def in_thread(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(function, *args, **kwargs)
        )

    # --- Coming and going ---------------------------------------------------------------------------------------

    def has_room(self, user_id: int) -> bool:
        return not self.closing and self._per_user[user_id] < STREAMS_PER_USER and len(self) < STREAMS

    def join(self, reader: Reader) -> None:
        """From now on the reader hears of its object. Call `catch_up` once its response has begun."""
        self._loop = asyncio.get_running_loop()
        if not self._standing:
            self._standing = [asyncio.create_task(self._tick()), asyncio.create_task(self._listen())]
        self._readers[reader.key].add(reader)
        self._per_user[reader.ticket.user_id] += 1
        self._rounds[self._next_round - 1].add(reader)

    def leave(self, reader: Reader) -> None:
        listening = self._readers[reader.key]
        listening.discard(reader)
        if not listening:
            del self._readers[reader.key]
            self._latest.pop(reader.key, None)
        self._per_user[reader.ticket.user_id] -= 1
        if not self._per_user[reader.ticket.user_id]:
            del self._per_user[reader.ticket.user_id]
        for members in self._rounds:
            members.discard(reader)

    def close(self) -> None:
        """Ends all streams; the server is going down. Their pages reconnect to the next one."""
        self.closing = True
        for reader in self._all():
            reader.close()
        for task in self._standing:
            task.cancel()

    # --- What changed -------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        async for announcement in Subscriber(on_connect=self._look_again).listen():
            self.changed(announcement.kind, announcement.object_id, announcement.version)

    def _look_again(self) -> None:
        self._spawn(self._look_at_versions())

    async def _look_at_versions(self) -> None:
        objects = {reader.key: (reader.ticket.topic, reader.ticket.object_id) for reader in self._all()}
        versions = await self.in_thread(access.versions, list(objects.values()))
        for (kind, object_id), version in versions.items():
            self.changed(kind, object_id, version)

    def changed(self, kind: str, object_id: UUID, version: int) -> None:
        """Brings everyone who looks at the object to this version. Late and double news do nothing."""
        key = (kind, object_id)
        readers = self._readers.get(key)
        if not readers or version <= self._latest.get(key, -1):
            return
        self._latest[key] = version
        self._bring(readers)

    def catch_up(self, reader: Reader) -> None:
        """Sends the reader what it lacks, unless it is under way already."""
        self._bring([reader])

    def _bring(self, readers: Iterable[Reader]) -> None:
        """Those of them that are behind and not under way; all that need the same event are one piece of work."""
        alike: dict[tuple[Key, int | None, str, str], list[Reader]] = defaultdict(list)
        for reader in readers:
            if not reader.moving and self._is_behind(reader) and self._is_here(reader):
                reader.moving = True
                alike[reader.key, reader.version, reader.language, reader.variant].append(reader)
        for group in alike.values():
            self._spawn(self._move(group))

    def note(self, key: Key, version: int) -> None:
        """Remembers the version that a query found."""
        self._latest[key] = max(version, self._latest.get(key, -1))

    def _is_behind(self, reader: Reader) -> bool:
        return reader.version is None or self._latest.get(reader.key, -1) > reader.version

    def _is_here(self, reader: Reader) -> bool:
        return reader in self._readers.get(reader.key, ())

    async def _move(self, readers: Sequence[Reader]) -> None:
        """Brings readers of one object, version, language and variant to the present."""
        first = readers[0]
        version = self._latest.get(first.key, 0)
        try:
            frame = await self._frames.get(
                first.ticket.topic,
                first.ticket.object_id,
                since=first.version,
                version=version,
                language=first.language,
                variant=first.variant,
            )
        except Exception:
            # The pages must not go on as if they were live: they reconnect, and say so if that fails as well.
            logger.exception("rendering %s %s for its stream failed", *first.key)
            for reader in readers:
                reader.moving = False
                reader.close()
            return
        for number, reader in enumerate(readers, 1):
            if not self._is_here(reader):
                reader.moving = False
            elif (rest := self._hand(reader, frame)) is None:
                reader.version, reader.moving = version, False
            else:
                self._spawn(self._see_off(reader, rest, version))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        # News that came meanwhile belong to the next event.
        self._bring(readers)

    def _hand(self, reader: Reader, chunk: bytes) -> asyncio.Task[None] | None:
        """Sends at once what the connection takes at once; a task where it has to wait."""
        try:
            return eager.begin(reader.send(chunk))
        except Exception:
            logger.exception("a stream of user %s broke", reader.ticket.user_id)
            reader.close()
            return None

    async def _see_off(self, reader: Reader, rest: asyncio.Task[None], version: int | None = None) -> None:
        """Waits for a slow reader, but not for ever."""
        try:
            await asyncio.wait_for(rest, SEND_SECONDS)
        except Exception as exc:
            logger.info("closing a stream of user %s that takes nothing: %r", reader.ticket.user_id, exc)
            reader.close()
            return
        if version is not None:
            reader.version, reader.moving = version, False
            self.catch_up(reader)

    # --- Signs of life, and rights asked again --------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1)
            members = self._rounds[self._next_round]
            self._next_round = (self._next_round + 1) % len(self._rounds)
            if members:
                self._spawn(self._sign_of_life(list(members)))

    async def _sign_of_life(self, readers: list[Reader]) -> None:
        readers = await self._still_allowed(readers)
        if not readers:
            return
        objects = {reader.key: (reader.ticket.topic, reader.ticket.object_id) for reader in readers}
        try:
            pulses = await self.in_thread(access.pulses, list(objects.values()))
        except Exception:
            logger.exception("asking for the versions of %s objects failed", len(objects))
            return  # no sign of life: the pages say that they are not live
        for reader in readers:
            pulse = pulses[reader.key]
            # A lost announcement is found here, at the latest.
            self.note(reader.key, pulse.version)
            rest = self._hand(reader, encoding.alive(pulse.version, pulse.age))
            if rest is not None:
                self._spawn(self._see_off(reader, rest))
        self._bring(readers)

    async def _still_allowed(self, readers: list[Reader]) -> list[Reader]:
        """Asks for each again, closes those who may no longer listen, and returns the others."""
        tickets: list[Ticket] = [reader.ticket for reader in readers]
        try:
            refused = await self.in_thread(access.refused, tickets)
        except Exception:
            # Closed when in doubt: a page that reconnects is asked again.
            logger.exception("asking again for the rights of %s streams failed", len(tickets))
            refused = set(tickets)
        for reader in readers:
            if reader.ticket in refused:
                reader.close()
        return [reader for reader in readers if reader.ticket not in refused]

    def ask_again(self, concerns: Callable[[Ticket], bool]) -> None:
        """Asks now, from any thread, for the rights of the streams that `concerns` picks."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ask_again, concerns)

    def _ask_again(self, concerns: Callable[[Ticket], bool]) -> None:
        readers = [reader for reader in self._all() if concerns(reader.ticket)]
        if readers:
            self._spawn(self._still_allowed(readers))

    # --- Small things -------------------------------------------------------------------------------------------

    def _all(self) -> list[Reader]:
        return [reader for readers in self._readers.values() for reader in readers]

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        # The loop itself holds tasks weakly.
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a piece of the hub's work failed", exc_info=error)


hub = Hub()
