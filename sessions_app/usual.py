"""How long the agent usually works, from the team's own history: told beside how long it has been working now.

A spell is the time that a session started here spent in one working status without a break. The mirror notes each as
it ends (`spell`); sessions that were found at HeyGen don't count, because nobody saw theirs begin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from uuid import UUID

from cachetools import TTLCache, cached

from sessions_app.models import StatusGroup, StatusSpell, VideoSession

# The newest so many say what is usual; fewer than `ENOUGH` say nothing.
SAMPLE = 200
ENOUGH = 5
# What is usual changes over weeks, and is asked for with every change of every session that somebody watches.
KEPT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Usual:
    """Seconds: half of the spells ended within `half`, nine of ten within `most`. `sample` is how many there were."""

    half: float
    most: float
    sample: int


def usual(workspace_id: UUID, status: str) -> Usual | None:
    """How long spells in this status took in the workspace, up to a minute ago; None where too few are known."""
    return _usual(workspace_id, status.casefold())


@cached(TTLCache(1024, KEPT_SECONDS), lock=Lock())
def _usual(workspace_id: UUID, status: str) -> Usual | None:
    newest = (
        StatusSpell.objects.filter(workspace=workspace_id, status=status)
        .order_by("-ended_at")
        .values_list("seconds", flat=True)[:SAMPLE]
    )
    return of(list(newest))


def of(seconds: Sequence[float]) -> Usual | None:
    """The same of these lengths, in any order. Nearest rank: both are lengths that really occurred."""
    if len(seconds) < ENOUGH:
        return None
    ordered = sorted(seconds)

    def rank(percent: int) -> float:
        return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]

    return Usual(rank(50), rank(90), len(ordered))


def spell(session: VideoSession, now: datetime) -> StatusSpell | None:
    """The spell that ends as `session` leaves its status at `now`; None when it is none that counts."""
    if session.group != StatusGroup.WORKING or not session.status or session.owner_id is None:
        return None
    length = max(timedelta(), now - session.status_since)
    return StatusSpell(
        workspace_id=session.workspace_id,
        status=session.status.casefold(),
        seconds=length.total_seconds(),
        ended_at=now,
    )
