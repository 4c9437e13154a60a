"""Starts every process of Dailies on one machine, keeps them alive, and ends them together. What `./run` runs.

Each child has a session of its own, so that Ctrl-C in the terminal reaches only the supervisor, which then ends the
others in order. Each inherits the reading end of the lifeline (`config.lifeline`). A child that ends is started
again, after half a second and then twice as long each time, up to ten seconds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from django.core.exceptions import ImproperlyConfigured

from config import embedded, env, lifeline, prepare
from config.embedded import Command
from config.process import LISTEN

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
# One that ran for so long before it ended starts again at once: it is no crash loop.
STEADY_SECONDS = 30.0

READY_SECONDS = 60.0
# Together below the two seconds after which a person presses Ctrl-C again.
STOP_SECONDS = 1.4
STOP_LAST_SECONDS = 0.3

LOG_BYTES = 10 * 1024 * 1024
LOG_CHECK_SECONDS = 60.0


class Child:
    """One process, restarted until told otherwise."""

    def __init__(
        self, command: Command, *, log: Path, inherited: Sequence[int], lifeline_descriptor: int
    ) -> None:
        self.command = command
        self.log = log
        self.inherited = tuple(inherited)
        self.lifeline_descriptor = lifeline_descriptor
        self.ready = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep_running, name=command.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ask_to_end(self) -> None:
        with self._lock:
            self._stopping.set()
            self._signal(signal.SIGTERM)

    def end(self, seconds: float) -> None:
        """Waits for it after `ask_to_end`; what is left of it after `seconds` is killed."""
        self._thread.join(max(seconds, 0))
        self._signal(signal.SIGKILL)

    def _keep_running(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            with self._lock:
                if self._stopping.is_set():
                    return
                process = self.process = self._spawn()
            started = time.monotonic()
            code = process.wait()
            # A killed wrapper may have left its program behind: it must not run beside its successor.
            self._signal(signal.SIGKILL)
            if time.monotonic() - started > STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            if self._stopping.is_set():
                return
            say(
                f"{self.command.name} ended ({_code(code)}); starting it again in {pause:g} s. See {self.log}"
            )
            if self._stopping.wait(pause):
                return
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _spawn(self) -> subprocess.Popen[bytes]:
        reading, writing = os.pipe()
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                self.command.command,
                cwd=embedded.ROOT,
                env={
                    **os.environ,
                    **self.command.environment,
                    lifeline.LIFELINE: str(self.lifeline_descriptor),
                    lifeline.READY: str(writing),
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(self.lifeline_descriptor, writing, *self.inherited),
            )
        os.close(writing)
        threading.Thread(target=self._await_ready, args=(reading,), daemon=True).start()
        return process

    def _await_ready(self, reading: int) -> None:
        # End of file without a word: it ended before it was ready.
        if os.read(reading, 16):
            self.ready.set()
        os.close(reading)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            # The group: a killed leader may have left members behind.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


class Supervisor:
    def __init__(self, data_dir: Path) -> None:
        self.logs = data_dir / "logs"
        self.logs.mkdir(mode=0o700, exist_ok=True)
        self.children: list[Child] = []
        self.stopping = threading.Event()
        # Nobody writes to it: the children wait for the end of file. `_pipe_end` lives as long as we do.
        self._lifeline, self._pipe_end = os.pipe()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def start(self, command: Command, *, inherited: Sequence[int] = ()) -> Child:
        child = Child(
            command,
            log=self.logs / f"{command.name}.log",
            inherited=inherited,
            lifeline_descriptor=self._lifeline,
        )
        self.children.append(child)
        child.start()
        return child

    def all_ready(self, children: Sequence[Child] | None = None) -> bool:
        """Waits for them; False when asked to stop meanwhile or when one takes too long."""
        deadline = time.monotonic() + READY_SECONDS
        for child in children if children is not None else self.children:
            while not child.ready.wait(0.02):
                if self.stopping.is_set():
                    return False
                if time.monotonic() > deadline:
                    say(f"{child.command.name} is not ready after {READY_SECONDS:g} s. See {child.log}")
                    return False
        return not self.stopping.is_set()

    def wait(self) -> None:
        """Until a signal. Meanwhile no log file grows without end."""
        while not self.stopping.wait(LOG_CHECK_SECONDS):
            for child in self.children:
                turn_over(child.log)

    def stop(self) -> None:
        """Ends all, the one that the others talk to last."""
        first, others = self.children[:1], self.children[1:]
        deadline = time.monotonic() + STOP_SECONDS
        for child in others:
            child.ask_to_end()
        for child in others:
            child.end(deadline - time.monotonic())
        for child in first:
            child.ask_to_end()
            child.end(STOP_LAST_SECONDS)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping.set()


def turn_over(log: Path) -> None:
    """Keeps one old copy and empties the file in place: its writers append, so they go on at its start."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _code(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _process(name: str) -> Command:
    return Command(name, (sys.executable, "-m", "config.process", name))


