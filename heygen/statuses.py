"""What a status means for us: which group it belongs to.

One permissive table for both dialects: words are compared without regard to case, and a word that we don't
know is "unknown", which is shown as it came and polled slowly like work in progress.
Source: heygen-api.md, sections 4.10, 5 and 9.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Group = Literal["working", "needs_you", "done", "failed", "unknown"]

SESSION: dict[str, Group] = {
    "thinking": "working",
    "processing": "working",
    "generating": "working",
    "waiting_for_input": "needs_you",
    "reviewing": "needs_you",
    "completed": "done",
    "failed": "failed",
}

VIDEO: dict[str, Group] = {
    "queued": "working",
    "pending": "working",
    "waiting": "working",
    "processing": "working",
    "completed": "done",
    "complete": "done",
    "failed": "failed",
    "not_found": "failed",
}

STREAM: dict[str, Group] = {
    "pending": "working",
    "streaming": "working",
    "ready": "working",
    "completed": "done",
    "error": "failed",
    "failed": "failed",
}


def session_group(status: str) -> Group:
    """The group of a session's raw status, of either dialect."""
    return _group(SESSION, status)


def video_group(status: str) -> Group:
    """The group of a video's raw status, from a single or a bulk read."""
    return _group(VIDEO, status)


def stream_group(status: str) -> Group:
    """The group of a live stream's status, raw or normalised."""
    return _group(STREAM, status)


def _group(table: Mapping[str, Group], status: str) -> Group:
    return table.get(status.strip().lower(), "unknown")
