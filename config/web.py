"""The web server: uvicorn, which ends the open event streams before it waits for open requests."""

from __future__ import annotations

import contextlib
import resource
import socket

import uvicorn
from django.conf import settings

from config import lifeline


class Server(uvicorn.Server):
    """Stops within a moment, also with streams open, which plain uvicorn would wait for without end."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        lifeline.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        from eventstream.hub import hub

        hub.close()
        await super().shutdown(sockets)


# Every open stream is a file descriptor; the usual limits are 256 (macOS) and 1024.
OPEN_FILES = 20_000


def serve(listening: socket.socket | None = None) -> None:
    """Serves until SIGINT or SIGTERM: on `listening`, or on BIND and PORT of the settings."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    config = uvicorn.Config(
        "config.asgi:application",
        host=settings.BIND,
        port=settings.PORT,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.TRUSTED_PROXIES),
        forwarded_allow_ips=list(settings.TRUSTED_PROXIES),
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
    )
    # uvicorn raises the signal again when it is done: Ctrl-C is no error here.
    with contextlib.suppress(KeyboardInterrupt):
        Server(config).run(sockets=[listening] if listening else None)
