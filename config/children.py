"""One child process of the supervisor: how it is started, watched, restarted and ended.

There are two ways to start one. A `Program` is executed (Valkey, the simulator). A `Forked` one comes out of a fork
server that has loaded Dailies already (`config.preload`): it is there in a tenth of a second and shares its memory.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Protocol

from config import lifeline

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
# One that ran for so long before it ended is in no crash loop.
STEADY_SECONDS = 30.0


class Handle(Protocol):
    """A running process."""

    @property
    def pid(self) -> int: ...

    def wait(self) -> int:
        """Blocks until it ends; its exit code, negative for a signal."""


class Start(Protocol):
    """A way to start a process: its output goes to `log`, and it is given the reading end of the lifeline and the
    writing end of the pipe on which it says that it is ready."""

    def __call__(self, *, log: Path, lifeline_reader: Connection, ready_writer: Connection) -> Handle: ...


# --- Programs -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Program:
    """Any command; `config.lifeline` runs and watches it. Ready when `port` answers."""

    kind: str  # "module" or "program"
    port: int
    command: tuple[str, ...]

    def __call__(self, *, log: Path, lifeline_reader: Connection, ready_writer: Connection) -> Handle:
        descriptors = (lifeline_reader.fileno(), ready_writer.fileno())
        environment = dict(zip((lifeline.LIFELINE, lifeline.READY), map(str, descriptors), strict=True))
        with log.open("ab") as output:
            return Executed(
                subprocess.Popen(
                    [sys.executable, "-m", "config.lifeline", self.kind, str(self.port), *self.command],
                    env={**os.environ, **environment},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=descriptors,
                )
            )


@dataclass(frozen=True, slots=True)
class Executed:
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait(self) -> int:
        return self.process.wait()


# --- Forks --------------------------------------------------------------------------------------------------------


def nursery() -> ForkServerContext:
    """The fork server. Its first `Process` starts it, in the environment that this process has then."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["config.preload"])
    return context


@dataclass(frozen=True, slots=True)
class Forked:
    """One of `config.process.PROCESSES`, out of the nursery. `listening` is for the web server."""

    nursery: ForkServerContext
    name: str
    listening: socket.socket | None = None

    def __call__(self, *, log: Path, lifeline_reader: Connection, ready_writer: Connection) -> Handle:
        process = self.nursery.Process(
            target=_live,
            name=self.name,
            args=(self.name, str(log), lifeline_reader, ready_writer, self.listening),
        )
        process.start()
        return Fork(process)


@dataclass(frozen=True, slots=True)
class Fork:
    process: multiprocessing.process.BaseProcess

    @property
    def pid(self) -> int:
        return self.process.pid or 0

    def wait(self) -> int:
        self.process.join()
        return self.process.exitcode or 0


def _live(
    name: str,
    log: str,
    lifeline_reader: Connection,
    ready_writer: Connection,
    listening: socket.socket | None,
) -> None:
    """What runs in a fork."""
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    lifeline.hold(lifeline_reader.fileno(), os.dup(ready_writer.fileno()))
    ready_writer.close()
    if sys.platform == "linux":
        # What `ps -e`, `top` and `pgrep` show: 15 letters of it.
        Path("/proc/self/comm").write_text(f"dailies-{name}"[:15], encoding="ascii")

    from config import process

    run: Callable[[], None] = process.PROCESSES[name]
    if listening is not None:
        process.web(listening)
    else:
        run()


# --- Keeping one alive --------------------------------------------------------------------------------------------


class Child:
    """One process, restarted until told otherwise, by a thread of its own."""

    def __init__(
        self, name: str, start: Start, *, log: Path, lifeline_reader: Connection, say: Callable[[str], None]
    ) -> None:
        self.name = name
        self.log = log
        self.ready = threading.Event()
        self.running: Handle | None = None
        self._start = start
        self._lifeline_reader = lifeline_reader
        self._say = say
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep_running, name=name, daemon=True)
        self._thread.start()

    def ask_to_end(self) -> None:
        with self._lock:
            self._stopping.set()
            self._signal(signal.SIGTERM)

    def end(self, seconds: float) -> None:
        """Waits for it after `ask_to_end`; what is left of it after `seconds` is killed."""
        self._thread.join(max(seconds, 0))
        if self._thread.is_alive():
            self._signal(signal.SIGKILL)

    def _keep_running(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            started = time.monotonic()
            ended = self._run()
            if self._stopping.is_set():
                return
            if time.monotonic() - started > STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self._say(f"{self.name} ended ({ended}); starting it again in {pause:g} s. See {self.log}")
            if self._stopping.wait(pause):
                return
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _run(self) -> str:
        """Starts the process and waits for its end; how it ended."""
        try:
            with self._lock:
                if self._stopping.is_set():
                    return "not started"
                running = self.running = self._spawn()
        except (OSError, EOFError) as exc:
            return f"it could not be started: {exc}"
        code = running.wait()
        # A killed leader may have left members of its group behind: they must not run beside its successor.
        _signal_group(running, signal.SIGKILL)
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def _spawn(self) -> Handle:
        reader, writer = multiprocessing.Pipe(duplex=False)
        running = self._start(log=self.log, lifeline_reader=self._lifeline_reader, ready_writer=writer)
        writer.close()
        threading.Thread(target=self._await_ready, args=(reader,), daemon=True).start()
        return running

    def _await_ready(self, reader: Connection) -> None:
        # End of file without a word: it ended before it was ready.
        if os.read(reader.fileno(), 16):
            self.ready.set()
        reader.close()

    def _signal(self, number: signal.Signals) -> None:
        running = self.running
        if running is not None and not _signal_group(running, number):
            # Just forked: it has no group of its own yet. Or it has ended, which is as well.
            with contextlib.suppress(ProcessLookupError):
                os.kill(running.pid, number)


def _signal_group(leader: Handle, number: signal.Signals) -> bool:
    """Whether there was such a group."""
    try:
        os.killpg(leader.pid, number)
    except (
        ProcessLookupError,
        PermissionError,
    ):  # the latter on macOS, for a group of which only zombies are left
        return False
    return True
