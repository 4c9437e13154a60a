"""Where people find the same things in HeyGen's own application. Source: heygen-api.md, section 4.14."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from sessions_app.models import Video, VideoSession
    from workspaces_app.models import Workspace

API, APPLICATION = "https://api.heygen.com", "https://app.heygen.com"


def of_session(session: VideoSession) -> str:
    """The session there, or the application itself for one that nobody knows the id of; "" for a HeyGen that has none."""
    if not _is_heygen(session.workspace):
        return ""
    return f"{APPLICATION}/video-agent/{_segment(session.remote_id)}" if session.remote_id else APPLICATION


def of_video(video: Video, workspace: Workspace) -> str:
    """The video there; where HeyGen itself says comes before where we believe it to be."""
    if not _is_heygen(workspace):
        return ""
    if video.page_url.startswith(f"{APPLICATION}/"):
        return video.page_url
    return f"{APPLICATION}/videos/{_segment(video.video_id)}"


def _is_heygen(workspace: Workspace) -> bool:
    """Not the simulator, nor another address that speaks the API."""
    return workspace.base_url.rstrip("/") == API


def _segment(remote_id: str) -> str:
    return quote(remote_id, safe="")
