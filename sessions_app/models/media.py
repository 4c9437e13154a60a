"""What a conversation announces, its pictures, voices and videos, and our own copies of their files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import uuid6
from django.db import models
from django.utils.translation import gettext_lazy as _

from sessions_app.addresses import address
from sessions_app.models.session import StatusGroup, VideoSession
from sessions_app.querysets import MediaFileQuerySet, ResourceQuerySet, VideoQuerySet

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


# Where in its metadata a resource may have a name.
_NAMES = ("name", "title", "caption")
# So many facts of its metadata, and so much of each, are worth a line below it.
_MOST_FACTS, _LONGEST_FACT = 12, 200


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
        """Its own, else its type."""
        return self.own_name or self.type or str(_("Resource"))

    @property
    def own_name(self) -> str:
        """A name from its metadata; "" where HeyGen gave none."""
        for key in _NAMES:
            value = self.metadata.get(key) if isinstance(self.metadata, dict) else None
            if isinstance(value, str) and value.strip():
                return value.strip()[:200]
        return ""

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What else its metadata says, in HeyGen's own words: nobody knows which keys there are. Ids come last: they say
        least, and a tile has room for a line or two."""
        rows = self.metadata.items() if isinstance(self.metadata, dict) else ()
        told = [
            (key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for key, value in sorted(rows, key=lambda row: row[0].endswith("_id"))
            if key not in _NAMES and value not in (None, "", [], {})
        ]
        return [(key[:_LONGEST_FACT], text[:_LONGEST_FACT]) for key, text in told[:_MOST_FACTS]]


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
        return address("files:file", self.pk)
