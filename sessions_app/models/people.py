"""What people add to a session; nothing of it goes to HeyGen by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import uuid6
from django.conf import settings as django_settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.session import VideoSession
from sessions_app.querysets import ApprovalQuerySet, NoteQuerySet, SnoozeQuerySet, UploadQuerySet


class Note(models.Model):
    """An internal note on a session. It never goes to the agent."""

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    session = models.ForeignKey(VideoSession, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="session_notes"
    )
    body = models.TextField(max_length=10_000)
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True, blank=True)

    objects = NoteQuerySet.as_manager()

    if TYPE_CHECKING:
        author_id: int | None

    class Meta:
        ordering = ["session", "id"]
        verbose_name = _("note")
        verbose_name_plural = _("notes")

    def __str__(self) -> str:
        return self.body[:80]


class ReadMark(models.Model):
    """How far one person has read a session's conversation: up to and with the message at `position`."""

    session = models.ForeignKey(VideoSession, on_delete=models.CASCADE, related_name="read_marks")
    user = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="read_marks"
    )
    position = models.PositiveIntegerField()
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "user"], name="read_mark_once")]
        verbose_name = _("read mark")
        verbose_name_plural = _("read marks")

    def __str__(self) -> str:
        return f"{self.session_id} {self.position}"


class Approval(models.Model):
    """One person's approval of one storyboard revision.

    A workspace may ask for several before the agent is told. An approval of a revision that is not the newest any more is
    withdrawn by that alone: it counts for nothing, and stays to be seen.
    """

    session = models.ForeignKey(VideoSession, on_delete=models.CASCADE, related_name="approvals")
    # The message that carries the revision, as `storyboard.Revision.position`. A replay moves it along.
    position = models.PositiveIntegerField()
    by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="storyboard_approvals"
    )
    at = models.DateTimeField(auto_now_add=True)
    # Of the press that gave it: the same press once more is no second approval.
    token = models.CharField(max_length=32, blank=True, default="", editable=False)

    objects = ApprovalQuerySet.as_manager()

    if TYPE_CHECKING:
        session_id: Any
        by_id: int

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "position", "by"], name="approval_once"),
        ]
        ordering = ["session", "position", "id"]
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")

    def __str__(self) -> str:
        return f"{self.session_id} at {self.position} by {self.by_id}"


class Snooze(models.Model):
    """A session that one person does not want to see in their inbox for a while.

    Of one person: for the others it still waits. It ends with its time, or as soon as anything happens in the session.
    """

    session = models.ForeignKey(VideoSession, on_delete=models.CASCADE, related_name="snoozes")
    user = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="snoozes"
    )
    # Null: until something happens.
    until = models.DateTimeField(null=True, blank=True)
    # The session's `active_at` when it was put off; a later one ends it.
    active_at = models.DateTimeField()

    objects = SnoozeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "session"], name="snooze_once"),
        ]
        verbose_name = _("snooze")
        verbose_name_plural = _("snoozes")

    def __str__(self) -> str:
        return f"{self.session_id} for {self.user_id}"


class Upload(models.Model):
    """A file that a person uploaded for a prompt or message; it is HeyGen's asset as soon as the row exists."""

    id = models.UUIDField(primary_key=True, default=uuid6.uuid7, editable=False)
    workspace = models.ForeignKey(
        "workspaces_app.Workspace", on_delete=models.CASCADE, related_name="uploads"
    )
    owner = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads"
    )
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127)
    size = models.PositiveBigIntegerField(help_text=_("Bytes."))
    asset_id = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)
    # The session whose composer it stands in and was not sent from yet.
    waits_in = models.ForeignKey(
        VideoSession, on_delete=models.SET_NULL, null=True, blank=True, related_name="waiting_uploads"
    )

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")

    def __str__(self) -> str:
        return self.filename


class Draft(models.Model):
    """What a person has begun to write for a new session (`sessions_app.drafts`).

    `like` is the session that it is to be a variant of. `fields` holds the form's fields as they were typed; `version`
    counts the savings and `token` is that of the form which saved last, so that one window does not write over what
    another one wrote.
    """

    id = models.UUIDField(primary_key=True, default=uuid6.uuid7, editable=False)
    workspace = models.ForeignKey("workspaces_app.Workspace", on_delete=models.CASCADE, related_name="drafts")
    owner = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts"
    )
    like = models.ForeignKey(
        VideoSession, on_delete=models.CASCADE, null=True, blank=True, related_name="drafts"
    )
    fields = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    token = models.CharField(max_length=32, blank=True, default="", editable=False)
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "workspace"], condition=models.Q(like__isnull=True), name="draft_once"
            ),
            models.UniqueConstraint(fields=["owner", "workspace", "like"], name="draft_once_for_variant"),
        ]
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")

    def __str__(self) -> str:
        return str(self.fields.get("prompt", ""))[:80]
