"""Whole Dailies in its own processes: workers with a notebook, the commands worker, beat."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from bench.stage import Processes


def wait_for(condition: Callable[[], object], *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Lag:
    """A row that was written `seconds` after it had been due."""

    at: float
    seconds: float
    rank: int


@dataclass
class Worker:
    process: subprocess.Popen[bytes]
    notes: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def read(self) -> dict[str, Any]:
        """Lags, tasks by name, polls and CPU, as of the last half second."""
        if not self.notes.exists():
            return {"lags": [], "tasks": {}, "polls": 0, "cpu": 0.0}
        found: dict[str, Any] = json.loads(self.notes.read_text())
        return found

    def lags(self, since: float) -> list[Lag]:
        return [
            lag for at, seconds, rank in self.read()["lags"] if (lag := Lag(at, seconds, rank)).at >= since
        ]


def workers(processes: Processes, count: int = 1, **figures: object) -> list[Worker]:
    """Running workers and a beat; `figures` are settings of the environment."""
    found = []
    for _ in range(count):
        notes = Path(settings.DATA_DIR) / f"notes-{time.monotonic_ns()}.json"
        found.append(Worker(processes.start("bench.worker", str(notes), **figures), notes))
    processes.start("config.process", "beat", **figures)
    for worker in found:
        wait_for(worker.notes.exists, seconds=60, what="the worker runs")
    return found
