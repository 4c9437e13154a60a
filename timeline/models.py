"""Rows of the history of any object: what happened to it, and what was said on the wire about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from timeline.append_only import AppendOnly, AppendOnlyQuerySet

if TYPE_CHECKING:
    from uuid import UUID


class Source(models.TextChoices):
    """Who saw or did it."""

    POLL = "poll", _("Poll")
    WEBHOOK = "webhook", _("Webhook")
    PERSON = "person", _("Person")
    SYSTEM = "system", _("System")


class EventQuerySet(AppendOnlyQuerySet["Event"]):
    def of(self, object_kind: str, object_id: UUID) -> EventQuerySet:
        """Events of one object, oldest first; two of the same moment in the order of writing."""
        return self.filter(object_kind=object_kind, object_id=object_id).order_by("at", "id")

    def for_page(self) -> EventQuerySet:
        """With the acting person joined."""
        return self.select_related("actor")


class Event(AppendOnly):
    """Something that happened to an object. Rows are only added.

    The object is named, not referenced: `object_kind` ("session", "stream" …) and its public id. `what` is a code
    ("status.changed", "command.accepted" …) that a page turns into words; `data` has the details of that code.
    """

    workspace = models.ForeignKey("workspaces_app.Workspace", on_delete=models.CASCADE, related_name="events")
    object_kind = models.CharField(_("object"), max_length=40)
    object_id = models.UUIDField(_("object id"))
    what = models.CharField(_("what"), max_length=60)
    data = models.JSONField(_("details"), default=dict, blank=True)
    source = models.CharField(_("seen by"), max_length=16, choices=Source)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(_("at"), db_default=Now())

    objects = EventQuerySet.as_manager()

    if TYPE_CHECKING:
        workspace_id: Any
        actor_id: int | None

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.CheckConstraint(condition=models.Q(source__in=Source.values), name="event_source_known"),
            models.CheckConstraint(condition=~models.Q(what=""), name="event_says_what"),
        ]
        indexes = [
            models.Index(fields=["object_kind", "object_id", "at", "id"], name="event_of_object"),
            models.Index(fields=["workspace", "-at"], name="event_of_workspace"),
            models.Index(fields=["-at", "-id"], name="event_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.object_kind} {self.what}"


class ExchangeQuerySet(AppendOnlyQuerySet["Exchange"]):
    def of(self, object_kind: str, object_id: UUID) -> ExchangeQuerySet:
        """Exchanges about one object, newest first."""
        return self.filter(object_kind=object_kind, object_id=object_id).order_by("-id")


class Exchange(AppendOnly):
    """One request to HeyGen and its answer, redacted, for staff who look for the cause of something.

    `body` is made and read by `timeline.exchanges`: zlib-compressed JSON. Only the newest few of an object are kept.
    """

    workspace = models.ForeignKey(
        "workspaces_app.Workspace", on_delete=models.CASCADE, related_name="exchanges"
    )
    object_kind = models.CharField(_("object"), max_length=40)
    object_id = models.UUIDField(_("object id"))
    operation = models.CharField(_("operation"), max_length=200)
    status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    milliseconds = models.PositiveIntegerField(_("milliseconds"), null=True, blank=True)
    body = models.BinaryField()
    size = models.PositiveIntegerField(_("bytes kept"))
    at = models.DateTimeField(_("at"), db_default=Now())

    objects = ExchangeQuerySet.as_manager()

    if TYPE_CHECKING:
        workspace_id: Any

    class Meta:
        verbose_name = _("exchange")
        verbose_name_plural = _("exchanges")
        indexes = [
            models.Index(fields=["object_kind", "object_id", "-id"], name="exchange_of_object"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.operation} {self.status or '—'}"
