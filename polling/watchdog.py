"""Whether the mirror gets on: by the lag of what is due, not by processes being up. Those can be alive and deaf."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable

from django.db.models import Min
from django.db.models.functions import Now

from polling import claims, clock, heartbeats, kinds
from polling.models import Heartbeat, PollState, Rank

logger = logging.getLogger(__name__)

# Work that is due for so long while nothing at all is written means a stall: a worker's healthcheck fails.
STALL_SECONDS = 15.0
# After so long the worker ends itself; whoever started it starts it again, and the leases have long run out.
EXIT_SECONDS = 60.0


def lag(lane: str) -> float:
    """Seconds that the oldest due object of an open key has been waiting; 0 when nothing is due."""
    keys = claims.due_keys(lane)
    oldest = PollState.objects.filter(
        lane=lane, key_fingerprint__in=keys, rank__in=Rank.values, next_poll_at__lte=Now()
    ).aggregate(oldest=Min("next_poll_at"))["oldest"]
    return 0.0 if oldest is None else max(0.0, (clock.now() - oldest).total_seconds())


def stalled(lane: str) -> float:
    """Seconds for which a lane had work and wrote nothing; 0 while it gets on (however much waits for the budget)."""
    waiting = lag(lane)
    if waiting < STALL_SECONDS:
        return 0.0
    progress = (
        Heartbeat.objects.filter(name=heartbeats.PROGRESS + lane).values_list("seen_at", flat=True).first()
    )
    silent = waiting if progress is None else min(waiting, (clock.now() - progress).total_seconds())
    return silent if silent >= STALL_SECONDS else 0.0


def health(lanes: Iterable[str] | None = None) -> dict[str, float]:
    """Lanes that stall, with the seconds for which they do. Empty is healthy."""
    return {lane: seconds for lane in (lanes or kinds.lanes()) if (seconds := stalled(lane))}


def _end_process() -> None:
    # Not an exception in a thread: the process may be stuck in a way that only a new one heals.
    os._exit(70)


class Watchdog:
    """Ends its process when its lanes stall for a minute. Called with each heartbeat."""

    def __init__(self, lanes: Iterable[str], end: Callable[[], None] = _end_process) -> None:
        self._lanes = tuple(lanes)
        self._end = end
        self._since = time.monotonic()

    def check(self) -> None:
        if time.monotonic() - self._since < EXIT_SECONDS:
            return
        for lane in self._lanes:
            seconds = stalled(lane)
            if seconds >= EXIT_SECONDS:
                logger.critical(
                    "%s: work is due and nothing was written for %.0f s; this worker ends", lane, seconds
                )
                self._end()
                return
