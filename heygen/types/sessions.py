"""Video Agent sessions: their messages, resources and styles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from heygen import decoding as read
from heygen import statuses
from heygen.json_types import Raw
from heygen.types.fields import known_word, required_status

# A session read returns the newest 40 messages; a window of fewer is the whole visible conversation.
MESSAGE_WINDOW = 40

# The words that the contract lists for a field. Others are kept and shown as they come, and logged once.
_ROLES = frozenset({"user", "model"})
_MESSAGE_TYPES = frozenset({"text", "resource", "error"})
_SOURCE_TYPES = frozenset({"generated", "user_uploaded"})


@dataclass(frozen=True, slots=True)
class CreatedSession:
    """The answer to a create. The old dialect gives id and time only: then `status` is "processing".

    Source: POST /v3/video-agents, POST /v3/video-agents/sessions.
    """

    session_id: str
    status: str
    video_id: str | None
    created_at: datetime | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any, *, default_status: str = "thinking") -> Self:
        raw = read.json_object("CreatedSession", value)
        read.note_unknown("CreatedSession", raw, _CREATED_SESSION)
        return cls(
            session_id=read.identity("CreatedSession", raw, "session_id"),
            status=known_word("CreatedSession", raw, "status", statuses.SESSION) or default_status,
            video_id=read.optional_identity("CreatedSession", raw, "video_id"),
            created_at=read.moment("CreatedSession", raw, "created_at"),
            raw=raw,
        )


_CREATED_SESSION = frozenset({"session_id", "status", "video_id", "created_at"})


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One row of the session list; it has no status. Source: GET /v3/video-agents."""

    session_id: str
    title: str | None
    created_at: datetime | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("SessionSummary", value)
        read.note_unknown("SessionSummary", raw, _SESSION_SUMMARY)
        return cls(
            session_id=read.identity("SessionSummary", raw, "session_id"),
            title=read.optional_text("SessionSummary", raw, "title"),
            created_at=read.moment("SessionSummary", raw, "created_at"),
            raw=raw,
        )


_SESSION_SUMMARY = frozenset({"session_id", "title", "created_at"})


@dataclass(frozen=True, slots=True)
class RemoteMessage:
    """One message of a session. It has no id; `created_at` has whole seconds and may be None.

    `role` is "user" or "model", `type` "text", "resource" or "error"; both are open. `content` is untrusted
    text and may be empty.
    """

    role: str
    content: str
    type: str
    created_at: datetime | None
    resource_ids: tuple[str, ...]
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("RemoteMessage", value)
        read.note_unknown("RemoteMessage", raw, _REMOTE_MESSAGE)
        return cls(
            known_word("RemoteMessage", raw, "role", _ROLES) or "",
            read.text("RemoteMessage", raw, "content"),
            known_word("RemoteMessage", raw, "type", _MESSAGE_TYPES) or "text",
            read.moment("RemoteMessage", raw, "created_at"),
            read.identities("RemoteMessage", raw, "resource_ids"),
            raw,
        )


_REMOTE_MESSAGE = frozenset({"role", "content", "type", "created_at", "resource_ids"})


@dataclass(frozen=True, slots=True)
class RemoteSession:
    """One Video Agent session.

    `progress` is 0-100 and may stay 0 or fall back. `messages` are oldest first (the wire has newest first).
    `window_full` says that older ones may exist that cannot be read; otherwise `messages` is the whole
    visible conversation. `raw["messages"]` keeps the order of the wire.
    Source: GET /v3/video-agents/{session_id} and its form in the old dialect.
    """

    session_id: str
    status: str
    progress: int
    title: str | None
    video_id: str | None
    created_at: datetime | None
    messages: tuple[RemoteMessage, ...]
    window_full: bool
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("RemoteSession", value)
        read.note_unknown("RemoteSession", raw, _REMOTE_SESSION)
        wire = raw.get("messages")
        if wire is None:
            wire = []
        elif not isinstance(wire, list):
            raise read.WrongShape("RemoteSession.messages is not a list")
        # A message that cannot be read must not be left out: its neighbours would look adjacent.
        messages = tuple(RemoteMessage.from_json(item) for item in reversed(wire))
        return cls(
            session_id=read.identity("RemoteSession", raw, "session_id"),
            status=required_status("RemoteSession", raw, statuses.SESSION),
            progress=max(0, min(100, read.whole("RemoteSession", raw, "progress") or 0)),
            title=read.optional_text("RemoteSession", raw, "title"),
            video_id=read.optional_identity("RemoteSession", raw, "video_id"),
            created_at=read.moment("RemoteSession", raw, "created_at"),
            messages=messages,
            window_full=len(messages) >= MESSAGE_WINDOW,
            raw=raw,
        )


