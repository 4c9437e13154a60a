"""The beat of the mirror: every second it looks whether anything is due before the next one, and hints workers. It claims
nothing itself.

While the other side of a key is away its objects keep growing pauses, which spare it; the tick lets one of them try
every few seconds, so that its return is noticed in time (`schedule.recover` then brings back the others).
"""

from __future__ import annotations

import logging

from django.db.models import Q
from django.db.models.functions import Now

from polling import claims, heartbeats, hints, kinds, schedule
from polling.clock import later
from polling.models import PollState, Rank

logger = logging.getLogger(__name__)

# More hints than this are never queued at once: a drain goes on as long as there is work.
MOST_HINTS = 4

_signs = heartbeats.Sometimes()


def tick() -> dict[str, int]:
    """Queues drains for what is due: as many hints by lane as it returns. Two ticks at once do no harm."""
    _signs.write(heartbeats.TICK)
    for key in heartbeats.silent_keys():
        if schedule.probe(key):
            heartbeats.tried(key)
    queued = {}
    for lane in kinds.lanes():
        hinted = wanted(lane)
        if hinted:
            hints.drain(lane, hinted)
            queued[lane] = hinted
    return queued


def wanted(lane: str) -> int:
    """How many drains a lane's due work is worth: one for each hundred rows, at most one for each worker.

    What comes due until the next tick counts: a drain waits for it, rather than it for a drain.
    """
    keys = claims.due_keys(lane, within=claims.AHEAD_SECONDS)
    if not keys:
        return 0
    due = PollState.objects.filter(
        lane=lane,
        key_fingerprint__in=keys,
        rank__in=Rank.values,
        next_poll_at__lte=later(claims.AHEAD_SECONDS),
    )
    number = due[: MOST_HINTS * claims.BATCH].count()
    if number > claims.BATCH:
        # Rows that come due with a lease still on them were taken by a drain that did not give them back.
        lost = due.filter(Q(lease_token__isnull=False, next_poll_at__lte=Now()))[: claims.BATCH].count()
        if lost:
            logger.warning("%s: %d leases ran out, their objects are read again", lane, lost)
    return min(MOST_HINTS, max(1, heartbeats.live_workers()), -(-number // claims.BATCH))
