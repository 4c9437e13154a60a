"""Keys of the API that rest: told by their fingerprint, kept as rows, known to every process within one request.

The row is the truth. Redis carries a copy beside the budget, so that a request needs no query; where the copy is gone
(a wiped Redis), whoever asks next reads the row and puts it back (`polling.budget`).
"""

from __future__ import annotations

import datetime
import logging
from typing import Literal

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from polling.models import KeyState

logger = logging.getLogger(__name__)

Scope = Literal["all", "paid"]

__all__ = ["KeyState", "Scope", "close", "reopen", "resting", "state"]


def close(fingerprint: str, *, until: datetime.datetime | None, reason: str, scope: Scope = "all") -> None:
    """Lets a key rest until then; None: until a person acts. Never shortens a rest.

    Known to this process when it returns, to the others with their next request. `scope="paid"` stops only calls
    that cost money.
    """
    from polling import budget

    with transaction.atomic():
        row, made = KeyState.objects.get_or_create(
            fingerprint=fingerprint,
            scope=scope,
            defaults={
                "closed_until": until,
                "needs_person": until is None,
                "reason": reason,
                "since": timezone.now(),
            },
        )
        if not made:
            row = KeyState.objects.select_for_update().get(pk=row.pk)
            _extend(row, until, reason)
    logger.warning("key %s rests (%s, %s): until %s", fingerprint, scope, reason, until or "a person acts")
    budget.learn(fingerprint)


def _extend(row: KeyState, until: datetime.datetime | None, reason: str) -> None:
    now = timezone.now()
    if row.needs_person:
        return
    if until is not None and row.closed_until is not None and row.closed_until >= until:
        return
    if row.remaining(now) == 0.0:
        row.since = now
    row.closed_until, row.needs_person, row.reason = until, until is None, reason
    row.save(update_fields=["closed_until", "needs_person", "reason", "since"])


def reopen(fingerprint: str, *, scope: Scope | None = None) -> None:
    """A person acted: the key may be used again, for `scope` or for all. What failed with it is tried again at once."""
    from polling import budget, schedule

    with transaction.atomic():
        rows = KeyState.objects.filter(fingerprint=fingerprint)
        (rows if scope is None else rows.filter(scope=scope)).delete()
        schedule.retry_failed(fingerprint)
    transaction.on_commit(lambda: budget.learn(fingerprint))


def state(fingerprint: str, *, scope: Scope = "all") -> KeyState | None:
    """The row of a key that rests now; None when it is open."""
    row = KeyState.objects.filter(fingerprint=fingerprint, scope=scope).first()
    return row if row is not None and row.remaining(timezone.now()) != 0.0 else None


def resting(*, scope: Scope = "all") -> QuerySet[KeyState]:
    """The rows of all keys that rest now, by the database's clock."""
    return KeyState.objects.filter(Q(needs_person=True) | Q(closed_until__gt=Now()), scope=scope)
