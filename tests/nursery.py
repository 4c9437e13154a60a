"""Processes of Dailies for tests, forked as `./run` forks them: Dailies is loaded once for an installation, not once for
each of its processes, of which a fault test starts many.

    nursery = Nursery(environment, log=folder / "nursery.log")
    worker = nursery.start("worker", log=folder / "worker.log")
    worker.kill()
    nursery.close()

`python -m tests.nursery FD` is the process that they come out of; it ends with the test's own one, also with one that was
killed because it hung, and so do they.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What a test may change in each process: a module of `tests` with a function `change(folder, undone)`. It gets the folder of
# the logs, and what `start` was told.
CHANGED_BY = "TESTS_CHANGED_BY"
# Set, each process has a clock of its own (`tests.clocks`); its file lies beside its log.
OWN_CLOCKS = "TESTS_OWN_CLOCKS"


class Forked:
    """A process as `subprocess.Popen` shows it. It is not our child: that it is gone we know from a pipe that it holds."""

    def __init__(self, pid: int, alive: int) -> None:
        self.pid = pid
        self._alive: int | None = alive

    def poll(self) -> int | None:
        """None while it runs; nobody asks how it ended."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        if self._ended(timeout) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return 0

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self._alive is not None:
            if not select.select([self._alive], [], [], timeout)[0]:
                return None
            os.close(self._alive)
            self._alive = None
        return 0


class Nursery:
    def __init__(self, environment: Mapping[str, str], *, log: Path) -> None:
        self._log = log
        ours, theirs = socket.socketpair()
        with theirs, log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.nursery", str(theirs.fileno())],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._socket = ours

    def close(self) -> None:
        self._socket.close()
        self._process.wait(10)

    def start(self, name: str, *, log: Path, undone: str = "") -> Forked:
        """Returns as soon as it is forked. Once for all waits for the loading of Dailies."""
        alive, held = os.pipe()
        word = json.dumps({"name": name, "log": str(log), "undone": undone})
        try:
            socket.send_fds(self._socket, [word.encode()], [held])
        finally:
            os.close(held)
        answer = self._socket.recv(64)
        assert answer, self._log.read_text(errors="replace")
        return Forked(int(answer), alive)


# --- The process itself


def serve(door: socket.socket) -> None:
    """Forks at each word; at the end of all words, what still runs is killed."""
    if CHANGED_BY in os.environ:
        importlib.import_module(os.environ[CHANGED_BY])
    running: set[int] = set()
    while True:
        word, descriptors, _, _ = socket.recv_fds(door, 4096, 1)
        running -= {pid for pid in running if os.waitpid(pid, os.WNOHANG)[0]}
        if not word:
            break
        wanted = json.loads(word)
        pid = os.fork()
        if pid == 0:
            door.close()
            _live(wanted["name"], Path(wanted["log"]), wanted["undone"])
        os.close(descriptors[0])
        running.add(pid)
        door.send(str(pid).encode())
    for pid in running:
        os.kill(pid, signal.SIGKILL)


def _live(name: str, log: Path, undone: str) -> None:
    """What runs in a fork, and never returns. The pipe that tells of its life stays open."""
    code = 1
    try:
        os.setsid()
        output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)

        if OWN_CLOCKS in os.environ:
            importlib.import_module("tests.clocks").own(log.with_suffix(".clock"))
        if CHANGED_BY in os.environ:
            importlib.import_module(os.environ[CHANGED_BY]).change(log.parent, undone)
        from config import process

        process.PROCESSES[name]()
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    if OWN_CLOCKS in os.environ:
        importlib.import_module("tests.clocks")
    importlib.import_module("config.preload")
    serve(socket.socket(fileno=int(sys.argv[1])))
