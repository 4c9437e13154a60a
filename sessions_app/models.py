"""Rows of Video Agent sessions: what HeyGen said, kept for good, and what people add to it.

    VideoSession 1─* Message 1─* MessageRevision
                 1─* Gap
                 1─* Resource 1─* MediaFile
                 1─* Video    1─* MediaFile
                 1─* SessionTag, RawWindow, Note, SearchText, ReadMark, Approval, Snooze, Upload (not sent yet)

Every row that a browser may ask for has a UUIDv7 of ours as its id; HeyGen's ids stay in `remote_id`, `resource_id`
and `video_id` and never appear in an address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import uuid6
from django.conf import settings as django_settings
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.querysets import (
    ApprovalQuerySet,
    MediaFileQuerySet,
    MessageQuerySet,
    NoteQuerySet,
    RawWindowQuerySet,
    ResourceQuerySet,
    SessionTagQuerySet,
    SnoozeQuerySet,
    TallyQuerySet,
    UploadQuerySet,
    VideoQuerySet,
    VideoSessionQuerySet,
)

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models.fields.related_descriptors import RelatedManager


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
        # Only sessions read `for_page` know the first two, those that the mirror writes the second, only those that `access`
        # gave to a person the others.
        newest_press: UUID | None
        looked_at: datetime
        read_to: int | None
        has_attached: bool

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
            models.Index(fields=["workspace", "owner", "-active_at", "-id"], name="session_history_owner"),
        ]
        verbose_name = _("video session")
        verbose_name_plural = _("video sessions")

    def __str__(self) -> str:
        return self.display_title

    def get_absolute_url(self) -> str:
        return reverse("sessions:detail", args=[self.pk])

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


class Resource(models.Model):
    """Something the agent made or was given: a picture, a draft, an avatar, a voice, or a type we never saw before."""

    id = models.UUIDField(primary_key=True, default=uuid6.uuid7, editable=False)
    workspace = models.ForeignKey(
        "workspaces_app.Workspace", on_delete=models.CASCADE, related_name="resources"
    )
    session = models.ForeignKey(VideoSession, on_delete=models.CASCADE, related_name="resources")
    resource_id = models.CharField(max_length=255, editable=False)
    # Empty until HeyGen described it: an id may be announced before the object can be read.
    type = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=64, blank=True)
    url = models.TextField(blank=True)
    thumbnail_url = models.TextField(blank=True)
    preview_url = models.TextField(blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    remote_created_at = models.DateTimeField(null=True, blank=True)
    # Which message brought it first, and its place in that message's `resource_ids`.
    message_position = models.PositiveIntegerField(null=True, blank=True)
    place = models.PositiveIntegerField(default=0)
    # When its links were read; null: not described yet.
    read_at = models.DateTimeField(null=True, blank=True)
    missing = models.BooleanField(default=False, help_text=_("HeyGen says that it does not exist."))
    first_seen_at = models.DateTimeField()
    version = models.PositiveBigIntegerField(default=1)

    objects = ResourceQuerySet.as_manager()

    if TYPE_CHECKING:
        # Only those of `storyboard.newest` know it.
        announced_lately: bool
        files: RelatedManager[MediaFile]
        session_id: Any
        workspace_id: Any

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "resource_id"], name="resource_once"),
        ]
        indexes = [
            models.Index(fields=["workspace", "-first_seen_at", "-id"], name="resource_library"),
            models.Index(fields=["workspace", "type", "-first_seen_at", "-id"], name="resource_library_type"),
        ]
        verbose_name = _("resource")
        verbose_name_plural = _("resources")

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """A name from its metadata where HeyGen gave one, else its type."""
        for key in ("name", "title", "caption"):
            value = self.metadata.get(key) if isinstance(self.metadata, dict) else None
            if isinstance(value, str) and value.strip():
                return value.strip()[:200]
        return self.type or str(_("Resource"))


class Video(models.Model):
    """A rendered video of a session. `status` and failure fields as HeyGen gave them; the links live in MediaFile."""

    id = models.UUIDField(primary_key=True, default=uuid6.uuid7, editable=False)
    workspace = models.ForeignKey("workspaces_app.Workspace", on_delete=models.CASCADE, related_name="videos")
    session = models.ForeignKey(VideoSession, on_delete=models.CASCADE, related_name="videos")
    video_id = models.CharField(max_length=255, editable=False)
    title = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=64, blank=True)
    group = models.CharField(max_length=16, choices=StatusGroup, default=StatusGroup.WORKING)
    duration = models.FloatField(null=True, blank=True, help_text=_("Seconds."))
    failure_code = models.CharField(max_length=255, blank=True)
    failure_message = models.TextField(blank=True)
    page_url = models.TextField(blank=True)
    remote_created_at = models.DateTimeField(null=True, blank=True)
    remote_completed_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    version = models.PositiveBigIntegerField(default=1)

    objects = VideoQuerySet.as_manager()

    if TYPE_CHECKING:
        files: RelatedManager[MediaFile]
        session_id: Any
        workspace_id: Any

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "video_id"], name="video_once"),
        ]
        indexes = [models.Index(fields=["workspace", "-first_seen_at", "-id"], name="video_library")]
        verbose_name = _("video")
        verbose_name_plural = _("videos")

    def __str__(self) -> str:
        return self.title or self.video_id


class MediaRole(models.TextChoices):
    """Which of an object's links a file is."""

    MAIN = "main", _("File")
    THUMBNAIL = "thumbnail", _("Thumbnail")
    PREVIEW = "preview", _("Preview")
    VIDEO = "video", _("Video (MP4)")
    CAPTIONED = "captioned", _("Video with captions (MP4)")
    SUBTITLES = "subtitles", _("Captions (SRT)")
    GIF = "gif", _("Animated preview")


