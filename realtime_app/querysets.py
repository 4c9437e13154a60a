"""Queries on live streams, named by what they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Now

from workspaces_app.scoping import WorkspaceScoped

if TYPE_CHECKING:
    from realtime_app.models import Stream  # noqa: F401

RUNNING = models.Q(group__in=("pending", "streaming", "unknown"), gone_at=None)
LIST_FILTERS: dict[str, models.Q] = {
    "running": RUNNING,
    "ended": models.Q(group="completed"),
    "failed": models.Q(group="error") | models.Q(gone_at__isnull=False),
}


class StreamQuerySet(WorkspaceScoped, models.QuerySet["Stream"]):
    def for_list(self) -> StreamQuerySet:
        """Rows of the live list: as `for_page`, newest first."""
        return self.for_page().order_by("-created_at", "-id")

    def for_page(self) -> StreamQuerySet:
        """Owner and workspace joined, and as `timed`."""
        return self.select_related("workspace", "owner").timed()

    def timed(self) -> StreamQuerySet:
        """`looked_at` is the database's now, which `Stream.seconds_live` counts to."""
        return self.annotate(looked_at=Now())  # type: ignore[no-redef]  # the model declares it

    def running(self) -> StreamQuerySet:
        """Streams that are not known to have ended."""
        return self.filter(RUNNING)

    def occupying(self, fingerprint: str) -> StreamQuerySet:
        """Those that take one of HeyGen's few places of an account."""
        return self.running().filter(workspace__key_fingerprint=fingerprint, stream_id__isnull=False)
