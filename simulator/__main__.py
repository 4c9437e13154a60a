"""`python -m simulator`: start the simulator and print one line when it is ready."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import threading
from pathlib import Path
from types import FrameType

import uvicorn

from .app import create_app
from .config import DEFAULT_KEY, DIALECTS, Config
from .protocol import Protocol


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900, help="0 takes a free one")
    parser.add_argument("--data-dir", type=Path, default=Path("var/simulator"))
    parser.add_argument("--speed", type=float, default=1.0, help="story seconds per second")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--public-url", default="", help="what browsers reach; default http://HOST:PORT")
    parser.add_argument("--dialects", choices=DIALECTS, default="both")
    parser.add_argument(
        "--key", action="append", default=[], help="an API key; repeatable, each its own account"
    )
    parser.add_argument("--scenarios", type=Path, default=None, help="a scenario file (JSON)")
    parser.add_argument("--allow-http-webhooks", action="store_true", help="webhook endpoints without https")
    parser.add_argument("--control-open", action="store_true", help="the control API also for other machines")
    parser.add_argument("--die-with-stdin", action="store_true", help="end when standard input closes")
    return parser.parse_args(argv)


def keys_of(options: argparse.Namespace) -> tuple[str, ...]:
    named = [part.strip() for part in os.environ.get("SIMULATOR_KEYS", "").split(",") if part.strip()]
    return tuple(dict.fromkeys([*options.key, *named])) or (DEFAULT_KEY,)


class Server(uvicorn.Server):
    """Ends promptly: open event streams are told to finish before uvicorn waits for them."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.config.app.closing.set()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[object] | None = None) -> None:
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            sys.stdout.write(f"Simulated HeyGen is ready at {self.config.app.config.public_url}\n")
            sys.stdout.flush()


def main(argv: list[str] | None = None) -> int:
    options = arguments(sys.argv[1:] if argv is None else argv)
    if options.speed <= 0:
        sys.stderr.write("--speed must be greater than 0\n")
        return 2
    settings = uvicorn.Config(
        app="",
        host=options.host,
        port=options.port,
        http=Protocol,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
    )
    try:
        listening = settings.bind_socket()
    except SystemExit:
        sys.stderr.write(f"port {options.port} on {options.host} is taken\n")
        return 1
    port = listening.getsockname()[1]
    public = options.public_url.rstrip("/") or f"http://{options.host}:{port}"
    settings.app = create_app(
        Config(
            data_dir=options.data_dir,
            public_url=public,
            speed=options.speed,
            seed=options.seed,
            dialects=options.dialects,
            keys=keys_of(options),
            allow_http_webhooks=options.allow_http_webhooks,
            control_open=options.control_open,
            scenarios=options.scenarios,
        )
    )
    server = Server(settings)
    if options.die_with_stdin:
        threading.Thread(target=end_with_stdin, args=(server,), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    return 0


def end_with_stdin(server: Server) -> None:
    """Wait until the other end of standard input is gone, then stop."""
    with contextlib.suppress(OSError, ValueError):
        while sys.stdin.buffer.read(4096):
            pass
    server.should_exit = True


if __name__ == "__main__":
    sys.exit(main())
