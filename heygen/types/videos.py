"""Rendered videos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from heygen import decoding as read
from heygen import statuses
from heygen.json_types import Raw
from heygen.types.fields import required_status


@dataclass(frozen=True, slots=True)
class RemoteVideo:
    """One rendered video. `duration` is in seconds; the links are signed and short-lived.

    Its id is `id` on the wire here, `video_id` on sessions and in webhooks. `created_at` is when rendering
    was queued. Source: GET /v3/videos/{video_id}.
    """

    video_id: str
    status: str
    title: str | None
    created_at: datetime | None
    completed_at: datetime | None
    video_url: str | None = field(repr=False)
    captioned_video_url: str | None = field(repr=False)
    subtitle_url: str | None = field(repr=False)
    thumbnail_url: str | None = field(repr=False)
    gif_url: str | None = field(repr=False)
    duration: float | None
    folder_id: str | None
    output_language: str | None
    failure_code: str | None
    failure_message: str | None
    video_page_url: str | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("RemoteVideo", value)
        read.note_unknown("RemoteVideo", raw, _REMOTE_VIDEO)
        return cls(
            video_id=read.identity("RemoteVideo", raw, "id", "video_id"),
            status=required_status("RemoteVideo", raw, statuses.VIDEO),
            title=read.optional_text("RemoteVideo", raw, "title"),
            created_at=read.moment("RemoteVideo", raw, "created_at"),
            completed_at=read.moment("RemoteVideo", raw, "completed_at"),
            video_url=read.optional_text("RemoteVideo", raw, "video_url") or None,
            captioned_video_url=read.optional_text("RemoteVideo", raw, "captioned_video_url") or None,
            subtitle_url=read.optional_text("RemoteVideo", raw, "subtitle_url") or None,
            thumbnail_url=read.optional_text("RemoteVideo", raw, "thumbnail_url") or None,
            gif_url=read.optional_text("RemoteVideo", raw, "gif_url") or None,
            duration=read.number("RemoteVideo", raw, "duration"),
            folder_id=read.optional_text("RemoteVideo", raw, "folder_id"),
            output_language=read.optional_text("RemoteVideo", raw, "output_language"),
            failure_code=read.optional_text("RemoteVideo", raw, "failure_code"),
            failure_message=read.optional_text("RemoteVideo", raw, "failure_message"),
            video_page_url=read.optional_text("RemoteVideo", raw, "video_page_url") or None,
            raw=raw,
        )


_REMOTE_VIDEO = frozenset(
    {
        "id",
        "status",
        "title",
        "created_at",
        "completed_at",
        "video_url",
        "captioned_video_url",
        "subtitle_url",
        "thumbnail_url",
        "gif_url",
        "duration",
        "folder_id",
        "output_language",
        "failure_code",
        "failure_message",
        "video_page_url",
    }
)


@dataclass(frozen=True, slots=True)
class VideoStatus:
    """The state of one video in a bulk read; an unknown id has the status "not_found".

    Source: GET /v3/videos/statuses.
    """

    video_id: str | None
    status: str
    error: Mapping[str, Any] | None
    batch_id: str | None
    item_index: int | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("VideoStatus", value)
        read.note_unknown("VideoStatus", raw, _VIDEO_STATUS)
        return cls(
            video_id=read.optional_text("VideoStatus", raw, "video_id"),
            status=required_status("VideoStatus", raw, statuses.VIDEO),
            error=read.mapping("VideoStatus", raw, "error"),
            batch_id=read.optional_text("VideoStatus", raw, "batch_id"),
            item_index=read.whole("VideoStatus", raw, "item_index"),
            raw=raw,
        )


_VIDEO_STATUS = frozenset({"video_id", "status", "error", "batch_id", "item_index"})


@dataclass(frozen=True, slots=True)
class Deleted:
    """Something was deleted. `id` is what the server named, or what was asked for when it named nothing."""

    id: str
    raw: Raw = field(repr=False)
