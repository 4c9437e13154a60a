"""Celery's scheduler without its spinning."""

from __future__ import annotations

from celery import beat


class Scheduler(beat.Scheduler):
    """Celery's own wakes ten milliseconds before an entry is due and asks in a loop until it is: with an entry for each
    second that is one per cent of a core, for nothing."""

    def adjust(self, n: int, drift: float = 0.0) -> float:
        return super().adjust(n, drift)
