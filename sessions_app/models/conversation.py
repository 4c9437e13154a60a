"""The conversation as HeyGen showed it, with what it hid or took back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from sessions_app.models.session import VideoSession
from sessions_app.querysets import MessageQuerySet, RawWindowQuerySet

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class Message(models.Model):
    """One message of the conversation. Only appended: `position` is 0, 1, 2 … within the session, oldest first."""

    session = models.ForeignKey(VideoSession, on_delete=models.CASCADE, related_name="messages")
    position = models.PositiveIntegerField()
    role = models.CharField(max_length=64)
    type = models.CharField(max_length=64)
    content = models.TextField(blank=True)
    remote_created_at = models.DateTimeField(null=True, blank=True)
    resource_ids = models.JSONField(default=list, blank=True)
    first_seen_at = models.DateTimeField()
    # When it is one of ours: the press that sent it.
    command = models.OneToOneField(
        "commands.Command", on_delete=models.SET_NULL, null=True, blank=True, related_name="message"
    )
    # HeyGen stopped showing it within a window that should hold it.
    vanished = models.BooleanField(default=False)
    # The session's version in which it was added or last changed: what an event stream has to send.
    version = models.PositiveBigIntegerField()

    objects = MessageQuerySet.as_manager()

    if TYPE_CHECKING:
        revisions: RelatedManager[MessageRevision]
        # Only those of `conversation.rows` have these.
        gap_before: bool
        earlier_texts: int | None

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "position"], name="message_position_once"),
        ]
        indexes = [models.Index(fields=["session", "version"], name="message_by_version")]
        ordering = ["session", "position"]
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self) -> str:
        return f"{self.role} {self.position}"


class MessageRevision(models.Model):
    """An earlier text of a message that HeyGen changed afterwards."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="revisions")
    content = models.TextField(blank=True)
    resource_ids = models.JSONField(default=list, blank=True)
    replaced_at = models.DateTimeField()

    class Meta:
        ordering = ["message", "id"]
        verbose_name = _("message revision")
        verbose_name_plural = _("message revisions")

    def __str__(self) -> str:
        return f"{self.message_id} until {self.replaced_at:%Y-%m-%d %H:%M:%S}"


class Gap(models.Model):
    """Messages may be missing behind `after_position` (-1: before the first that we have)."""

    session = models.ForeignKey(VideoSession, on_delete=models.CASCADE, related_name="gaps")
    after_position = models.IntegerField()
    seen_at = models.DateTimeField()
    version = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "after_position"], name="gap_once"),
            models.CheckConstraint(condition=models.Q(after_position__gte=-1), name="gap_after_position"),
        ]
        ordering = ["session", "after_position"]
        verbose_name = _("gap")
        verbose_name_plural = _("gaps")

    def __str__(self) -> str:
        return f"after {self.after_position}"


class RawWindow(models.Model):
    """The message window of a changed poll as it came (zlib-compressed JSON), so that a better merge can be replayed."""

    session = models.ForeignKey(VideoSession, on_delete=models.CASCADE, related_name="windows")
    seen_at = models.DateTimeField()
    body = models.BinaryField()

    objects = RawWindowQuerySet.as_manager()

    class Meta:
        ordering = ["session", "id"]
        verbose_name = _("raw window")
        verbose_name_plural = _("raw windows")

    def __str__(self) -> str:
        return f"{self.session_id} at {self.seen_at:%Y-%m-%d %H:%M:%S}"
