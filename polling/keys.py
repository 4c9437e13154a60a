"""Keys of the API that rest: told by their fingerprint, kept as rows, known to every process within one request.

The row is the truth. Redis carries a copy beside the budget, so that a request needs no query; where the copy is gone
(a wiped Redis), whoever asks next reads the row and puts it back (`polling.budget`).
"""

from __future__ import annotations

import datetime
import logging
from typing import Literal

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from polling import clock
from polling.models import KeyEntry, KeyState

logger = logging.getLogger(__name__)

Scope = Literal["all", "paid"]
# By the database's clock.
RESTS_NOW = Q(needs_person=True) | Q(closed_until__gt=Now())

__all__ = ["KeyState", "Scope", "close", "epoch", "epoch_of", "reopen", "resting", "rests", "state"]


def close(
    fingerprint: str, *, seconds: float | None, reason: str, scope: Scope = "all", epoch: int | None = None
) -> None:
    """Lets a key rest for so long, by the database's clock; None: until a person acts. Never shortens a rest.

    `epoch` is what `epoch()` said before the request whose answer this is: an answer from before a person entered or
    reopened the key says nothing of it any more. Without one it always counts.

    Known to this process when it returns, to the others with their next request. `scope="paid"` stops only calls
    that cost money.
    """
    from polling import budget

    with transaction.atomic():
        if epoch is not None and epoch < _entry(fingerprint).epoch:
            logger.info("key %s was entered again since: %s does not count", fingerprint, reason)
            return
        now = clock.now()
        until = None if seconds is None else now + datetime.timedelta(seconds=seconds)
        row, made = KeyState.objects.get_or_create(
            fingerprint=fingerprint,
            scope=scope,
            defaults={"closed_until": until, "needs_person": until is None, "reason": reason, "since": now},
        )
        if not made:
            row = KeyState.objects.select_for_update().get(pk=row.pk)
            _extend(row, now, until, reason)
    logger.warning("key %s rests (%s, %s): until %s", fingerprint, scope, reason, until or "a person acts")
    budget.learn(fingerprint)


def _extend(row: KeyState, now: datetime.datetime, until: datetime.datetime | None, reason: str) -> None:
    if row.needs_person:
        return
    if until is not None and row.closed_until is not None and row.closed_until >= until:
        return
    if row.remaining(now) == 0.0:
        row.since = now
    row.closed_until, row.needs_person, row.reason = until, until is None, reason
    row.save(update_fields=["closed_until", "needs_person", "reason", "since"])


def reopen(fingerprint: str, *, scope: Scope | None = None) -> None:
    """A person acted: the key may be used again. What failed with it is tried again at once.

    Without a `scope` it was entered again, which does not end a wait that HeyGen asked for; with one an operator opens
    just that, whatever closed it.
    """
    from polling import budget, schedule

    with transaction.atomic():
        _entry(fingerprint)
        KeyEntry.objects.filter(fingerprint=fingerprint).update(epoch=F("epoch") + 1)
        rows = KeyState.objects.filter(fingerprint=fingerprint)
        asked_for = Q(scope=KeyState.Scope.ALL, needs_person=False)
        (rows.exclude(asked_for) if scope is None else rows.filter(scope=scope)).delete()
        schedule.retry_failed(fingerprint)
    transaction.on_commit(lambda: budget.learn(fingerprint))


def _entry(fingerprint: str) -> KeyEntry:
    """Held to the end of the transaction, so that closing and reopening come one after the other."""
    KeyEntry.objects.get_or_create(fingerprint=fingerprint)
    return KeyEntry.objects.select_for_update().get(fingerprint=fingerprint)


def epoch(fingerprint: str) -> int:
    """How often a person has entered or reopened the key: goes with each request, to `close`."""
    return KeyEntry.objects.filter(fingerprint=fingerprint).values_list("epoch", flat=True).first() or 0


def epoch_of(column: str) -> Coalesce:
    """The same for each row of a query that has a fingerprint in this column."""
    return Coalesce(Subquery(KeyEntry.objects.filter(fingerprint=OuterRef(column)).values("epoch")), 0)


def state(fingerprint: str, *, scope: Scope = "all") -> KeyState | None:
    """The row of a key that rests now; None when it is open."""
    return resting(scope=scope).filter(fingerprint=fingerprint).first()


def rests(fingerprint: str) -> list[KeyState]:
    """All that a key rests from now, what concerns every call first."""
    return sorted(
        KeyState.objects.filter(RESTS_NOW, fingerprint=fingerprint), key=lambda row: row.scope == "paid"
    )


def resting(*, scope: Scope = "all") -> QuerySet[KeyState]:
    """The rows of all keys that rest now, by the database's clock."""
    return KeyState.objects.filter(RESTS_NOW, scope=scope)
