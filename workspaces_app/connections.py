"""The one place where a workspace becomes a HeyGen client, and the only one where its key is decrypted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

import heygen
from polling import budget, keys
from polling.budget import Priority
from workspaces_app import crypto
from workspaces_app.models import Workspace

# What a 429 without Retry-After, and a used-up allowance, close the key for.
RATE_LIMITED_SECONDS = 5.0
QUOTA_SECONDS = 600.0


class NoKeyError(Exception):
    """The workspace has no API key, or one that cannot be decrypted any more."""


@dataclass(frozen=True, slots=True)
class KeyGate:
    """What every HTTP attempt with a key passes: its budget and its state, shared by all processes."""

    fingerprint: str
    priority: Priority

    def admit(self, call: heygen.Call) -> None:
        """Raises heygen.Held when the budget is used up, or the key closed (for paid calls: to paid calls)."""
        try:
            budget.admit(self.fingerprint, self.priority, paid=call.paid)
        except budget.Closed as closed:
            raise heygen.Held(closed.reason, closed.retry_after) from None

    def observe(self, call: heygen.Call, error: heygen.ApiError | None) -> None:
        """Closes the key by what an answer said of it, for every process at once."""
        match error:
            case heygen.Unauthorized():
                keys.close(self.fingerprint, until=None, reason="unauthorized")
            case heygen.PaymentRequired():
                keys.close(self.fingerprint, until=None, reason="payment_required", scope="paid")
            case heygen.QuotaExceeded():
                wait = timedelta(seconds=error.retry_after or QUOTA_SECONDS)
                keys.close(
                    self.fingerprint, until=timezone.now() + wait, reason="quota_exceeded", scope="paid"
                )
            case heygen.RateLimited():
                wait = timedelta(seconds=error.retry_after or RATE_LIMITED_SECONDS)
                keys.close(self.fingerprint, until=timezone.now() + wait, reason="rate_limited")
            case _:
                pass


@dataclass(frozen=True, slots=True)
class Connection:
    """All that a client needs, loaded once; making clients from it touches no database."""

    workspace_id: UUID
    base_url: str
    dialect: str
    fingerprint: str
    key: str = field(repr=False)

    def client(self, *, priority: Priority, dialect: str | None = None) -> heygen.Client:
        """A client in the workspace's dialect, or in the one that an older session was made with."""
        return heygen.Client(
            base_url=self.base_url,
            key=self.key,
            dialect=heygen.Dialect(dialect or self.dialect),
            gate=KeyGate(self.fingerprint, priority),
        )


def connection_to(workspace: Workspace) -> Connection:
    """Raises NoKeyError."""
    if not workspace.has_key:
        raise NoKeyError("no API key")
    try:
        key = crypto.unseal(workspace.encrypted_key)
    except crypto.SealError as error:
        raise NoKeyError(f"the API key cannot be decrypted: {error}") from None
    return Connection(
        workspace_id=workspace.pk,
        base_url=workspace.base_url,
        dialect=workspace.dialect,
        fingerprint=workspace.key_fingerprint,
        key=key,
    )


def connections_for(workspace_ids: Iterable[UUID]) -> dict[UUID, Connection]:
    """The connections of many workspaces in one query; one without a usable key is left out."""
    found = {}
    for workspace in Workspace.objects.filter(pk__in=set(workspace_ids)).exclude(key_fingerprint=""):
        try:
            found[workspace.pk] = connection_to(workspace)
        except NoKeyError:
            continue
    return found


def client_for(workspace: Workspace, *, priority: Priority, dialect: str | None = None) -> heygen.Client:
    """A client for one workspace. Raises NoKeyError."""
    return connection_to(workspace).client(priority=priority, dialect=dialect)