class MediaState(models.TextChoices):
    """Where our own copy of a file stands."""

    WANTED = "wanted", _("Being copied")
    STORED = "stored", _("Copied")
    FAILED = "failed", _("Not copied")


class MediaFile(models.Model):
    """One link of a resource or video, and our own copy of what it leads to. Its id is the `/files/<id>/` address."""

    id = models.UUIDField(primary_key=True, default=uuid6.uuid7, editable=False)
    workspace = models.ForeignKey(
        "workspaces_app.Workspace", on_delete=models.CASCADE, related_name="media_files"
    )
    resource = models.ForeignKey(
        Resource, on_delete=models.CASCADE, null=True, blank=True, related_name="files"
    )
    video = models.ForeignKey(Video, on_delete=models.CASCADE, null=True, blank=True, related_name="files")
    role = models.CharField(max_length=16, choices=MediaRole)
    remote_url = models.TextField(blank=True)
    # When HeyGen gave that link: one younger than five minutes may be handed to a browser.
    linked_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=MediaState, default=MediaState.WANTED)
    failure = models.CharField(max_length=500, blank=True)
    # Below MEDIA_DIR; a random name, nothing of the remote one.
    path = models.CharField(max_length=255, blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text=_("Bytes."))
    content_type = models.CharField(max_length=127, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    # Of a picture, in pixels; null where it is none, or was copied before we looked.
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    stored_at = models.DateTimeField(null=True, blank=True)

    objects = MediaFileQuerySet.as_manager()

    if TYPE_CHECKING:
        # Only files that `access` gave to a person know the first, only those of the `files` lane the second.
        link_is_fresh: bool | None
        link_is_old: bool
        resource_id: Any
        video_id: Any
        workspace_id: Any

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["resource", "role"], name="media_file_resource_role"),
            models.UniqueConstraint(fields=["video", "role"], name="media_file_video_role"),
            models.CheckConstraint(
                condition=models.Q(resource__isnull=False, video__isnull=True)
                | models.Q(resource__isnull=True, video__isnull=False),
                name="media_file_of_one_object",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="stored") | ~models.Q(path=""), name="media_file_stored_has_path"
            ),
        ]
        verbose_name = _("media file")
        verbose_name_plural = _("media files")

    def __str__(self) -> str:
        return f"{self.role} {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("files:file", args=[self.pk])


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


class ListPosition(models.Model):
    """How far the reading of a workspace's session list has come, so that a killed one goes on where it was."""

    workspace = models.OneToOneField(
        "workspaces_app.Workspace", on_delete=models.CASCADE, primary_key=True, related_name="list_position"
    )
    # HeyGen's cursor of the next older page; empty when nothing older is asked for.
    cursor = models.TextField(blank=True)
    first_read_at = models.DateTimeField(null=True, blank=True)
    # The same for `import_sessions`.
    import_cursor = models.TextField(blank=True)
    adopted = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("list position")
        verbose_name_plural = _("list positions")

    def __str__(self) -> str:
        return f"{self.workspace_id}: {self.adopted}"


class SearchText(models.Model):
    """Normalised words of a session (title and prompt: `position` -1) or of one of its messages, for search.

    The full-text index over `text` is made per database by migration 0002; the workspace is one of the words.
    """

    session = models.ForeignKey(VideoSession, on_delete=models.CASCADE, related_name="search_texts")
    position = models.IntegerField()
    text = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "position"], name="search_text_once"),
        ]
        verbose_name = _("search text")
        verbose_name_plural = _("search texts")

    def __str__(self) -> str:
        return f"{self.session_id} {self.position}"


class Tally(models.Model):
    """A summand of a number that the lists show; kept by triggers of the database. See `sessions_app.tallies`.

    No foreign keys: rows are appended even while what they count is being deleted together with its workspace.
    """

    KEY: ClassVar[tuple[str, ...]]

    workspace_id = models.UUIDField()
    owner_id = models.BigIntegerField(null=True)
    number = models.BigIntegerField()

    objects = TallyQuerySet.as_manager()

    class Meta:
        abstract = True


class SessionTally(Tally):
    """Sessions by workspace, archived or not, group and owner."""

    KEY = ("workspace_id", "archived", "group", "owner_id")

    archived = models.BooleanField()
    group = models.CharField(max_length=16)

    class Meta:
        indexes = [models.Index(fields=["workspace_id", "archived"], name="session_tally")]
        verbose_name = _("number of sessions")
        verbose_name_plural = _("numbers of sessions")

    def __str__(self) -> str:
        return f"{self.number} {self.group}"


class LibraryTally(Tally):
    """Described resources by workspace, type, source and the session's owner; with `film` finished videos, of no type."""

    KEY = ("workspace_id", "film", "type", "source", "owner_id")

    film = models.BooleanField()
    type = models.CharField(max_length=64)
    source = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["workspace_id"], name="library_tally")]
        verbose_name = _("number of things in the library")
        verbose_name_plural = _("numbers of things in the library")

    def __str__(self) -> str:
        return f"{self.number} {self.type}"
