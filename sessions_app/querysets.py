"""Queries on sessions, messages, resources, videos and files, named by what they are for.

Each of them starts scoped: `visible_to(user)` joins through the person's memberships.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models

from workspaces_app.scoping import WorkspaceScoped

if TYPE_CHECKING:
    from sessions_app.models import MediaFile, Message, Resource, Upload, Video, VideoSession  # noqa: F401
    from workspaces_app.models import User


class VideoSessionQuerySet(WorkspaceScoped, models.QuerySet["VideoSession"]):
    def for_history(self) -> VideoSessionQuerySet:
        """Rows of a list: owner and workspace joined, newest activity first."""
        return self.select_related("workspace", "owner").order_by("-active_at", "-id")

    def waiting_for_a_person(self) -> VideoSessionQuerySet:
        """The inbox: oldest wait first."""
        return (
            self.filter(group="needs_you", archived=False, gone_at=None)
            .select_related("workspace", "owner")
            .order_by("status_since", "id")
        )

    def working(self) -> VideoSessionQuerySet:
        """Sessions that occupy one of HeyGen's places for concurrent jobs."""
        return self.filter(group="working", gone_at=None)

    def with_remote_ids(self, workspace_id: UUID, remote_ids: Iterable[str]) -> set[str]:
        """Which of these sessions of HeyGen's the workspace has already."""
        found = self.filter(workspace_id=workspace_id, remote_id__in=list(remote_ids))
        return {remote_id for remote_id in found.values_list("remote_id", flat=True) if remote_id}


class MessageQuerySet(models.QuerySet["Message"]):
    def that_make_revisions(self) -> MessageQuerySet:
        """What decides where a storyboard revision begins and what is in it, oldest first."""
        return (
            self.filter(models.Q(role="user") | ~models.Q(resource_ids=[]))
            .only("session_id", "position", "role", "content", "resource_ids")
            .order_by("position")
        )


class ResourceQuerySet(WorkspaceScoped, models.QuerySet["Resource"]):
    def described(self) -> ResourceQuerySet:
        """Those that HeyGen has described: a bare announced id has nothing to show."""
        return self.filter(read_at__isnull=False)

    def in_order(self) -> ResourceQuerySet:
        """As the agent showed them: by message, then by place in its `resource_ids`."""
        return self.order_by("message_position", "place", "id")

    def for_library(self) -> ResourceQuerySet:
        """Rows of the library: session, workspace and files at hand, newest first."""
        rows = self.select_related("session", "workspace").prefetch_related("files")
        return rows.order_by("-first_seen_at", "-id")


class VideoQuerySet(WorkspaceScoped, models.QuerySet["Video"]):
    def for_library(self) -> VideoQuerySet:
        """Rows of the library: session, workspace and files at hand, newest first."""
        rows = self.select_related("session", "workspace").prefetch_related("files")
        return rows.order_by("-first_seen_at", "-id")


class MediaFileQuerySet(WorkspaceScoped, models.QuerySet["MediaFile"]):
    """Scoped like the rest; a file is asked for by its id."""


class UploadQuerySet(WorkspaceScoped, models.QuerySet["Upload"]):
    def of(self, user: User, workspace_id: UUID) -> UploadQuerySet:
        """A person's own uploads for one workspace: what a form of theirs may name."""
        return self.filter(owner=user, workspace_id=workspace_id)
