"""The long-running processes of Dailies, the same everywhere: `python -m config.process worker`, or forked by `./run`.

web        pages and event streams
worker     polls and file copies
commands   what people asked for; apart, so that ten thousand due polls never delay the press of a button
beat       the clock: one tick a second
"""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config import lifeline

WORKER_THREADS = 8
COMMAND_THREADS = 16


def web(listening: socket.socket | None = None) -> None:
    from config.web import serve
    from polling import turns

    turns.people_first()
    serve(listening)


def worker() -> None:
    _celery_worker("polls,files,words", threads=WORKER_THREADS)


def commands() -> None:
    from polling import turns

    turns.people_first()
    _celery_worker("commands", threads=COMMAND_THREADS)


def beat() -> None:
    """Sends ticks by name. Of the apps it needs only its own sign of life, which `polling.tasks` gives from a thread."""
    import django
    from celery.beat import Service
    from django.conf import settings

    from config.beat import Scheduler
    from config.celery import app

    django.setup()
    importlib.import_module("polling.tasks")
    # A broker that hangs: five ticks late instead of thirty.
    app.conf.broker_transport_options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, "socket_timeout": 5}
    signal.signal(signal.SIGTERM, _leave)
    service = Service(app, scheduler_cls=Scheduler)
    lifeline.ready()
    service.start()


def _celery_worker(queues: str, *, threads: int) -> None:
    """Runs until SIGTERM. Not through Celery's command line, which loads a whole terminal toolkit."""
    from celery.signals import worker_ready

    from config.celery import app

    # `./run` and the migrate job have run the checks; each takes a second of a worker's start.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

    def tell(**_: Any) -> None:
        lifeline.ready()

    worker_ready.connect(tell)
    running = app.Worker(
        hostname=f"{queues.replace(',', '-')}@{socket.gethostname()}",
        queues=queues,
        concurrency=threads,
        loglevel="INFO",
        quiet=True,
        # Workers need not know of each other: rows and leases coordinate them.
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    running.start()
    sys.exit(running.exitcode)


def _leave(_number: int, _frame: Any) -> None:
    raise SystemExit(0)


PROCESSES: dict[str, Callable[[], None]] = {
    "web": web,
    "worker": worker,
    "commands": commands,
    "beat": beat,
}


def main(arguments: list[str]) -> None:
    if len(arguments) != 1 or arguments[0] not in PROCESSES:
        sys.exit(f"usage: python -m config.process {'|'.join(PROCESSES)}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from config import settings  # noqa: F401  # a wrong variable is one line, not a traceback
    except ImproperlyConfigured as exc:
        sys.exit(f"Dailies cannot start: {exc}")
    PROCESSES[arguments[0]]()


if __name__ == "__main__":
    main(sys.argv[1:])
