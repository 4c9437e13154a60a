"""`python -m simulator`: start the simulator and print one line when it is ready."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .app import create_app
from .config import DEFAULT_KEY, DIALECTS, Config
from .scenarios import ScenarioError
from .server import Server, listen


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


def main(argv: list[str] | None = None) -> int:
    options = arguments(sys.argv[1:] if argv is None else argv)
    if options.speed <= 0:
        sys.stderr.write("--speed must be greater than 0\n")
        return 2
    try:
        listening = listen(options.host, options.port)
    except OSError as error:
        sys.stderr.write(f"cannot listen on {options.host} port {options.port}: {error.strerror}\n")
        return 1
    port = listening.getsockname()[1]
    config = Config(
        data_dir=options.data_dir,
        public_url=options.public_url.rstrip("/") or f"http://{options.host}:{port}",
        speed=options.speed,
        seed=options.seed,
        dialects=options.dialects,
        keys=keys_of(options),
        allow_http_webhooks=options.allow_http_webhooks,
        control_open=options.control_open,
        scenarios=options.scenarios,
    )
    try:
        server = Server(create_app(config))
    except (ScenarioError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if options.die_with_stdin:
        server.end_with_stdin()
    server.serve_on(listening)
    return 0


if __name__ == "__main__":
    sys.exit(main())
