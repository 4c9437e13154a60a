"""Writing and reading what happened to an object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from timeline.models import Event, EventQuerySet, Source


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to write. `at` is aware; None stands for the database's now. `actor_id` is the person's row, if a person acted."""

    workspace_id: UUID
    object_kind: str
    object_id: UUID
    what: str
    source: Source | str
    data: Mapping[str, Any] = field(default_factory=dict)
    actor_id: int | None = None
    at: datetime | None = None


def record(events: Sequence[NewEvent]) -> list[Event]:
    """Write `events` with one INSERT, in the caller's transaction, and return the rows in the same order."""
    return Event.objects.bulk_create(
        [
            Event(
                workspace_id=event.workspace_id,
                object_kind=event.object_kind,
                object_id=event.object_id,
                what=event.what,
                data=dict(event.data),
                source=str(event.source),
                actor_id=event.actor_id,
                at=event.at or Now(),
            )
            for event in events
        ]
    )


def events_of(object_kind: str, object_id: UUID) -> EventQuerySet:
    """What happened to one object, oldest first, with the acting person joined.

    Whether the reader may see the object is for the caller to have asked.
    """
    return Event.objects.of(object_kind, object_id).for_page()
