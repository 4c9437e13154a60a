"""The other side of the mirror's measurements: answers a session's GET after a fixed latency, and little else.

A server that costs as little as Python allows, in a process of its own, so that what is measured is who asks. It keeps
the time of every request. `POST /control` changes it, `GET /control` tells what it saw:

    changed     the share of polls of a session that find two new messages
    change      ids of sessions that have two new messages from now on
    latency     seconds from a request to its answer
    reject      {key: seconds}: requests with that key get 429 and `Retry-After` for so long
    forget      empties the log

The log has one [monotonic time, method, key, path] for each request of the API.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import ssl
import sys
import time
from collections.abc import Callable
from typing import Any

import uvloop

WINDOW = 40
# Makes a body of 40 messages 11 KB long.
TEXT = "The next picture shows the ovens before sunrise; the light comes from the left, and nobody is in the way yet. "
SECONDS_BETWEEN = 30
BEGAN = 1_760_000_000


def body(session_id: str, changes: int) -> bytes:
    """A session's answer after so many changes of two messages each; newest first, as on the wire."""
    newest = WINDOW + 2 * changes
    messages = [
        {
            "role": "user" if number % 4 == 0 else "model",
            "type": "text",
            "content": f"Picture {number}: {TEXT}",
            "created_at": BEGAN + SECONDS_BETWEEN * number,
            "resource_ids": [],
        }
        for number in range(newest - 1, newest - WINDOW - 1, -1)
    ]
    data = {
        "session_id": session_id,
        "status": "thinking",
        "progress": changes % 100,
        "title": "A film about a bakery",
        "video_id": None,
        "created_at": BEGAN,
        "messages": messages,
    }
    return json.dumps({"data": data}, separators=(",", ":")).encode()


class Responder:
    """What it is told to do, and what it saw."""

    def __init__(self) -> None:
        self.changed = 0.0
        self.latency = 0.1
        self.log: list[tuple[float, str, str, str]] = []
        self._rejected_until: dict[str, float] = {}
        self._changes: dict[str, int] = {}
        self._bodies: dict[str, bytes] = {}

    def answer(self, method: str, path: str, key: str, content: bytes) -> tuple[int, bytes, str]:
        """Status, body, more headers."""
        if path == "/control":
            return 200, self._control(content) if method == "POST" else self._told(), ""
        now = time.monotonic()
        self.log.append((now, method, key, path))
        left = self._rejected_until.get(key, 0) - now
        if left > 0:
            return (
                429,
                b'{"error":{"code":"rate_limited","message":"slow down"}}',
                f"Retry-After: {math.ceil(left)}\r\n",
            )
        session_id = path.rpartition("/")[2]
        if method == "POST":
            return 200, json.dumps({"data": {"session_id": session_id, "run_id": "run_1"}}).encode(), ""
        if random.random() < self.changed:
            self._change(session_id)
        if session_id not in self._bodies:
            self._bodies[session_id] = body(session_id, self._changes.get(session_id, 0))
        return 200, self._bodies[session_id], ""

    def _change(self, session_id: str) -> None:
        self._changes[session_id] = self._changes.get(session_id, 0) + 1
        self._bodies.pop(session_id, None)

    def _control(self, content: bytes) -> bytes:
        wanted = json.loads(content)
        for session_id in wanted.get("change", []):
            self._change(session_id)
        self.changed = wanted.get("changed", self.changed)
        self.latency = wanted.get("latency", self.latency)
        now = time.monotonic()
        self._rejected_until.update({key: now + seconds for key, seconds in wanted.get("reject", {}).items()})
        if wanted.get("forget"):
            self.log.clear()
        return json.dumps({"now": now}).encode()

    def _told(self) -> bytes:
        return json.dumps({"cpu": time.process_time(), "log": self.log}).encode()


class Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._received = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._later: Callable[..., Any] = asyncio.get_running_loop().call_later

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.split(b"\r\n")
        length, key = 0, b""
        for line in lines:
            name = line[:15].lower()
            if name.startswith(b"content-length:"):
                length = int(line[15:])
            elif name.startswith(b"x-api-key:"):
                key = line[10:].strip()
        if len(rest) < length:
            return
        self._received = rest[length:]
        method, path, _ = first.decode().split(" ")
        status, content, more = self._responder.answer(method, path, key.decode(), rest[:length])
        head_out = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n{more}\r\n"
        answer = head_out.encode() + content
        if path == "/control" or not self._responder.latency:
            self._transport.write(answer)
        else:
            self._later(self._responder.latency, self._send, answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def serve(certificate: str) -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    responder = Responder()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(responder), "127.0.0.1", 0, ssl=context, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1] if len(sys.argv) > 1 else ""))
