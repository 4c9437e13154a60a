"""Queries on commands, named by what they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Now

if TYPE_CHECKING:
    from uuid import UUID

    from commands.models import Command

OPEN_STATES = ("queued", "sending", "unknown")
SETTLED_STATES = ("accepted", "refused")


class CommandQuerySet(models.QuerySet["Command"]):
    def open(self) -> CommandQuerySet:
        """Those whose end is not known yet: queued, on their way, or of unknown outcome."""
        return self.filter(state__in=OPEN_STATES)

    def asking_a_person(self) -> CommandQuerySet:
        """Unknown ones that only a person can settle and that nobody sent again, longest waiting first."""
        return self.filter(
            state="unknown", asks_person_since__isnull=False, repeated_by__isnull=True
        ).order_by("asks_person_since", "id")

    def unapplied(self) -> CommandQuerySet:
        """Those that ended but whose app did not manage to follow yet."""
        return self.filter(state__in=SETTLED_STATES, applied_at__isnull=True)

    def for_object(self, kind_prefix: str, object_id: UUID) -> CommandQuerySet:
        """Those of one object in the order of pressing; `kind_prefix` is "session", "session.send" …"""
        return self.filter(
            models.Q(kind=kind_prefix) | models.Q(kind__startswith=f"{kind_prefix}."), object_id=object_id
        ).order_by("id")

    def in_order(self) -> CommandQuerySet:
        """In the order of pressing: ids are UUIDv7."""
        return self.order_by("id")

    def ahead_of(self, command: Command) -> CommandQuerySet:
        """Those of the same kind that take a place at HeyGen before it, or may have taken one: on their way, of unknown
        outcome that a machine looks for, or pressed earlier and free to go.

        Counted by each that waits, so that one free place is never taken by all of them at once.
        """
        free_to_go = models.Q(state="queued", pk__lt=command.pk) & (
            models.Q(not_before__isnull=True) | models.Q(not_before__lte=Now())
        )
        looked_for = models.Q(state="unknown", asks_person_since__isnull=True)
        return self.filter(models.Q(state="sending") | looked_for | free_to_go, kind=command.kind).exclude(
            pk=command.pk
        )

    def due(self) -> CommandQuerySet:
        """Those that the machine has to look at now (database time), longest due first."""
        return self.filter(due_at__lte=Now()).order_by("due_at", "id")
