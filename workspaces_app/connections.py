"""The one place where a workspace becomes a HeyGen client, and the only one where its key is decrypted."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

import heygen
from polling import budget, keys
from polling.budget import Priority
from workspaces_app import crypto
from workspaces_app.models import Workspace

logger = logging.getLogger(__name__)

# What a 429 without Retry-After, and a used-up allowance, close the key for.
RATE_LIMITED_SECONDS = 5.0
QUOTA_SECONDS = 600.0
# The reason for which a key makes no paid calls until a person says that there is credit again.
NO_CREDIT = "payment_required"
# How soon it is worth asking again whether a workspace got a usable key.
UNUSABLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class KeyGate:
    """What every HTTP attempt with a key passes: its budget and its state, shared by all processes.

    `epoch`: how often the key had been entered when it was taken out for these attempts.
    """

    fingerprint: str
    priority: Priority
    epoch: int

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
                keys.close(self.fingerprint, seconds=None, reason="unauthorized", epoch=self.epoch)
            case heygen.PaymentRequired():
                keys.close(self.fingerprint, seconds=None, reason=NO_CREDIT, scope="paid", epoch=self.epoch)
            case heygen.QuotaExceeded():
                seconds = error.retry_after or QUOTA_SECONDS
                keys.close(self.fingerprint, seconds=seconds, reason="quota_exceeded", scope="paid")
            case heygen.RateLimited() | heygen.ServerError(retry_after=float() | int()):
                seconds = error.retry_after or RATE_LIMITED_SECONDS
                keys.close(self.fingerprint, seconds=seconds, reason="rate_limited")
            case _:
                pass


@dataclass(frozen=True, slots=True)
class Connection:
    """All that a client needs, loaded once; making clients from it touches no database."""

    workspace_id: UUID
    base_url: str
    dialect: str
    fingerprint: str
    # None: there is none, or FIELD_KEYS cannot open it any more.
    key: str | None = field(repr=False)
    # Of `polling.keys.epoch`, not younger than the key.
    epoch: int

    def client(
        self, *, priority: Priority, dialect: str | None = None, listener: heygen.Listener | None = None
    ) -> heygen.Client:
        """A client in the workspace's dialect, or in the one that an older session was made with.

        Raises heygen.Held when there is no usable key: nothing was sent, and what waits goes on with the next key.
        """
        if self.key is None:
            raise heygen.Held("key_unreadable" if self.fingerprint else "no_key", UNUSABLE_SECONDS)
        return heygen.Client(
            base_url=self.base_url,
            key=self.key,
            dialect=heygen.Dialect(dialect or self.dialect),
            gate=KeyGate(self.fingerprint, priority, self.epoch),
            listener=listener,
        )


def connection_to(workspace: Workspace) -> Connection:
    """The connection of one workspace; a key that cannot be opened is logged and counts as none."""
    return _connection(workspace, keys.epoch(workspace.key_fingerprint))


def connections_for(workspace_ids: Iterable[UUID]) -> dict[UUID, Connection]:
    """The connections of many workspaces, in one query; those without a usable key included."""
    rows = Workspace.objects.filter(pk__in=set(workspace_ids))
    rows = rows.annotate(key_epoch=keys.epoch_of("key_fingerprint"))  # type: ignore[no-redef]  # the model declares it
    return {each.pk: _connection(each, each.key_epoch) for each in rows}


def _connection(workspace: Workspace, epoch: int) -> Connection:
    key: str | None = None
    if workspace.has_key:
        try:
            key = crypto.unseal(workspace.encrypted_key)
        except crypto.SealError as error:
            logger.error("the API key of workspace %s cannot be opened: %s", workspace.pk, error)
    return Connection(
        workspace_id=workspace.pk,
        base_url=workspace.base_url,
        dialect=workspace.dialect,
        fingerprint=workspace.key_fingerprint,
        key=key,
        epoch=epoch,
    )


def client_for(workspace: Workspace, *, priority: Priority, dialect: str | None = None) -> heygen.Client:
    """A client for one workspace. Raises heygen.Held when it has no usable key."""
    return connection_to(workspace).client(priority=priority, dialect=dialect)
