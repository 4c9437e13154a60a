"""A whole Dailies for tests: the real processes, each of which can be killed, on the database of the running test.

    with installed(simulator, valkey) as dailies:
        dailies.start("worker", "commands", "beat")
        dailies.kill("worker")

The test sees the same rows through the ORM (`transactional_db`), so it can wait for what the processes wrote.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.db import connection

from config.embedded import free_port
from tests.nursery import Forked, Nursery
from tests.processes import Valkey, wait_until

ROOT = Path(__file__).resolve().parent.parent
PROCESSES = ("web", "worker", "commands", "beat")


def database_url() -> str:
    """The URL of the test's own database."""
    current = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{current['NAME']}"
    return f"postgresql://{current['USER']}@{current['HOST']}:{current['PORT']}/{current['NAME']}"


def reconnect() -> None:
    """Lets go of the test's own connections: their server has crashed, or another one counts from here on."""
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()  # type: ignore[attr-defined]


class Installation:
    """Processes of Dailies; `log(name)` is what one of them wrote."""

    def __init__(self, *, redis_url: str, environment: Mapping[str, str], folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.processes: dict[str, Forked] = {}
        # A rule that does not hold in what is started from now on (`nursery.CHANGED_BY` undoes it).
        self.undone = ""
        self._nursery: Nursery | None = None
        self._static_collected = False
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("DAILIES_", "PYTEST_"))
            },
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(settings.DATA_DIR),
            "SECRET_KEY": settings.SECRET_KEY,
            "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
            "DATABASE_URL": database_url(),
            "REDIS_URL": redis_url,
            "PORT": str(self.port),
            "PUBLIC_URL": self.url,
            "PYTHONUNBUFFERED": "1",
            **environment,
        }

    def start(self, *names: str, wait: bool = True) -> None:
        """Starts processes and returns at once; the web process is waited for. "beat:2" is a second beat."""
        if self._nursery is None:
            self._nursery = Nursery(self.environment, log=self.folder / "nursery.log")
        for name in names:
            log = self.folder / f"{name}.log"
            self.processes[name] = self._nursery.start(name.partition(":")[0], log=log, undone=self.undone)
        if "web" in names and wait:
            wait_until(self.web_answers, seconds=30, what="the web process answers")

    def collect_static(self) -> None:
        """Before the first web process. Nothing to do where another one did it for the same files."""
        if self._static_collected:
            return
        command = [sys.executable, "-m", "config.prepare", "static"]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True)
        self._static_collected = True

    def set_clock(self, name: str, seconds: float) -> None:
        """The clock of that process's machine is so far ahead from now on; it needs one of its own (`nursery.OWN_CLOCKS`)."""
        file = self.folder / f"{name}.clock"
        fresh = file.with_suffix(".new")
        fresh.write_text(str(seconds), encoding="ascii")
        fresh.replace(file)

    def web_answers(self) -> bool:
        assert self.processes["web"].poll() is None, self.log("web")
        try:
            return requests.get(f"{self.url}/healthz", timeout=1).ok
        except requests.RequestException:
            return False

    def kill(self, name: str) -> None:
        """As `kill -9`."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def signal(self, name: str, number: signal.Signals) -> None:
        self.processes[name].send_signal(number)

    def fill_disk(self, full: bool = True) -> None:
        """Lets every write of these processes to a file fail, or succeed again. Only on Linux."""
        most = 0 if full else resource.RLIM_INFINITY
        for process in self.processes.values():
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    def clear(self) -> None:
        """As before the first start: no process, no log, every clock right. Only what takes long is kept: Dailies is loaded."""
        for name in list(self.processes):
            self.kill(name)
        for file in self.folder.iterdir():
            file.unlink()
        self.undone = ""

    def end(self) -> None:
        self.clear()
        if self._nursery is not None:
            self._nursery.close()
            self._nursery = None

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""


@contextlib.contextmanager
def installed(simulator_url: str, valkey: Valkey, **environment: Any) -> Iterator[Installation]:
    """An installation whose HeyGen is at `simulator_url`; all its processes end with the block."""
    with Lender() as lender, lender.lend(simulator_url, valkey, **environment) as installation:
        yield installation


class Lender:
    """Installations for one test after the other: those with the same environment get the same one, cleared after each. Loading
    Dailies takes longer than most tests."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Installation] = {}
        self._ends = contextlib.ExitStack()

    def __enter__(self) -> Lender:
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    @contextlib.contextmanager
    def lend(self, simulator_url: str, valkey: Valkey, **environment: Any) -> Iterator[Installation]:
        variables = {
            "HEYGEN_BASE_URL": simulator_url,
            "MEDIA_HOSTS": simulator_url,
            "SIMULATED": "True",
            "DATABASE_URL": database_url(),
            **{name: str(value) for name, value in environment.items()},
        }
        identity = (valkey.url, *sorted(variables.items()))
        if identity not in self._known:
            folder = self._ends.enter_context(tempfile.TemporaryDirectory(prefix="dailies-installation-"))
            made = Installation(redis_url=valkey.url, environment=variables, folder=Path(folder))
            self._ends.callback(made.end)
            self._known[identity] = made
        try:
            yield self._known[identity]
        finally:
            self._known[identity].clear()
