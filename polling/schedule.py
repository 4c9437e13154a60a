"""When objects are asked for next: what apps say to the engine, each in their own transaction.

Nothing here waits for the network. What matters is in the rows; the hints only save up to a second.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import BooleanField, Case, F, Func, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Now

from polling import clock, hints, kinds, watching
from polling.keys import resting
from polling.models import PollState, Rank

# The fingerprint of objects that wait for their workspace to get a key. Nothing with it is due.
NO_KEY = "no-key"
# A row may be so long overdue before it counts as late: a tick, a drain and a slow answer.
LATE_AFTER_SECONDS = 10.0
# Reasons of a failure that may mean: the other side is away, not this object.
AWAY = ("unreachable", "server_error", "bad_payload", "deadline")

_RANKS = {"working": Rank.HOT, "generating": Rank.HOT, "needs_you": Rank.HOT}


def rank_of(group: str, *, watched: bool = False) -> Rank:
    """Who goes first when more is due than the budget allows."""
    return Rank.WATCHED if watched else _RANKS.get(group, Rank.IDLE)


def enroll(
    kind: str,
    object_ids: Iterable[UUID],
    *,
    workspace_id: UUID,
    fingerprint: str,
    group: str = "working",
) -> None:
    """Begins to poll objects, at once; those that are enrolled already stay as they are.

    `fingerprint` names the key whose budget their reads use; "" means that they need none.
    """
    lane = kinds.lane_of(kind)
    rows = [
        PollState(
            kind=kind,
            object_id=object_id,
            lane=lane,
            workspace_id=workspace_id,
            key_fingerprint=fingerprint,
            group=group,
            rank=rank_of(group),
            next_poll_at=Now(),
            woken_at=Now(),
        )
        for object_id in object_ids
    ]
    if rows:
        PollState.objects.bulk_create(rows, ignore_conflicts=True)
        _hint(kind)


def wake(kind: str, object_ids: Iterable[UUID]) -> None:
    """Makes objects due now, also those that were done with. One that is being read is read again right after."""
    leased = Q(lease_token__isnull=False, lease_until__gt=Now())
    woken = PollState.objects.filter(kind=kind, object_id__in=list(object_ids)).update(
        woken_at=Now(),
        woken=Case(When(leased, then=Value(True)), default=Value(False)),
        next_poll_at=Case(When(leased, then=F("next_poll_at")), default=Now()),
        rank=Rank.WATCHED,
    )
    if woken:
        _hint(kind)


def retire(kind: str, object_ids: Iterable[UUID]) -> None:
    """Stops asking for objects; an answer that is under way is dropped. `wake` undoes it."""
    PollState.objects.filter(kind=kind, object_id__in=list(object_ids)).update(
        next_poll_at=None, lease_token=None, lease_until=None, woken=False
    )


def rekey(workspace_id: UUID, fingerprint: str) -> None:
    """The workspace has another key from now on ("": none, its objects wait). What failed is tried again at once."""
    keyed = PollState.objects.filter(workspace_id=workspace_id).exclude(key_fingerprint="")
    keyed.update(key_fingerprint=fingerprint or NO_KEY)
    if fingerprint:
        retry_failed(fingerprint)


def retry_failed(fingerprint: str) -> None:
    """Makes everything due that failed with this key, and forgets the failures."""
    PollState.objects.filter(key_fingerprint=fingerprint, next_poll_at__isnull=False, failures__gt=0).update(
        next_poll_at=Now(), failures=0, lease_token=None, lease_until=None
    )
    for lane in kinds.lanes():
        transaction.on_commit(lambda lane=lane: hints.drain(lane))  # type: ignore[misc]


def recover(fingerprint: str) -> None:
    """The other side answers this key again: what failed while it was away is due now, however long its pause was.

    The failures still count, so that an object which is broken by itself keeps its long pauses.
    """
    _waiting_after_failures(fingerprint).update(next_poll_at=Now())


def probe(fingerprint: str) -> bool:
    """One of the objects that failed with this key is due now, to see whether the other side is back."""
    soonest = (
        _waiting_after_failures(fingerprint).order_by("next_poll_at").values_list("pk", flat=True).first()
    )
    return soonest is not None and PollState.objects.filter(pk=soonest).update(next_poll_at=Now()) == 1


def _waiting_after_failures(fingerprint: str) -> QuerySet[PollState]:
    """Not those that are being read, nor what failed on our side or was denied: that was an answer."""
    return PollState.objects.filter(
        Q(lease_token=None) | Q(lease_until__lt=Now()),
        # Lane, key and rank: as the index has them.
        lane__in=kinds.lanes(),
        key_fingerprint=fingerprint,
        rank__in=Rank.values,
        failures__gt=0,
        reason__in=AWAY,
        next_poll_at__gt=Now(),
    )


def watch(kind: str, object_id: UUID) -> None:
    """Somebody looks at the object: for 45 s it is polled more often. Say it again while they do. Never raises.

    The first time it makes the object due soon, also one that was done with.
    """
    if not watching.begin(kind, object_id):
        return
    soon = clock.later(0.5)
    begun = (
        PollState.objects.filter(kind=kind, object_id=object_id)
        .exclude(group="gone")
        # What was read a moment ago is fresh enough.
        .filter(Q(polled_at=None) | Q(polled_at__lt=clock.later(-5)))
        .filter(Q(lease_token=None) | Q(lease_until__lt=Now()))
        .filter(Q(next_poll_at=None) | Q(next_poll_at__gt=soon))
        .update(next_poll_at=soon, rank=Rank.WATCHED)
    )
    if begun:
        _hint(kind)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old what we show of an object is, and why. Times are aware; `age` is in seconds since `polled_at`, None before it.

    `reason` is the code of the last failure or of the closed key, "" when all is well; `message` tells an operator more.
    `late`: the row should have been renewed by now and was not.
    """

    polled_at: datetime.datetime | None
    age: float | None
    changed_at: datetime.datetime | None
    next_poll_at: datetime.datetime | None
    failures: int
    reason: str
    message: str
    late: bool


