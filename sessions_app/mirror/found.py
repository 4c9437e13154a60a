"""What sessions show for the first time, resources and videos: stored, each with a poll of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from polling import schedule
from sessions_app.models import Resource, Video
from timeline.events import NewEvent, record
from timeline.models import Source


def follow_resources(found: Sequence[Resource], fingerprints: Mapping[UUID, str]) -> None:
    """`fingerprints` are those of the keys that read them, by workspace."""
    Resource.objects.bulk_create(found)
    _enroll("resource", found, fingerprints)


def follow_videos(found: Sequence[Video], fingerprints: Mapping[UUID, str], *, source: Source) -> None:
    """The same; a session's timeline tells of a video."""
    Video.objects.bulk_create(found)
    _enroll("video", found, fingerprints)
    record(
        [
            NewEvent(
                video.workspace_id,
                "session",
                video.session_id,
                "session.video",
                source,
                {"video_id": video.video_id},
            )
            for video in found
        ]
    )


def _enroll(kind: str, rows: Sequence[Resource] | Sequence[Video], fingerprints: Mapping[UUID, str]) -> None:
    by_workspace: dict[UUID, list[UUID]] = defaultdict(list)
    for row in rows:
        by_workspace[row.workspace_id].append(row.pk)
    for workspace_id, ids in by_workspace.items():
        schedule.enroll(kind, ids, workspace_id=workspace_id, fingerprint=fingerprints[workspace_id])
