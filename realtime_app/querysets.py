"""Queries on live streams, named by what they are for."""

from __future__ import annotations

from workspaces_app.scoping import WorkspaceScoped


class StreamQuerySet(WorkspaceScoped):
    def for_list(self) -> StreamQuerySet:
        """Rows of the live list: owner and workspace joined, newest first."""
        return self.select_related("workspace", "owner").order_by("-created_at", "-id")

    def running(self) -> StreamQuerySet:
        """Streams that occupy one of HeyGen's three places and cost money by the second."""
        return self.filter(group__in=("pending", "streaming", "unknown"), gone_at=None)
