"""What a webhook delivery does here: it makes a session or video due. What it says is read again, never believed."""

from __future__ import annotations

from uuid import UUID

from polling import schedule
from sessions_app.models import Video, VideoSession
from workspaces_app.webhooks import Delivery


def wake(delivery: Delivery) -> bool:
    """Wakes the polls of what the delivery names; False when nothing of ours is meant."""
    sessions: set[UUID] = set()
    if delivery.object_kind == "session" and delivery.object_id is not None:
        sessions.update(
            VideoSession.objects.filter(
                pk=delivery.object_id, workspace_id=delivery.workspace_id
            ).values_list("pk", flat=True)
        )
    if delivery.session_id:
        sessions.update(
            VideoSession.objects.filter(
                workspace_id=delivery.workspace_id, remote_id=delivery.session_id
            ).values_list("pk", flat=True)
        )
    videos: set[UUID] = set()
    if delivery.video_id:
        rows = Video.objects.filter(workspace_id=delivery.workspace_id, video_id=delivery.video_id)
        for pk, session_id in rows.values_list("pk", "session_id"):
            videos.add(pk)
            sessions.add(session_id)
    schedule.wake("session", sessions)
    schedule.wake("video", videos)
    return bool(sessions or videos)
