"""Runs one kind's functions in the order of the engine, without its threads: what a poll does to our rows."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

from django.db import models, transaction

from polling.kinds import Change, Changed, Claim, Kind, Reading
from polling.models import PollState
from tests.fakes import FakeClient


@dataclass
class FakeConnection:
    """A connection whose client is the fake one, whatever is asked of it."""

    fake: FakeClient
    dialect: str = "current"

    def client(self, **_: Any) -> FakeClient:
        return self.fake


def claim_of(row: models.Model, kind: Kind, *, digest: str = "") -> Claim:
    return Claim(
        pk=1,
        kind=kind.name,
        object_id=row.pk,
        workspace_id=row.workspace_id,  # type: ignore[attr-defined]
        fingerprint="key",
        sequence=1,
        lease_token=uuid.uuid4(),
        digest=digest,
        group="working",
        failures=0,
        polled_at=None,
        changed_at=None,
        watched=False,
    )


def poll(
    kind: Kind, row: models.Model, client: FakeClient, *, digest: str = "", dialect: str = "current"
) -> Reading:
    """One poll of `row`; `digest` is what the last one gave."""
    claim = claim_of(row, kind, digest=digest)
    connection = FakeConnection(client, dialect)
    with mock.patch(f"{kind.load.__module__}.connections_for", return_value={claim.workspace_id: connection}):
        jobs = kind.load([claim])
        if row.pk not in jobs:
            raise LookupError("the kind wants this object retired")
        reading = kind.read(claim, jobs[row.pk])
        if isinstance(reading, Changed):
            store(kind, [Change(claim, jobs[row.pk], reading.value, reading.digest, reading.group)])
    return reading


def store(kind: Kind, changes: Sequence[Change]) -> None:
    stored = kind.gather(changes)
    plans = [(change, kind.merge(change, stored.get(change.claim.object_id))) for change in changes]
    with transaction.atomic():
        kind.write(plans)


def polled(kind: str) -> set[uuid.UUID]:
    """The objects of a kind that have a schedule."""
    return set(PollState.objects.filter(kind=kind).values_list("object_id", flat=True))
