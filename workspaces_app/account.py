"""What HeyGen says about the account behind a workspace's key: mirrored every ten minutes.

Source: GET /v3/users/me (heygen-api.md, section 7). The figures are a hint: null is "unknown", not zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

import heygen
from polling.budget import Priority
from polling.digests import digest_of
from polling.kinds import Announcement, Change, Changed, Claim, Kind, Pace, Reading, Unchanged
from workspaces_app.connections import Connection, connections_for
from workspaces_app.models import AccountSnapshot
from workspaces_app.readings import failed

KIND = "account"
EVERY_SECONDS = 600.0
AFTER_FAILURE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left, as far as HeyGen tells. `unit` is "usd" or "credits"; None stands for unknown."""

    remaining: float | None
    unit: str
    plan: str = ""


def balance_of(account: heygen.Account) -> Balance:
    """The one figure that matters of the three shapes that an account has."""
    if account.wallet is not None:
        return Balance(
            account.wallet.remaining_balance, "usd" if account.wallet.currency == "usd" else "credits"
        )
    if account.subscription is not None:
        buckets = (account.subscription.premium_credits, account.subscription.add_on_credits)
        known = [
            bucket.remaining for bucket in buckets if bucket is not None and bucket.remaining is not None
        ]
        return Balance(float(sum(known)) if known else None, "credits", account.subscription.plan)
    if account.usage_based is not None:
        return Balance(account.usage_based.remaining_credits, "credits")
    return Balance(None, "")


def _load(claims: Sequence[Claim]) -> Mapping[UUID, Connection]:
    return connections_for(claim.object_id for claim in claims)


def _read(claim: Claim, job: Connection) -> Reading:
    try:
        account = job.client(priority=Priority.BACKGROUND).me()
    except heygen.ApiError as error:
        return failed(error)
    digest = digest_of(account.raw)
    if digest == claim.digest:
        return Unchanged()
    return Changed(digest=digest, group="done", value=account)


def _gather(changes: Sequence[Change]) -> Mapping[UUID, Any]:
    return {}


def _merge(change: Change, stored: object) -> AccountSnapshot:
    return snapshot_of(change.claim.object_id, change.value)


def snapshot_of(workspace_id: UUID, account: heygen.Account) -> AccountSnapshot:
    """The row of what the account says now, not yet saved."""
    balance = balance_of(account)
    return AccountSnapshot(
        workspace_id=workspace_id,
        email=(account.email or "")[:254],
        username=account.username[:200],
        balance={"remaining": balance.remaining, "unit": balance.unit, "plan": balance.plan},
        raw=dict(account.raw),
        changed_at=Now(),
    )


def _write(plans: Sequence[tuple[Change, AccountSnapshot]]) -> Sequence[Announcement]:
    store([snapshot for _change, snapshot in plans])
    return []


def store(snapshots: Sequence[AccountSnapshot]) -> None:
    """Saves them, each over the one before, in one statement."""
    AccountSnapshot.objects.bulk_create(
        snapshots,
        update_conflicts=True,
        unique_fields=["workspace"],
        update_fields=["email", "username", "balance", "raw", "changed_at"],
    )


def _cadence(pace: Pace) -> float | None:
    if pace.failures:
        pause = min(EVERY_SECONDS, AFTER_FAILURE_SECONDS * 2.0 ** min(pace.failures - 1, 10))
        return max(pace.retry_after or 0.0, pause)
    return EVERY_SECONDS


ACCOUNT = Kind(
    name=KIND, load=_load, read=_read, gather=_gather, merge=_merge, write=_write, cadence=_cadence
)
