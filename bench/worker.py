"""The worker of Dailies as it is, with a notebook: how late each row was written, how many tasks ran, what it cost.

`python -m bench.worker notes.json`: the notes are written every half second.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID


class Notebook:
    """What the worker did; times are monotonic, which all processes of the machine share."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        # (written at, seconds after it was due, rank at that time)
        self._lags: list[tuple[float, float, int]] = []
        self._due: dict[int, tuple[float, int]] = {}
        self._tasks: Counter[str] = Counter()
        self._polls = 0

    def watch_rows(self) -> None:
        """Looks over the shoulder of what ends a poll."""
        from polling import claims

        finish = claims.finish

        def noted(token: UUID, outcomes: Sequence[claims.Outcome]) -> set[int]:
            ours = finish(token, outcomes)
            self._note(ours, outcomes)
            return ours

        claims.finish = noted

    def _note(self, ours: Collection[int], outcomes: Sequence[Any]) -> None:
        now = time.monotonic()
        with self._lock:
            for outcome in outcomes:
                if outcome.pk not in ours:
                    continue
                self._polls += 1
                due = self._due.pop(outcome.pk, None)
                if due is not None:
                    self._lags.append((now, now - due[0], due[1]))
                if outcome.delay is not None:
                    self._due[outcome.pk] = (now + outcome.delay, int(outcome.rank))

    def watch_tasks(self) -> None:
        from celery import signals

        def done(sender: Any = None, **_: Any) -> None:
            with self._lock:
                self._tasks[sender.name] += 1

        signals.task_postrun.connect(done, weak=False)

    def keep(self) -> None:
        while True:
            time.sleep(0.5)
            with self._lock:
                text = json.dumps(
                    {
                        "lags": self._lags,
                        "tasks": self._tasks,
                        "polls": self._polls,
                        "cpu": time.process_time(),
                    }
                )
            fresh = self._path.with_suffix(".new")
            fresh.write_text(text)
            os.replace(fresh, self._path)


def main() -> None:
    from celery import shared_task

    from config import process

    @shared_task(name="bench.nothing", ignore_result=True)
    def nothing() -> None:
        """What a task costs that has nothing to do."""

    notebook = Notebook(Path(sys.argv[1]))
    notebook.watch_tasks()
    from celery.signals import celeryd_init

    # The application is ready by then.
    celeryd_init.connect(lambda **_: notebook.watch_rows(), weak=False)
    threading.Thread(target=notebook.keep, daemon=True).start()
    process.worker()


if __name__ == "__main__":
    main()
