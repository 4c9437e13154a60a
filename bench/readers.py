"""Hundreds of open event streams in one process: `python -m bench.readers PORT PATH COUNT`, and cookies on its input.

The first line that it reads is a JSON list of cookies, one for each person; the streams are shared among them. Says
`ready` when all are open. Each further line asks for what came since: {"versions": {id: [monotonic
times at which a stream had it]}, "open": streams that are still there}.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import defaultdict

import uvloop

AT_ONCE = 20


class Streams:
    def __init__(self, port: int, path: str) -> None:
        self._head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: "
        self._port = port
        self._opening = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self.seen: dict[str, list[float]] = defaultdict(list)
        self.open = 0

    async def add(self, cookie: str) -> None:
        """Opens one, and goes on reading it."""
        async with self._opening:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(f"{self._head}{cookie}\r\n\r\n".encode())
            status = await reader.readline()
            if b" 200 " not in status:
                raise ConnectionError(status.decode())
        self.open += 1
        task = asyncio.create_task(self._read(reader, writer))
        self._tasks.add(task)

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Holds on to the writer: a forgotten one closes the connection."""
        rest = b""
        # Blocks, not lines: splitting thousands of pages into lines would take the CPU that is being measured.
        while block := await reader.read(65536):
            now = time.monotonic()
            lines = rest + block
            end = 0
            while (found := lines.find(b"\nid: ", end)) >= 0 and (until := lines.find(b"\n", found + 1)) >= 0:
                self.seen[lines[found + 5 : until].strip().decode()].append(now)
                end = until
            # An id at the end of a block may be half there.
            rest = lines[max(end, len(lines) - 32) :]
        writer.close()
        self.open -= 1


async def main() -> None:
    port, path, count = sys.argv[1:]
    streams = Streams(int(port), path)
    lines = asyncio.StreamReader(limit=2**20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    cookies = json.loads(await lines.readline())
    await asyncio.gather(*(streams.add(cookies[number % len(cookies)]) for number in range(int(count))))
    print("ready", flush=True)
    while await lines.readline():
        print(json.dumps({"versions": streams.seen, "open": streams.open}), flush=True)
        streams.seen.clear()


if __name__ == "__main__":
    uvloop.run(main())
