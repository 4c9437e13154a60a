"""The scheduler of beat: it sleeps until an entry is due, does not ask in a loop, and cares for no clock that can be set."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from celery import Celery
from celery.beat import ScheduleEntry
from django.conf import settings

from config.beat import Scheduler, now


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


@pytest.mark.parametrize("hours", [-1, 1], ids=["back", "ahead"])
def test_a_clock_that_is_set_neither_stops_it_nor_makes_it_run(hours: int, monkeypatch: pytest.MonkeyPatch):
    app = Celery("test", broker="memory://", set_as_current=False)
    app.conf.beat_schedule = {"tick": {"task": "tick", "schedule": 0.05}}
    scheduler = Scheduler(app, lazy=True)
    scheduler.merge_inplace(app.conf.beat_schedule)
    sent: list[float] = []
    monkeypatch.setattr(scheduler, "apply_entry", lambda entry, producer=None: sent.append(time.monotonic()))

    def run(times: int) -> None:
        end = time.monotonic() + 5
        while len(sent) < times:
            assert time.monotonic() < end
            if (seconds := scheduler.tick()) > 0:
                time.sleep(min(seconds, 0.1))

    run(2)
    moved = datetime.now(UTC) + timedelta(hours=hours)
    monkeypatch.setattr(Celery, "now", lambda self: moved)
    run(6)

    assert all(later - earlier >= 0.05 for earlier, later in pairwise(sent))


def test_every_entry_of_the_schedule_goes_by_that_clock():
    from config.celery import app

    scheduler = Scheduler(app)

    assert len(scheduler.schedule) == len(settings.CELERY_BEAT_SCHEDULE)
    assert {entry.schedule.nowfun for entry in scheduler.schedule.values()} == {now}