_REMOTE_SESSION = frozenset(
    {"session_id", "status", "progress", "title", "video_id", "created_at", "messages"}
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message was taken. `run_id` can be looked up nowhere: keep it for support ("" when absent).

    Source: POST /v3/video-agents/{session_id}.
    """

    session_id: str
    run_id: str
    title: str | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("Sent", value)
        read.note_unknown("Sent", raw, _SENT)
        return cls(
            session_id=read.text("Sent", raw, "session_id"),
            run_id=read.text("Sent", raw, "run_id"),
            title=read.optional_text("Sent", raw, "title"),
            raw=raw,
        )


_SENT = frozenset({"session_id", "run_id", "title"})


@dataclass(frozen=True, slots=True)
class Stopped:
    """A stop was asked for; the agent halts at its next checkpoint. Source: POST …/stop."""

    session_id: str
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("Stopped", value)
        return cls(session_id=read.text("Stopped", raw, "session_id"), raw=raw)


@dataclass(frozen=True, slots=True)
class RemoteResource:
    """Something that the agent made or was given.

    `resource_type` is open ("image", "video", "draft", "avatar", "voice", "blueprint", …) and "" when
    absent. Links are short-lived and hidden from repr. `metadata` depends on the type: never rely on it.
    Source: GET /v3/video-agents/{session_id}/resources/{resource_id} and the old dialect's list.
    """

    resource_id: str
    resource_type: str
    source_type: str | None
    url: str | None = field(repr=False)
    thumbnail_url: str | None = field(repr=False)
    preview_url: str | None = field(repr=False)
    created_at: datetime | None
    metadata: Mapping[str, Any] | None = field(repr=False)
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("RemoteResource", value)
        read.note_unknown("RemoteResource", raw, _REMOTE_RESOURCE)
        return cls(
            resource_id=read.identity("RemoteResource", raw, "resource_id", "id"),
            resource_type=read.text("RemoteResource", raw, "resource_type"),
            source_type=known_word("RemoteResource", raw, "source_type", _SOURCE_TYPES),
            url=read.optional_text("RemoteResource", raw, "url") or None,
            thumbnail_url=read.optional_text("RemoteResource", raw, "thumbnail_url") or None,
            preview_url=read.optional_text("RemoteResource", raw, "preview_url") or None,
            created_at=read.moment("RemoteResource", raw, "created_at"),
            metadata=read.mapping("RemoteResource", raw, "metadata"),
            raw=raw,
        )


_REMOTE_RESOURCE = frozenset(
    {
        "resource_id",
        "resource_type",
        "source_type",
        "url",
        "thumbnail_url",
        "preview_url",
        "created_at",
        "metadata",
    }
)


@dataclass(frozen=True, slots=True)
class Style:
    """A visual style for new sessions. Source: GET /v3/video-agents/styles."""

    style_id: str
    name: str
    thumbnail_url: str | None
    preview_video_url: str | None
    tags: tuple[str, ...]
    aspect_ratio: str | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("Style", value)
        read.note_unknown("Style", raw, _STYLE)
        return cls(
            style_id=read.identity("Style", raw, "style_id"),
            name=read.text("Style", raw, "name"),
            thumbnail_url=read.optional_text("Style", raw, "thumbnail_url") or None,
            preview_video_url=read.optional_text("Style", raw, "preview_video_url") or None,
            tags=read.texts("Style", raw, "tags"),
            aspect_ratio=read.optional_text("Style", raw, "aspect_ratio"),
            raw=raw,
        )


_STYLE = frozenset({"style_id", "name", "thumbnail_url", "preview_video_url", "tags", "aspect_ratio"})
