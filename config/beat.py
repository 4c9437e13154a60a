"""Celery's scheduler without its spinning, and by a clock that nobody can set."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import beat, schedules

_START = datetime(2000, 1, 1, tzinfo=UTC)


def now() -> datetime:
    """A time that goes on evenly, whatever becomes of the machine's clock. It is good for nothing but differences."""
    return _START + timedelta(seconds=time.monotonic())


class Entry(beat.ScheduleEntry):
    """Due by `now`. By the machine's clock, all entries would wait for an hour when that is set back by one."""

    def __init__(self, *, schedule: Any, **options: Any) -> None:
        if not isinstance(schedule, schedules.BaseSchedule):
            schedule = schedules.schedule(schedule, nowfun=now)
        super().__init__(schedule=schedule, **options)


class Scheduler(beat.Scheduler):
    """Celery's own wakes ten milliseconds before an entry is due and asks in a loop until it is: with an entry for each
    second that is one per cent of a core, for nothing."""

    Entry = Entry

    def adjust(self, n: int, drift: float = 0.0) -> float:
        return super().adjust(n, drift)
