"""Tells whoever looks that an object has a new version. A lost word costs one re-check, never a stale row."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Announcement:
    """An object whose version moved: what a page about it compares with its own."""

    workspace_id: UUID
    kind: str
    object_id: UUID
    version: int
