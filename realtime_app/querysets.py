"""Queries on live streams, named by what they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

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
        """Rows of the live list: owner and workspace joined, newest first."""
        return self.select_related("workspace", "owner").order_by("-created_at", "-id")

    def running(self) -> StreamQuerySet:
        """Streams that are not known to have ended."""
        return self.filter(RUNNING)

    def occupying(self, fingerprint: str) -> StreamQuerySet:
        """Those that take one of HeyGen's few places of an account."""
        return self.running().filter(workspace__key_fingerprint=fingerprint, stream_id__isnull=False)
