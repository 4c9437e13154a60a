from __future__ import annotations

import pytest

from heygen.statuses import session_group, stream_group, video_group


@pytest.mark.parametrize(
    ("status", "group"),
    [
        ("thinking", "working"),
        ("processing", "working"),
        ("generating", "working"),
        ("waiting_for_input", "needs_you"),
        ("reviewing", "needs_you"),
        ("completed", "done"),
        ("failed", "failed"),
        ("Waiting_For_Input", "needs_you"),
        (" COMPLETED ", "done"),
        ("dreaming", "unknown"),
        ("", "unknown"),
    ],
)
def test_sessions(status: str, group: str) -> None:
    assert session_group(status) == group


@pytest.mark.parametrize(
    ("status", "group"),
    [
        ("queued", "working"),
        ("pending", "working"),
        ("waiting", "working"),
        ("processing", "working"),
        ("completed", "done"),
        ("failed", "failed"),
        ("not_found", "failed"),
        ("PENDING", "working"),
        ("new", "unknown"),
    ],
)
def test_videos(status: str, group: str) -> None:
    assert video_group(status) == group


@pytest.mark.parametrize(
    ("status", "group"),
    [
        ("pending", "working"),
        ("streaming", "working"),
        ("ready", "working"),
        ("completed", "done"),
        ("error", "failed"),
        ("failed", "failed"),
        ("Streaming", "working"),
        ("new", "unknown"),
    ],
)
def test_streams(status: str, group: str) -> None:
    assert stream_group(status) == group
