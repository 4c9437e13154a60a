"""A TCP proxy in front of one server, which does to connections what networks do.

with proxied(simulator.url) as proxy:
    proxy.refuse()      # nobody listens, and what was open is reset
    proxy.hang()        # accepted, and then not a byte
    proxy.delay(0.5)    # every piece comes later
    proxy.slice(7)      # in pieces of so many bytes
    proxy.cut(300)      # each connection is reset after so many bytes of the answer
    proxy.restore()
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Coroutine, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from weakref import WeakSet

from config.embedded import free_port


class Proxy:
    """Forwards 127.0.0.1:`port` to `target` (host, port). The faults concern connections that are open, too."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.port = free_port()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._server: asyncio.Server | None = None
        # Also those that are closed but still have something to send.
        self._writers: WeakSet[asyncio.StreamWriter] = WeakSet()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._seconds = 0.0
        self._piece = 0
        self._most: int | None = None
        # (Unix seconds, method) of each request as its sender sent it.
        self.requests: list[tuple[float, str]] = []

    def start(self) -> None:
        self._thread.start()
        self.restore()

    def stop(self) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def refuse(self) -> None:
        self._do(self._close())

    def hang(self) -> None:
        self._do(self._set(flows=False))

    def delay(self, seconds: float) -> None:
        self._do(self._set(seconds=seconds))

    def slice(self, size: int) -> None:
        self._do(self._set(piece=size))

    def cut(self, most: int) -> None:
        self._do(self._set(most=most))

    def restore(self) -> None:
        self._do(self._set())

    def clear(self) -> None:
        """As it was in the beginning."""
        self.refuse()
        self.restore()
        self.requests.clear()

    def reset(self) -> None:
        """Resets what is open; new connections are welcome."""
        self._do(self._reset_all())

    # --- in the loop

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _set(
        self, *, flows: bool = True, seconds: float = 0.0, piece: int = 0, most: int | None = None
    ) -> None:
        self._seconds, self._piece, self._most = seconds, piece, most
        if flows:
            self._flows.set()
        else:
            self._flows.clear()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._reset_all()
        # What was accepted a moment ago is on its way to be served, some turns of the loop from now, and would be left open.
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0)
            await self._reset_all()

    async def _reset_all(self) -> None:
        for writer in list(self._writers):
            _reset(writer)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        ends = {writer}
        directions: list[asyncio.Task[None]] = []
        self._writers.add(writer)
        try:
            their_reader, their_writer = await asyncio.open_connection(*self.target)
            ends.add(their_writer)
            self._writers.add(their_writer)
            directions = [
                asyncio.create_task(self._pump(reader, their_writer, counts=False)),
                asyncio.create_task(self._pump(their_reader, writer, counts=True)),
            ]
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        except (OSError, asyncio.CancelledError):
            pass  # the other side is gone, or a fault: both ends are closed either way
        finally:
            # First what must be done: a second cancellation can end the wait below.
            for end in ends:
                end.close()
            self._tasks.discard(task)
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counts: bool
    ) -> None:
        passed = 0
        while data := await reader.read(self._piece or 65_536):
            if not counts and (method := _method(data)):
                self.requests.append((time.time(), method))
            await self._flows.wait()
            if self._seconds:
                await asyncio.sleep(self._seconds)
            if counts and self._most is not None and passed + len(data) > self._most:
                writer.write(data[: max(0, self._most - passed)])
                await writer.drain()
                _reset(writer)
                return
            passed += len(data)
            writer.write(data)
            await writer.drain()


def _method(data: bytes) -> str:
    """The method where `data` begins a request of HTTP, else ""."""
    word, _, rest = data[:16].partition(b" ")
    return word.decode() if word in (b"GET", b"POST", b"PATCH", b"PUT", b"DELETE") and rest else ""


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection with RST instead of FIN."""
    connection: socket.socket | None = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextlib.contextmanager
def proxied(url: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy in front of a server, and the server's URL through it."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    proxy = Proxy((parts.hostname, parts.port))
    proxy.start()
    try:
        user = f"{parts.username}@" if parts.username else ""
        yield proxy, urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{proxy.port}"))
    finally:
        proxy.stop()
