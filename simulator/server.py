"""uvicorn, made to say one line when it is ready and to end at once."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from types import FrameType

import uvicorn

from .app import Simulator
from .protocol import Protocol


class Server(uvicorn.Server):
    """Serves one simulator on a listening socket."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        super().__init__(
            uvicorn.Config(
                simulator,
                http=Protocol,
                ws="none",
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
                timeout_keep_alive=75,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Open event streams finish by themselves; otherwise uvicorn would wait for them.
        self.simulator.closing.set()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.stdout.write(f"Simulated HeyGen is ready at {self.simulator.config.public_url}\n")
            sys.stdout.flush()

    def serve_on(self, listening: socket.socket) -> None:
        """Serve until a signal comes or the server is told to stop."""
        with contextlib.suppress(KeyboardInterrupt):
            self.run(sockets=[listening])

    def end_with_stdin(self) -> None:
        """Stop when the other end of standard input is gone."""
        threading.Thread(target=self._watch_stdin, daemon=True).start()

    def _watch_stdin(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while sys.stdin.buffer.read(4096):
                pass
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises OSError when the port is taken. Port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2048)
    except OSError:
        listening.close()
        raise
    return listening
