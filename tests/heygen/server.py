"""A tiny HTTP server that answers exactly the bytes it was told to, one connection at a time or many.

Raw sockets: the interesting answers are those that a proper server library would not send.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

KEY = "sk_test_5f1c9e"

# Pieces of bytes that are sent one after another; the iterator may wait between them.
Reply = bytes | Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Received:
    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """Give `replies` before the calls; each request takes the next one, the last is repeated.

    A reply is the whole answer, head included: see `answer`. The connection is kept alive, unless the
    reply ends with `CLOSE`.
    """

    tls: ssl.SSLContext | None = None
    replies: list[Reply] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        # A blocked accept() does not notice that its socket was closed.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for connection in self._open:
            connection.close()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def reply(self, *replies: Reply) -> Self:
        self.replies = list(replies)
        return self

    def data(self, value: Any, status: int = 200) -> Self:
        """Answer every request with `{"data": value}`."""
        return self.reply(answer({"data": value}, status))

    def drip(self, head: bytes, piece: bytes, pause: float = 0.05) -> Reply:
        """`head`, then `piece` again and again until the test ends."""

        def pieces() -> Iterator[bytes]:
            yield head
            while not self._over.wait(pause):
                yield piece

        return pieces

    @property
    def last(self) -> Received:
        return self.received[-1]

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            reader = connection.makefile("rb")
            while (request := _request(reader)) is not None:
                self.received.append(request)
                reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                for piece in [reply] if isinstance(reply, bytes) else reply():
                    if piece == CLOSE:
                        connection.shutdown(socket.SHUT_RDWR)
                        return
                    connection.sendall(piece)


CLOSE = b"\x00close"


def _request(reader: Any) -> Received | None:
    line = reader.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers: dict[str, str] = {}
    while (header := reader.readline().decode("latin-1").strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", 0)))
    return Received(line[0], line[1], headers, body)


def answer(
    body: Any = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    length: int | None = None,
) -> bytes:
    """A whole answer; `body` is JSON unless it is bytes. `length` lies about the length of the body."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {
        "Content-Type": "application/json",
        "Content-Length": str(len(payload) if length is None else length),
    }
    lines.update(headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + payload


def error(
    status: int, code: str = "", message: str = "", headers: Mapping[str, str] | None = None, **more: Any
) -> bytes:
    return answer({"error": {"code": code, "message": message, **more}}, status, headers)
