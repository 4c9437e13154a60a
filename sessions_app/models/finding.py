"""What the databases search and count, kept beside the rows that it is made of."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from sessions_app.models.session import VideoSession
from sessions_app.querysets import TallyQuerySet


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