def _prepare() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "config.prepare"],
        cwd=embedded.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _finish(preparing: subprocess.Popen[str]) -> str:
    """What it printed. Ends the start when it failed."""
    printed, _ = preparing.communicate()
    if preparing.returncode != 0:
        lines = printed.strip().splitlines() or [f"it ended with {_code(preparing.returncode)}"]
        say(printed)
        raise ImproperlyConfigured(f"preparing the database failed: {lines[-1]}")
    return printed.strip()


def start_all(data_dir: Path) -> None:
    """Runs Dailies until it is told to stop."""
    bind = env.text("BIND", default="127.0.0.1")
    port = env.whole("PORT", default=8000, least=1, most=65534)
    listening = embedded.listen(bind, port)
    public_url = env.origin("PUBLIC_URL", default=f"http://127.0.0.1:{port}")

    decided = {"PUBLIC_URL": public_url}
    companions = []
    if not env.text("REDIS_URL", default=""):
        command, variables = embedded.valkey(data_dir)
        companions.append(command)
        decided |= variables
    if not env.secret("HEYGEN_API_KEY", default=""):
        # The next port, so that one needs to be opened no more than the other.
        embedded.listen(bind, port + 1).close()
        command, variables = embedded.simulator(data_dir, bind=bind, public_url=public_url, port=port + 1)
        companions.append(command)
        decided |= variables
    os.environ.update(decided)

    from config import settings  # every other variable is checked here

    embedded.note_running(data_dir, decided)
    supervisor = Supervisor(data_dir)
    try:
        started = [supervisor.start(command) for command in companions]
        current = prepare.is_current(
            settings.BASE_DIR, data_dir, settings.STATIC_ROOT, settings.DATABASES["default"]
        )
        sign_in = ""
        if not current:
            say("Preparing the database…")
            sign_in = _finish(_prepare())
        # Without it Celery would find nobody and try again two seconds later.
        if not supervisor.all_ready(started[:1]):
            return
        web = Command("web", _process("web").command, {LISTEN: str(listening.fileno())})
        supervisor.start(web, inherited=(listening.fileno(),))
        for name in ("worker", "commands", "beat"):
            supervisor.start(_process(name))
        if not supervisor.all_ready():
            return
        if current:
            sign_in = _finish(_prepare())
        say(f"\nDailies is ready: {public_url}")
        if settings.SIMULATED:
            say("HeyGen is simulated: nothing costs money. Set HEYGEN_API_KEY for the real one.")
        say(f"{sign_in}\nLogs: {supervisor.logs}   Stop: Ctrl-C")
        supervisor.wait()
    finally:
        supervisor.stop()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        data_dir = embedded.data_dir()
        embedded.make_secrets(data_dir / "secrets")
        with embedded.only_one(data_dir):
            start_all(data_dir)
    except ImproperlyConfigured as exc:
        sys.exit(f"Dailies cannot start: {exc}")


if __name__ == "__main__":
    main()
