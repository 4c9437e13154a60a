"""The scheduler of beat: it sleeps until an entry is due, and does not ask in a loop."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from celery import Celery
from celery.beat import ScheduleEntry

from config.beat import Scheduler


def test_it_sleeps_until_an_entry_is_due(monkeypatch: pytest.MonkeyPatch):
    app = Celery("test", broker="memory://", set_as_current=False)
    app.conf.beat_schedule = {"tick": {"task": "tick", "schedule": 0.05}}
    scheduler = Scheduler(app, lazy=True)
    scheduler.merge_inplace(app.conf.beat_schedule)
    sent: list[float] = []

    def apply_entry(entry: ScheduleEntry, producer: object = None) -> None:
        sent.append(time.monotonic())

    monkeypatch.setattr(scheduler, "apply_entry", apply_entry)
    looks = 0
    while len(sent) < 5:
        looks += 1
        # As `celery.beat.Service` does it.
        if (seconds := scheduler.tick()) > 0:
            time.sleep(seconds)

    # One look finds the entry due, one says how long to sleep; Celery's own needs hundreds.
    assert looks <= 4 * len(sent)
    assert all(later - earlier >= 0.05 for earlier, later in pairwise(sent))