class Failing(Func):
    """Whether HeyGen gave no good answer for a row when it was last asked: `Failing("session")`, of the row's own id.

    Its text is ours: a subquery of the ORM takes longer to put together than a page of rows to read.
    """

    template = (
        f"EXISTS(SELECT 1 FROM {PollState._meta.db_table}"  # noqa: S608  a name of our own
        " WHERE failures > 0 AND (kind, object_id) = (%(expressions)s))"
    )
    output_field = BooleanField()

    def __init__(self, kind: str) -> None:
        super().__init__(Value(kind), F("pk"))


def freshness(kind: str, object_ids: Iterable[UUID]) -> dict[UUID, Freshness]:
    """By object id; what was never enrolled is absent. One query, whatever the number."""
    closed = resting().filter(fingerprint=OuterRef("key_fingerprint"))
    rows = PollState.objects.filter(kind=kind, object_id__in=list(object_ids)).annotate(
        closed_because=Subquery(closed.values("reason")[:1]), now=Now()
    )
    found = {}
    for row in rows:
        overdue = (
            row.next_poll_at is not None and (row.now - row.next_poll_at).total_seconds() > LATE_AFTER_SECONDS
        )
        waits = row.key_fingerprint == NO_KEY and row.next_poll_at is not None
        reason = row.reason
        if row.next_poll_at is not None:
            reason = "no_key" if waits else row.reason if row.closed_because is None else row.closed_because
        found[row.object_id] = Freshness(
            polled_at=row.polled_at,
            age=None if row.polled_at is None else (row.now - row.polled_at).total_seconds(),
            changed_at=row.changed_at,
            next_poll_at=row.next_poll_at,
            failures=row.failures,
            reason=reason,
            message=row.message,
            late=overdue or waits or row.failures > 0,
        )
    return found


def _hint(kind: str) -> None:
    lane = kinds.lane_of(kind)
    transaction.on_commit(lambda: hints.drain(lane))
