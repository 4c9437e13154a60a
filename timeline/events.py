"""Writing and reading what happened to an object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from polling.rows import append
from timeline.models import Event, EventQuerySet, Source


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to write. `actor_id` is the person's row, if a person acted."""

    workspace_id: UUID
    object_kind: str
    object_id: UUID
    what: str
    source: Source | str
    data: Mapping[str, Any] = field(default_factory=dict)
    actor_id: int | None = None


def record(events: Sequence[NewEvent]) -> None:
    """Write `events` in their order, in the caller's transaction; they happened now, as the database has it."""
    append(
        Event,
        [
            {
                "workspace_id": event.workspace_id,
                "object_kind": event.object_kind,
                "object_id": event.object_id,
                "what": event.what,
                "data": dict(event.data),
                "source": str(event.source),
                "actor_id": event.actor_id,
            }
            for event in events
        ],
    )


def events_of(object_kind: str, object_id: UUID) -> EventQuerySet:
    """What happened to one object, oldest first, with the acting person joined.

    Whether the reader may see the object is for the caller to have asked.
    """
    return Event.objects.of(object_kind, object_id).for_page()
