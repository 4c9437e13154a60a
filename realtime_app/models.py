"""Rows of live avatars: the stream, the text that people pushed, and the words that were spoken."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import uuid6
from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from realtime_app.querysets import StreamQuerySet

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


TITLE_LETTERS = 80


def _beginning(text: str) -> str:
    """A text that is short enough for a title, cut between words where it has any."""
    if len(text) <= TITLE_LETTERS:
        return text
    cut = text[: TITLE_LETTERS - 1]
    whole_words = cut.rpartition(" ")[0].rstrip(" ,;:-")
    return (whole_words if len(whole_words) > TITLE_LETTERS // 2 else cut.rstrip()) + "…"


class StreamKind(models.TextChoices):
    """What feeds the avatar; HeyGen's `type` of the create call."""

    TTS = "tts", _("Script")
    AUDIO = "audio", _("Recording")
    TEXT_STREAM = "text_stream", _("Live text")


class StreamGroup(models.TextChoices):
    """What a raw stream status means; HeyGen's own four, plus what we never saw before."""

    PENDING = "pending", _("Starting")
    STREAMING = "streaming", _("Live")
    COMPLETED = "completed", _("Ended")
    ERROR = "error", _("Failed")
    UNKNOWN = "unknown", _("Unknown")


class Stream(models.Model):
    """One Avatar Realtime stream. Made together with its create Command; HeyGen has no list to adopt others from."""

    id = models.UUIDField(primary_key=True, default=uuid6.uuid7, editable=False)
    workspace = models.ForeignKey(
        "workspaces_app.Workspace", on_delete=models.CASCADE, related_name="streams"
    )
    # Null until HeyGen accepted the create.
    stream_id = models.CharField(max_length=255, null=True, blank=True, editable=False)  # noqa: DJ001
    kind = models.CharField(max_length=16, choices=StreamKind)
    title = models.CharField(max_length=200, blank=True)
    avatar_id = models.CharField(max_length=255)
    avatar_name = models.CharField(max_length=255, blank=True)
    voice_id = models.CharField(max_length=255, blank=True)
    voice_name = models.CharField(max_length=255, blank=True)
    text = models.TextField(blank=True, help_text=_("The script, or the opening words of live text."))
    audio = models.JSONField(
        default=dict, blank=True, help_text=_("A `files`-style object: url or asset_id.")
    )
    status = models.CharField(max_length=64, blank=True, help_text=_("As HeyGen gave it."))
    group = models.CharField(max_length=16, choices=StreamGroup, default=StreamGroup.PENDING)
    # Kept when HeyGen stops sending it: a player must go on with the address that it has.
    hls_url = models.TextField(blank=True)
    hls_read_at = models.DateTimeField(null=True, blank=True, help_text=_("When HeyGen gave that address."))
    end_reason = models.CharField(max_length=64, blank=True)
    error_message = models.TextField(blank=True)
    buffered_bytes = models.PositiveBigIntegerField(default=0)
    words_ended = models.BooleanField(default=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="streams"
    )
    version = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True, help_text=_("First seen playing."))
    ended_at = models.DateTimeField(null=True, blank=True, help_text=_("First seen ended."))
    # The last text that HeyGen took: its 30 s idle rule counts from here.
    last_text_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = StreamQuerySet.as_manager()

    if TYPE_CHECKING:
        # Only streams read `timed` know it, as those `for_page` and `for_list` are.
        looked_at: datetime
        deltas: RelatedManager[TextDelta]
        words: RelatedManager[Word]
        workspace_id: Any
        owner_id: int | None

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "stream_id"], name="stream_id_once"),
        ]
        indexes = [models.Index(fields=["workspace", "-created_at", "-id"], name="stream_list")]
        verbose_name = _("live stream")
        verbose_name_plural = _("live streams")

    def __str__(self) -> str:
        return self.display_title

    def get_absolute_url(self) -> str:
        return reverse("live:detail", args=[self.pk])

    @property
    def display_title(self) -> str:
        """The title that a person gave, or the beginning of the text, or the avatar."""
        for value in (self.title, self.text.strip().partition("\n")[0], self.avatar_name):
            if value:
                return _beginning(value)
        return str(_("Live stream"))

    @property
    def ended(self) -> bool:
        """Whether nothing more can come of it."""
        return self.group in (StreamGroup.COMPLETED, StreamGroup.ERROR) or self.gone_at is not None

    @property
    def takes_text(self) -> bool:
        """Whether text may be pushed: also before it plays, but not to a script or a recording."""
        return self.kind == StreamKind.TEXT_STREAM and not self.ended

    @property
    def seconds_live(self) -> float:
        """How long it had been seen playing when it was read; what HeyGen bills comes close to it."""
        if self.started_at is None:
            return 0.0
        return max(0.0, ((self.ended_at or self.gone_at or self.looked_at) - self.started_at).total_seconds())


class TextDelta(models.Model):
    """A piece of text that a person pushed to a `text_stream`, in the order of pressing."""

    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="deltas")
    sequence = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    final = models.BooleanField(default=False)
    command = models.OneToOneField("commands.Command", on_delete=models.RESTRICT, related_name="delta")
    # HeyGen's `buffered_bytes` after it took this piece; null until it answered.
    buffered_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    # The stream's version at the last change that a page shows; here and on words it says what a page still lacks.
    version = models.PositiveBigIntegerField(default=1)

    if TYPE_CHECKING:
        stream_id: Any
        command_id: Any

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stream", "sequence"], name="text_delta_sequence_once"),
            models.CheckConstraint(
                condition=~models.Q(text="") | models.Q(final=True), name="text_delta_empty_only_final"
            ),
        ]
        ordering = ["stream", "sequence"]
        verbose_name = _("pushed text")
        verbose_name_plural = _("pushed texts")

    def __str__(self) -> str:
        return self.text[:80]


class Word(models.Model):
    """One spoken word with its times in seconds from the start of the audio."""

    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="words")
    index = models.PositiveIntegerField()
    word = models.CharField(max_length=255)
    start = models.FloatField()
    end = models.FloatField()
    version = models.PositiveBigIntegerField(default=1)

    if TYPE_CHECKING:
        stream_id: Any

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "index"], name="word_index_once")]
        ordering = ["stream", "index"]
        verbose_name = _("word")
        verbose_name_plural = _("words")

    def __str__(self) -> str:
        return self.word
