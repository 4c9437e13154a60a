"""Taking due objects, keeping them for the time of a read, and giving them back: one statement each, for a batch.

A claim is a lease: 8 seconds in which nobody else reads the object, renewed while its drain runs. A drain that dies
gives nothing back, and needs not: `next_poll_at` is the end of the lease.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connection

from polling import watching
from polling.clock import aware
from polling.kinds import Claim
from polling.models import Rank
from polling.schedule import NO_KEY
from polling.statements import POSTGRESQL, SQLITE, Statements

LEASE_SECONDS = 8.0
RENEW_SECONDS = 2.0
BATCH = 100
# The time from one tick to the next. What comes due in it is waited for.
AHEAD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one claimed row. `delay` in seconds, None for never; digest, reason, message: None keeps them."""

    pk: int
    sequence: int
    delay: float | None
    group: str
    rank: int
    digest: str | None
    polled: bool
    changed: bool
    failures: int
    missing: int
    reason: str | None
    message: str | None


# `astuple` copies each value deeply.
_values_of: Callable[[Outcome], tuple[Any, ...]] = attrgetter(*(field.name for field in fields(Outcome)))


def _postgresql() -> bool:
    return connection.vendor == "postgresql"


def _statements() -> Statements:
    return POSTGRESQL if _postgresql() else SQLITE


def _token(token: UUID) -> str | UUID:
    """As the column holds it: SQLite has no type for it."""
    return token if _postgresql() else token.hex


def open_keys(lane: str) -> dict[str, float]:
    """Fingerprints of the keys of a lane that are not closed, and the seconds until something of theirs is due: 0 for now,
    infinity for never."""
    with connection.cursor() as cursor:
        cursor.execute(_statements().open_keys, [lane, lane, lane, NO_KEY])
        return {
            fingerprint: math.inf
            if soonest is None
            else max(0.0, (aware(soonest) - aware(now)).total_seconds())
            for fingerprint, soonest, now in cursor.fetchall()
        }


def due_keys(lane: str, *, within: float = 0.0) -> list[str]:
    """Those of the open keys that have something due now, or `within` so many seconds."""
    return [fingerprint for fingerprint, seconds in open_keys(lane).items() if seconds <= within]


def claim(lane: str, quotas: Mapping[str, int], *, token: UUID, limit: int = BATCH) -> list[Claim]:
    """Leases up to `limit` due objects, of each key at most its quota, in turns between keys and ranks."""
    quotas = {fingerprint: quota for fingerprint, quota in quotas.items() if quota > 0}
    if not quotas or limit < 1:
        return []
    statement = _statements().claim
    phases = [random.random() for _ in Rank]  # noqa: S311 - whose turn it is, no secret
    if _postgresql():
        parameters: list[Any] = [
            token,
            LEASE_SECONDS,
            list(quotas),
            list(quotas.values()),
            *phases,
            lane,
            limit,
            limit,
        ]
    else:
        statement = statement.format(keys=", ".join(["(%s, %s)"] * len(quotas)))
        pairs = [value for pair in quotas.items() for value in pair]
        parameters = [*pairs, *phases, token.hex, LEASE_SECONDS, LEASE_SECONDS, lane, limit, limit]
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows = cursor.fetchall()
    ids = [_uuid(row[2]) for row in rows]
    workspaces = {value: _uuid(value) for value in {row[3] for row in rows}}
    watched = watching.watched([(row[1], object_id) for row, object_id in zip(rows, ids, strict=True)])
    return [
        _claim_of(row, token, object_id, workspaces[row[3]], watched)
        for row, object_id in zip(rows, ids, strict=True)
    ]


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _claim_of(
    row: Sequence[Any],
    token: UUID,
    object_id: UUID,
    workspace_id: UUID,
    watched: Collection[tuple[str, UUID]],
) -> Claim:
    polled_at, changed_at, woken_at, now = (None if time is None else aware(time) for time in row[10:14])
    expected = max((time for time in (changed_at, woken_at) if time is not None), default=None)
    return Claim(
        pk=row[0],
        kind=row[1],
        object_id=object_id,
        workspace_id=workspace_id,
        fingerprint=row[4],
        sequence=row[5],
        lease_token=token,
        digest=row[6],
        group=row[7],
        failures=row[8],
        missing=row[9],
        polled_at=polled_at,
        changed_at=changed_at,
        watched=(row[1], object_id) in watched,
        age=(now - expected).total_seconds() if now is not None and expected is not None else 0.0,
        woken=woken_at is not None and (polled_at is None or woken_at > polled_at),
    )


def renew(token: UUID, pks: Collection[int]) -> None:
    """Keeps the leases of a drain for another 8 seconds; those that are not its own any more stay as they are."""
    if not pks:
        return
    if _postgresql():
        parameters: list[Any] = [LEASE_SECONDS, token, list(pks)]
    else:
        parameters = [LEASE_SECONDS, LEASE_SECONDS, token.hex, json.dumps(list(pks))]
    with connection.cursor() as cursor:
        cursor.execute(_statements().renew, parameters)


def finish(token: UUID, outcomes: Sequence[Outcome]) -> set[int]:
    """Writes the schedule of claimed rows and ends their leases.

    Returns the rows that were still ours: for any other somebody newer was here, and nothing of the answer counts.
    """
    if not outcomes:
        return set()
    statement = _statements().finish
    rows = [_values_of(outcome) for outcome in outcomes]
    if _postgresql():
        parameters: list[Any] = [list(column) for column in zip(*rows, strict=True)]
    else:
        places = "(" + ", ".join(["%s"] * len(rows[0])) + ")"
        statement = statement.format(outcomes=", ".join([places] * len(rows)))
        parameters = [value for row in rows for value in row]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*parameters, _token(token)])
        return {row[0] for row in cursor.fetchall()}
