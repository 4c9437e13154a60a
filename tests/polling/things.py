"""A kind of object that is nothing but a value: the remote side is a dictionary, the database a row of `Heartbeat`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.db.models.functions import Now

from polling import kinds, schedule
from polling.kinds import Announcement, Change, Changed, Claim, Failed, Kind, Pace, Reading, Unchanged
from polling.models import Heartbeat, PollState

KEY = "f00d" * 4


class Things:
    """Registers the kind `thing` and plays its remote side. Reads, writes and failures are recorded."""

    def __init__(self, workspace_id: UUID, *, lane: str = "polls", deadline: float = 5.0) -> None:
        self.workspace_id = workspace_id
        self.values: dict[UUID, Any] = {}
        # What a read of an object does before it answers; may return a Failed instead.
        self.before: Callable[[Claim], Failed | None] = lambda claim: None
        self.poisoned: set[UUID] = set()
        # What a kind does about a failure before it is recorded here.
        self.at_failure: Callable[[], None] = lambda: None
        self.reads: list[UUID] = []
        self.written: list[list[UUID]] = []
        self.failures: list[tuple[UUID, str, int]] = []
        self.stuck: list[UUID] = []
        self.paces: list[Pace] = []
        self.group = "working"
        self.pause: float | None = 60.0
        self.threads: set[str] = set()
        kinds.register(
            Kind(
                name="thing",
                lane=lane,
                load=self._load,
                read=self._read,
                gather=self._gather,
                merge=self._merge,
                write=self._write,
                failed=self._failed,
                stuck=lambda claims: self.stuck.extend(claim.object_id for claim in claims),
                cadence=self._cadence,
                deadline=deadline,
            )
        )

    def add(self, count: int = 1, *, value: Any = 1, key: str = KEY) -> list[UUID]:
        """Enrolls objects whose remote value is `value`."""
        ids = [uuid4() for _ in range(count)]
        self.values.update(dict.fromkeys(ids, value))
        schedule.enroll("thing", ids, workspace_id=self.workspace_id, fingerprint=key)
        return ids

    def stored(self, object_id: UUID) -> Any:
        row = Heartbeat.objects.filter(name=f"thing:{object_id}").first()
        return row.data["value"] if row else None

    def _load(self, claims: Sequence[Claim]) -> Mapping[UUID, Any]:
        return {claim.object_id: "job" for claim in claims if claim.object_id in self.values}

    def _read(self, claim: Claim, job: Any) -> Reading:
        assert job == "job"
        self.threads.add(threading.current_thread().name)
        failed = self.before(claim)
        self.reads.append(claim.object_id)
        if failed is not None:
            return failed
        value = self.values[claim.object_id]
        digest = str(value)
        return Unchanged() if digest == claim.digest else Changed(digest, self.group, value)

    def _gather(self, changes: Sequence[Change]) -> Mapping[UUID, Any]:
        names = [f"thing:{change.claim.object_id}" for change in changes]
        found = Heartbeat.objects.in_bulk(names)
        return {UUID(name.removeprefix("thing:")): row.data["value"] for name, row in found.items()}

    def _merge(self, change: Change, stored: Any) -> dict[str, Any]:
        return {"value": change.value, "before": stored}

    def _write(self, plans: Sequence[tuple[Change, Any]]) -> Sequence[Announcement]:
        ids = [change.claim.object_id for change, _ in plans]
        for object_id in ids:
            if object_id in self.poisoned:
                raise ValueError("this one cannot be stored")
        Heartbeat.objects.bulk_create(
            [
                Heartbeat(name=f"thing:{change.claim.object_id}", seen_at=Now(), data=plan)
                for change, plan in plans
            ],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["seen_at", "data"],
        )
        self.written.append(ids)
        return [
            Announcement(change.claim.workspace_id, "thing", change.claim.object_id, change.claim.sequence)
            for change, _ in plans
        ]

    def _failed(self, failures: Sequence[tuple[Claim, Failed, int]]) -> None:
        self.at_failure()
        self.failures += [(claim.object_id, failed.reason, count) for claim, failed, count in failures]

    def _cadence(self, pace: Pace) -> float | None:
        self.paces.append(pace)
        return self.pause


def row(object_id: UUID) -> PollState:
    return PollState.objects.get(kind="thing", object_id=object_id)


def make_due(*object_ids: UUID, seconds: float = -1) -> None:
    """As if their time had come, or came in so many seconds."""
    from polling.clock import later

    rows = PollState.objects.filter(object_id__in=object_ids) if object_ids else PollState.objects.all()
    rows.update(next_poll_at=later(seconds))


def hang(event: threading.Event) -> Callable[[Claim], None]:
    def wait(claim: Claim) -> None:
        assert event.wait(30)

    return wait


def slowly(seconds: float) -> Callable[[Claim], None]:
    """A remote side that takes its time."""
    return lambda claim: time.sleep(seconds)
