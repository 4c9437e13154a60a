"""Starts every process of Dailies on one machine, keeps them alive, and ends them together. What `./run` runs.

Each child has a session of its own, so that Ctrl-C in the terminal reaches only the supervisor, which then ends the
others in order. Each inherits the reading end of the lifeline (`config.lifeline`). A child that ends is started
again, after half a second and then twice as long each time, up to ten seconds.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import sys
import time
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import FrameType

from django.core.exceptions import ImproperlyConfigured

from config import embedded, env, prepare
from config.children import Child, Forked, Start, nursery

READY_SECONDS = 60.0
# Together below the two seconds after which a person presses Ctrl-C again.
STOP_SECONDS = 1.4
STOP_LAST_SECONDS = 0.3

LOG_BYTES = 10 * 1024 * 1024
LOG_CHECK_SECONDS = 60.0


class Supervisor:
    """The children, and the writing end of their lifeline."""

    def __init__(self, logs: Path) -> None:
        logs.mkdir(mode=0o700, exist_ok=True)
        self.logs = logs
        self.children: list[Child] = []
        # Nobody writes to it: the children wait for the end of file. `_held` lives as long as this process.
        self._lifeline, self._held = multiprocessing.Pipe(duplex=False)

    def start(self, name: str, start: Start) -> Child:
        child = Child(name, start, log=self.logs / f"{name}.log", lifeline_reader=self._lifeline, say=say)
        self.children.append(child)
        return child

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        for child in self.children:
            if not child.ready.wait(max(0, deadline - time.monotonic())):
                raise ImproperlyConfigured(
                    f"{child.name} is not ready after {READY_SECONDS:g} s; see {child.log}"
                )

    def wait(self) -> None:
        """For ever; a signal ends it. Meanwhile no log file grows without end."""
        while True:
            time.sleep(LOG_CHECK_SECONDS)
            for child in self.children:
                turn_over(child.log)

    def stop(self) -> None:
        """Ends all; first started, last ended, because that is what the others talk to."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        first, others = self.children[:1], self.children[1:]
        deadline = time.monotonic() + STOP_SECONDS
        for child in others:
            child.ask_to_end()
        for child in others:
            child.end(deadline - time.monotonic())
        for child in first:
            child.ask_to_end()
            child.end(STOP_LAST_SECONDS)


def turn_over(log: Path) -> None:
    """Keeps one old copy and empties the file in place: its writers append, so they go on at its start."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def start_all(data_dir: Path) -> None:
    """Runs Dailies until a signal comes."""
    bind = env.text("BIND", default="127.0.0.1")
    # One below the highest: the simulator takes the next.
    port = env.whole("PORT", default=8000, least=1, most=65534)
    public_url = env.origin("PUBLIC_URL", default=f"http://127.0.0.1:{port}")
    decided = {"PUBLIC_URL": public_url}
    companions: dict[str, Start] = {}
    with embedded.listen(bind, port) as listening:
        if not env.text("REDIS_URL", default=""):
            companions["valkey"], variables = embedded.valkey(data_dir)
            decided |= variables
        if not env.secret("HEYGEN_API_KEY", default=""):
            embedded.listen(bind, port + 1).close()
            companions["simulator"], variables = embedded.simulator(data_dir, bind, public_url, port + 1)
            decided |= variables
        os.environ.update(decided)

        from config import settings  # every other variable is checked here

        embedded.note_running(data_dir, decided)
        supervisor = Supervisor(data_dir / "logs")
        try:
            for name, start in companions.items():
                supervisor.start(name, start)
            forks = nursery()
            preparation = Preparation(forks)
            preparation.wait()
            supervisor.start("web", Forked(forks, "web", listening))
            for name in ("worker", "commands", "beat"):
                supervisor.start(name, Forked(forks, name))
            supervisor.wait_until_ready()
            sign_in = preparation.wait()
            say(f"\nDailies is ready: {public_url}")
            if settings.SIMULATED:
                say("HeyGen is simulated: nothing costs money. Set HEYGEN_API_KEY for the real one.")
            if sign_in:
                say(sign_in)
            say(f"Logs: {supervisor.logs}   Stop: Ctrl-C")
            supervisor.wait()
        finally:
            supervisor.stop()


class Preparation:
    """`config.prepare` in a fork, from the moment that this is made."""

    def __init__(self, forks: ForkServerContext) -> None:
        self._reader, writer = multiprocessing.Pipe(duplex=False)
        process = forks.Process(target=prepare.report, name="prepare", args=(writer,))
        try:
            process.start()
        except (EOFError, OSError) as exc:  # the fork server died of what it was to load
            raise _not_in_order() from exc
        writer.close()

    def wait(self) -> str:
        """The next word: the first means that others may start, the second is for the person who starts Dailies."""
        try:
            said: str = self._reader.recv()
        except EOFError as exc:
            raise _not_in_order() from exc
        return said


def _not_in_order() -> ImproperlyConfigured:
    return ImproperlyConfigured("its code or its database is not in order; see above")


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        data_dir = embedded.data_dir()
        embedded.make_secrets(data_dir / "secrets")
        with embedded.only_one(data_dir):
            start_all(data_dir)
    except ImproperlyConfigured as exc:
        sys.exit(f"Dailies cannot start: {exc}")


if __name__ == "__main__":
    main()
