"""A session itself, how it is found in lists, and how long its stages took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import uuid6
from django.conf import settings as django_settings
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from sessions_app.addresses import address
from sessions_app.querysets import SessionTagQuerySet, VideoSessionQuerySet

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models.fields.related_descriptors import RelatedManager

    from sessions_app.models.conversation import Gap, Message
    from sessions_app.models.media import Resource, Video
    from sessions_app.models.people import Approval, Draft, ReadMark, Snooze


class StatusGroup(models.TextChoices):
    """What a raw status means for the person who looks; only scheduling and display depend on it."""

    WORKING = "working", _("Working")
    NEEDS_YOU = "needs_you", _("Needs you")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Unknown")


class Mode(models.TextChoices):
    """`chat` may stop for decisions; `generate` runs through. The old dialect calls them `auto_proceed` false/true."""

    CHAT = "chat", _("Chat")
    GENERATE = "generate", _("Generate")


def display_title(title: str, prompt: str) -> str:
    """The agent's title, or the beginning of the prompt until it has one."""
    if title:
        return title
    first_line = prompt.strip().partition("\n")[0]
    if len(first_line) > 80:
        return first_line[:79].rstrip() + "…"
    return first_line or str(_("Untitled session"))


class VideoSession(models.Model):
    """One Video Agent session. Made together with its create Command, or adopted from HeyGen's list."""

    id = models.UUIDField(primary_key=True, default=uuid6.uuid7, editable=False)
    workspace = models.ForeignKey(
        "workspaces_app.Workspace", on_delete=models.CASCADE, related_name="video_sessions"
    )
    # Null until HeyGen accepted the create; unique within the workspace, not beyond: two workspaces may share a key.
    remote_id = models.CharField(max_length=255, null=True, blank=True, editable=False)  # noqa: DJ001
    dialect = models.CharField(max_length=16, default="current")
    mode = models.CharField(max_length=16, choices=Mode, default=Mode.CHAT)
    prompt = models.TextField(blank=True)
    settings = models.JSONField(default=dict, blank=True, help_text=_("As sent with the create call."))
    title = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=64, blank=True, help_text=_("As HeyGen gave it."))
    group = models.CharField(max_length=16, choices=StatusGroup, default=StatusGroup.WORKING)
    progress = models.PositiveSmallIntegerField(default=0)
    video_id = models.CharField(max_length=255, blank=True)
    remote_created_at = models.DateTimeField(null=True, blank=True)
    # Null for sessions made elsewhere and adopted.
    owner = models.ForeignKey(
        django_settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="video_sessions",
    )
    archived = models.BooleanField(default=False)
    version = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    # The last time anything that a person sees changed: the order of the history.
    active_at = models.DateTimeField()
    # Since when it is in this status, as far as we saw.
    status_since = models.DateTimeField()
    # Set when HeyGen answered 404 three times: kept here, no longer asked for.
    gone_at = models.DateTimeField(null=True, blank=True)
    message_count = models.PositiveIntegerField(default=0)

    objects = VideoSessionQuerySet.as_manager()

    if TYPE_CHECKING:
        approvals: RelatedManager[Approval]
        messages: RelatedManager[Message]
        gaps: RelatedManager[Gap]
        resources: RelatedManager[Resource]
        videos: RelatedManager[Video]
        tags: RelatedManager[SessionTag]
        read_marks: RelatedManager[ReadMark]
        snoozes: RelatedManager[Snooze]
        drafts: RelatedManager[Draft]
        workspace_id: Any
        owner_id: int | None
        # Only sessions read `for_page` know the first five, those that the mirror writes the second, only those that `access`
        # gave to a person the others.
        newest_press: UUID | None
        looked_at: datetime
        tag_names: list[str]
        has_approvals: bool
        has_notes: bool
        read_to: int | None
        has_attached: bool
        # Only those that `access` gave to a person, and those of the inbox.
        role_here: str
        # Only those of `with_lateness`.
        is_late: bool

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "remote_id"], name="session_remote_id_once"),
            models.CheckConstraint(condition=models.Q(progress__lte=100), name="session_progress_percent"),
        ]
        indexes = [
            models.Index(fields=["workspace", "archived", "-active_at", "-id"], name="session_history"),
            models.Index(
                fields=["workspace", "archived", "group", "-active_at", "-id"], name="session_history_group"
            ),
            models.Index(
                fields=["workspace", "status_since"],
                condition=models.Q(group="needs_you", archived=False),
                name="session_inbox",
            ),
            models.Index(
                fields=["workspace", "status_since"],
                condition=models.Q(group="failed", archived=False),
                name="session_failed",
            ),
            models.Index(fields=["workspace", "owner", "-active_at", "-id"], name="session_history_owner"),
        ]
        verbose_name = _("video session")
        verbose_name_plural = _("video sessions")

    def __str__(self) -> str:
        return self.display_title

    def get_absolute_url(self) -> str:
        return address("sessions:detail", self.pk)

    @property
    def display_title(self) -> str:
        return display_title(self.title, self.prompt)


class SessionTag(models.Model):
    """A word that the team put on a session, to find it by. Told apart without regard to case."""

    workspace = models.ForeignKey("workspaces_app.Workspace", on_delete=models.CASCADE, related_name="+")
    session = models.ForeignKey(VideoSession, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=40)

    objects = SessionTagQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("session", Lower("name"), name="session_tag_once"),
        ]
        indexes = [models.Index(fields=["workspace", "name"], name="session_tag_names")]
        ordering = ["name"]
        verbose_name = _("tag")
        verbose_name_plural = _("tags")

    def __str__(self) -> str:
        return self.name


class StatusSpell(models.Model):
    """How long HeyGen's agent once worked without a break on a session started here: what is usual is told from these."""

    workspace = models.ForeignKey(
        "workspaces_app.Workspace", on_delete=models.CASCADE, related_name="status_spells"
    )
    status = models.CharField(max_length=64, help_text=_("As HeyGen gave it, in small letters."))
    seconds = models.FloatField()
    ended_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(seconds__gte=0), name="status_spell_not_negative")
        ]
        indexes = [models.Index(fields=["workspace", "status", "-ended_at"], name="status_spell_newest")]
        verbose_name = _("status spell")
        verbose_name_plural = _("status spells")

    def __str__(self) -> str:
        return f"{self.status} {self.seconds:.0f} s"


class ListPosition(models.Model):
    """How far the reading of a workspace's session list has come, so that a killed one goes on where it was."""

    workspace = models.OneToOneField(
        "workspaces_app.Workspace", on_delete=models.CASCADE, primary_key=True, related_name="list_position"
    )
    # HeyGen's cursor of the next older page; empty when nothing older is asked for.
    cursor = models.TextField(blank=True)
    # When the newest page was last read and was another than before.
    newest_read_at = models.DateTimeField(null=True, blank=True)
    # The cursor of `import_sessions`.
    import_cursor = models.TextField(blank=True)
    adopted = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("list position")
        verbose_name_plural = _("list positions")

    def __str__(self) -> str:
        return f"{self.workspace_id}: {self.adopted}"
