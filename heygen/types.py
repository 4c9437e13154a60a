"""What the API answers with, as typed values.

Every class is frozen and keeps the JSON it was read from as `raw` (all of it, also what we don't know).
Times are aware and UTC. None means that HeyGen did not say; an empty tuple that there are none, null and
absent lists included. Statuses are HeyGen's own words, unchecked; `heygen.statuses` groups them.
`from_json` raises `heygen.decoding.WrongShape`, which the client turns into `BadPayload`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from heygen import decoding as read
from heygen import statuses
from heygen.json_types import Raw

T = TypeVar("T")

# A session read returns the newest 40 messages; a window of fewer is the whole visible conversation.
MESSAGE_WINDOW = 40

# The words that the contract lists for a field. Others are kept and shown as they come, and logged once.
_ROLES = frozenset({"user", "model"})
_MESSAGE_TYPES = frozenset({"text", "resource", "error"})
_SOURCE_TYPES = frozenset({"generated", "user_uploaded"})
_TRAINING_STATUSES = frozenset({"processing", "pending_consent", "failed", "completed"})
_AVATAR_TYPES = frozenset({"studio_avatar", "digital_twin", "photo_avatar"})
_LOOK_ORIENTATIONS = frozenset({"portrait", "landscape", "square"})
_VOICE_TYPES = frozenset({"public", "private"})
_VOICE_STATUSES = frozenset({"processing", "complete", "completed", "failed"})
_BILLING_TYPES = frozenset({"wallet", "subscription", "usage_based"})
_CURRENCIES = frozenset({"usd", "credits"})
_PLANS = frozenset({"free", "starter", "creator", "pro", "team", "enterprise", "business_plus"})


def _status(kind: str, raw: Raw, known: Container[str]) -> str:
    """The status that the object cannot be without."""
    value = read.required_text(kind, raw, "status")
    read.note_word(kind, "status", value, known)
    return value


def _word(kind: str, raw: Raw, key: str, known: Container[str]) -> str | None:
    """A word of a documented list, or any other."""
    value = read.optional_text(kind, raw, key)
    if value:
        read.note_word(kind, key, value, known)
    return value


# ------------------------------------------------------------------ sessions


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
            status=_word("CreatedSession", raw, "status", statuses.SESSION) or default_status,
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
            _word("RemoteMessage", raw, "role", _ROLES) or "",
            read.text("RemoteMessage", raw, "content"),
            _word("RemoteMessage", raw, "type", _MESSAGE_TYPES) or "text",
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
            status=_status("RemoteSession", raw, statuses.SESSION),
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
            source_type=_word("RemoteResource", raw, "source_type", _SOURCE_TYPES),
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


# -------------------------------------------------------------------- videos


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
            status=_status("RemoteVideo", raw, statuses.VIDEO),
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
            status=_status("VideoStatus", raw, statuses.VIDEO),
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


# ----------------------------------------------------------------- catalogue


@dataclass(frozen=True, slots=True)
class TrainingError:
    """Why a private avatar could not be made."""

    code: str
    message: str
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("TrainingError", value)
        return cls(
            code=read.text("TrainingError", raw, "code"),
            message=read.text("TrainingError", raw, "message"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class AvatarGroup:
    """An avatar, that is, a group of looks. Its id is not what `avatar_id` fields want.

    Source: GET /v3/avatars, GET /v3/avatars/{group_id}.
    """

    group_id: str
    name: str
    created_at: datetime | None
    looks_count: int
    gender: str | None
    preview_image_url: str | None
    preview_video_url: str | None
    default_voice_id: str | None
    consent_status: str | None
    status: str | None
    error: TrainingError | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("AvatarGroup", value)
        read.note_unknown("AvatarGroup", raw, _AVATAR_GROUP)
        return cls(
            group_id=read.identity("AvatarGroup", raw, "id", "group_id", "avatar_id"),
            name=read.text("AvatarGroup", raw, "name"),
            created_at=read.moment("AvatarGroup", raw, "created_at"),
            looks_count=max(0, read.whole("AvatarGroup", raw, "looks_count") or 0),
            gender=read.optional_text("AvatarGroup", raw, "gender"),
            preview_image_url=read.optional_text("AvatarGroup", raw, "preview_image_url") or None,
            preview_video_url=read.optional_text("AvatarGroup", raw, "preview_video_url") or None,
            default_voice_id=read.optional_text("AvatarGroup", raw, "default_voice_id") or None,
            consent_status=read.optional_text("AvatarGroup", raw, "consent_status"),
            status=_word("AvatarGroup", raw, "status", _TRAINING_STATUSES),
            error=read.nested("AvatarGroup", raw, "error", TrainingError.from_json),
            raw=raw,
        )


_AVATAR_GROUP = frozenset(
    {
        "id",
        "name",
        "created_at",
        "looks_count",
        "gender",
        "preview_image_url",
        "preview_video_url",
        "default_voice_id",
        "consent_status",
        "status",
        "error",
    }
)


@dataclass(frozen=True, slots=True)
class Look:
    """One look of an avatar; `look_id` is what every `avatar_id` field wants.

    Source: GET /v3/avatars/looks, GET /v3/avatars/looks/{look_id}.
    """

    look_id: str
    name: str
    avatar_type: str
    group_id: str | None
    gender: str | None
    tags: tuple[str, ...]
    default_voice_id: str | None
    supported_api_engines: tuple[str, ...]
    image_width: int | None
    image_height: int | None
    preferred_orientation: str | None
    preview_image_url: str | None
    preview_video_url: str | None
    status: str | None
    error: TrainingError | None
    raw: Raw = field(repr=False)

    @property
    def usable(self) -> bool:
        """Public looks have no status; a private one works once its training is over."""
        return (self.status or "completed").lower() in {"completed", "complete"}

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("Look", value)
        read.note_unknown("Look", raw, _LOOK)
        return cls(
            look_id=read.identity("Look", raw, "id", "look_id", "avatar_id"),
            name=read.text("Look", raw, "name"),
            avatar_type=_word("Look", raw, "avatar_type", _AVATAR_TYPES) or "",
            group_id=read.optional_text("Look", raw, "group_id") or None,
            gender=read.optional_text("Look", raw, "gender"),
            tags=read.texts("Look", raw, "tags"),
            default_voice_id=read.optional_text("Look", raw, "default_voice_id") or None,
            supported_api_engines=read.texts("Look", raw, "supported_api_engines"),
            image_width=read.whole("Look", raw, "image_width"),
            image_height=read.whole("Look", raw, "image_height"),
            preferred_orientation=_word("Look", raw, "preferred_orientation", _LOOK_ORIENTATIONS),
            preview_image_url=read.optional_text("Look", raw, "preview_image_url") or None,
            preview_video_url=read.optional_text("Look", raw, "preview_video_url") or None,
            status=_word("Look", raw, "status", _TRAINING_STATUSES),
            error=read.nested("Look", raw, "error", TrainingError.from_json),
            raw=raw,
        )


_LOOK = frozenset(
    {
        "id",
        "name",
        "avatar_type",
        "group_id",
        "gender",
        "tags",
        "default_voice_id",
        "supported_api_engines",
        "image_width",
        "image_height",
        "preferred_orientation",
        "preview_image_url",
        "preview_video_url",
        "status",
        "error",
    }
)


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice, from the list or read alone; each form leaves out some of the fields.

    `type` is "public" or "private" (list only), `status` "processing", "complete", "completed" or "failed"
    (read only). Source: GET /v3/voices, GET /v3/voices/{voice_id}.
    """

    voice_id: str
    name: str | None
    language: str | None
    gender: str | None
    type: str | None
    support_pause: bool
    support_locale: bool
    support_interactive_avatar: bool
    preview_audio_url: str | None
    status: str | None
    failure_message: str | None
    created_at: datetime | None
    raw: Raw = field(repr=False)

    @property
    def usable(self) -> bool:
        """HeyGen writes "complete" here and "completed" elsewhere; public voices have no status."""
        return (self.status or "complete").lower() in {"complete", "completed"}

    @property
    def playable_preview(self) -> str | None:
        """The preview's address where a browser can open it: s3:// addresses were seen."""
        address = self.preview_audio_url
        return address if address and address.lower().startswith(("https://", "http://")) else None

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("Voice", value)
        read.note_unknown("Voice", raw, _VOICE)
        return cls(
            voice_id=read.identity("Voice", raw, "voice_id", "id"),
            name=read.optional_text("Voice", raw, "name"),
            language=read.optional_text("Voice", raw, "language"),
            gender=read.optional_text("Voice", raw, "gender"),
            type=_word("Voice", raw, "type", _VOICE_TYPES),
            support_pause=read.flag("Voice", raw, "support_pause"),
            support_locale=read.flag("Voice", raw, "support_locale"),
            support_interactive_avatar=read.flag("Voice", raw, "support_interactive_avatar"),
            preview_audio_url=read.optional_text("Voice", raw, "preview_audio_url") or None,
            status=_word("Voice", raw, "status", _VOICE_STATUSES),
            failure_message=read.optional_text("Voice", raw, "failure_message"),
            created_at=read.moment("Voice", raw, "created_at"),
            raw=raw,
        )


_VOICE = frozenset(
    {
        "voice_id",
        "name",
        "language",
        "gender",
        "type",
        "support_pause",
        "support_locale",
        "support_interactive_avatar",
        "preview_audio_url",
        "status",
        "failure_message",
        "created_at",
    }
)


@dataclass(frozen=True, slots=True)
class BrandKit:
    """A brand kit; one whose `status` is "loading" cannot be used yet. Source: GET /v3/brand-kits."""

    brand_kit_id: str
    name: str
    logo_url: str | None
    colors: tuple[str, ...]
    status: str | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("BrandKit", value)
        read.note_unknown("BrandKit", raw, _BRAND_KIT)
        return cls(
            brand_kit_id=read.identity("BrandKit", raw, "brand_kit_id", "id"),
            name=read.text("BrandKit", raw, "name"),
            logo_url=read.optional_text("BrandKit", raw, "logo_url") or None,
            colors=read.texts("BrandKit", raw, "colors"),
            status=read.optional_text("BrandKit", raw, "status"),
            raw=raw,
        )


_BRAND_KIT = frozenset({"brand_kit_id", "name", "logo_url", "colors", "status"})


@dataclass(frozen=True, slots=True)
class BrandGlossary:
    """A list of words and how to say them. Source: GET /v3/brand-glossaries."""

    brand_glossary_id: str
    name: str
    created_at: datetime | None
    updated_at: datetime | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("BrandGlossary", value)
        read.note_unknown("BrandGlossary", raw, _BRAND_GLOSSARY)
        return cls(
            brand_glossary_id=read.identity("BrandGlossary", raw, "brand_glossary_id", "id"),
            name=read.text("BrandGlossary", raw, "name"),
            created_at=read.moment("BrandGlossary", raw, "created_at"),
            updated_at=read.moment("BrandGlossary", raw, "updated_at"),
            raw=raw,
        )


_BRAND_GLOSSARY = frozenset({"brand_glossary_id", "name", "created_at", "updated_at"})


# ------------------------------------------------------------------- account


@dataclass(frozen=True, slots=True)
class AutoReload:
    """Whether a wallet fills itself, and from which balance, in US dollars."""

    enabled: bool
    threshold_usd: float | None
    amount_usd: float | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("AutoReload", value)
        return cls(
            enabled=read.flag("AutoReload", raw, "enabled"),
            threshold_usd=read.number("AutoReload", raw, "threshold_usd"),
            amount_usd=read.number("AutoReload", raw, "amount_usd"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Wallet:
    """A prepaid balance in `currency` ("usd" or "credits"); None is unknown, not zero."""

    currency: str
    remaining_balance: float | None
    auto_reload: AutoReload | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("Wallet", value)
        return cls(
            currency=_word("Wallet", raw, "currency", _CURRENCIES) or "",
            remaining_balance=read.number("Wallet", raw, "remaining_balance"),
            auto_reload=read.nested("Wallet", raw, "auto_reload", AutoReload.from_json),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class CreditBucket:
    """Credits of a plan and when they are filled again."""

    remaining: int | None
    resets_at: datetime | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("CreditBucket", value)
        return cls(
            remaining=read.whole("CreditBucket", raw, "remaining"),
            resets_at=read.moment("CreditBucket", raw, "resets_at"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Subscription:
    """A plan; `plan` is for instance "creator" or "enterprise"."""

    plan: str
    premium_credits: CreditBucket | None
    add_on_credits: CreditBucket | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("Subscription", value)
        credits = read.mapping("Subscription", raw, "credits") or {}
        return cls(
            plan=_word("Subscription", raw, "plan", _PLANS) or "",
            premium_credits=read.nested("Subscription", credits, "premium_credits", CreditBucket.from_json),
            add_on_credits=read.nested("Subscription", credits, "add_on_credits", CreditBucket.from_json),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class UsageBased:
    """Spending against a cap, in US dollars, and credits; None is unknown."""

    spending_current_usd: float | None
    spending_cap_usd: float | None
    included_credits: float | None
    remaining_credits: float | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("UsageBased", value)
        return cls(
            spending_current_usd=read.number("UsageBased", raw, "spending_current_usd"),
            spending_cap_usd=read.number("UsageBased", raw, "spending_cap_usd"),
            included_credits=read.number("UsageBased", raw, "included_credits"),
            remaining_credits=read.number("UsageBased", raw, "remaining_credits"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Account:
    """Who the key belongs to and what is left; the object that `billing_type` names is filled.

    The figures are a hint: plan credits that this call does not show were charged. Source: GET /v3/users/me.
    """

    username: str
    email: str | None
    first_name: str | None
    last_name: str | None
    billing_type: str | None
    wallet: Wallet | None
    subscription: Subscription | None
    usage_based: UsageBased | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("Account", value)
        read.note_unknown("Account", raw, _ACCOUNT)
        return cls(
            username=read.text("Account", raw, "username"),
            email=read.optional_text("Account", raw, "email"),
            first_name=read.optional_text("Account", raw, "first_name"),
            last_name=read.optional_text("Account", raw, "last_name"),
            billing_type=_word("Account", raw, "billing_type", _BILLING_TYPES),
            wallet=read.nested("Account", raw, "wallet", Wallet.from_json),
            subscription=read.nested("Account", raw, "subscription", Subscription.from_json),
            usage_based=read.nested("Account", raw, "usage_based", UsageBased.from_json),
            raw=raw,
        )


_ACCOUNT = frozenset(
    {
        "username",
        "email",
        "first_name",
        "last_name",
        "billing_type",
        "wallet",
        "subscription",
        "usage_based",
    }
)


# -------------------------------------------------------------------- assets


@dataclass(frozen=True, slots=True)
class UploadedAsset:
    """A stored file; `mime_type` is what HeyGen detected. `status` is given by `complete` only.

    Source: POST /v3/assets, POST /v3/assets/{asset_id}/complete.
    """

    asset_id: str
    url: str | None = field(repr=False)
    mime_type: str
    size_bytes: int | None
    status: str | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("UploadedAsset", value)
        read.note_unknown("UploadedAsset", raw, _UPLOADED_ASSET)
        return cls(
            asset_id=read.identity("UploadedAsset", raw, "asset_id", "id"),
            url=read.optional_text("UploadedAsset", raw, "url") or None,
            mime_type=read.text("UploadedAsset", raw, "mime_type"),
            size_bytes=read.whole("UploadedAsset", raw, "size_bytes"),
            status=read.optional_text("UploadedAsset", raw, "status"),
            raw=raw,
        )


_UPLOADED_ASSET = frozenset({"asset_id", "url", "mime_type", "size_bytes", "status"})


@dataclass(frozen=True, slots=True)
class DirectUpload:
    """Where and how to put the bytes of a large file; the address is a credential, hidden from repr.

    Source: POST /v3/assets/direct-uploads.
    """

    asset_id: str
    upload_url: str = field(repr=False)
    upload_headers: Mapping[str, str] = field(repr=False)
    expires_in_seconds: int | None
    max_bytes: int | None
    status: str | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("DirectUpload", value)
        read.note_unknown("DirectUpload", raw, _DIRECT_UPLOAD)
        headers = read.mapping("DirectUpload", raw, "upload_headers") or {}
        return cls(
            asset_id=read.identity("DirectUpload", raw, "asset_id", "id"),
            upload_url=read.required_text("DirectUpload", raw, "upload_url"),
            upload_headers={
                name: read.text("DirectUpload.upload_headers", headers, name) for name in headers
            },
            expires_in_seconds=read.whole("DirectUpload", raw, "expires_in_seconds"),
            max_bytes=read.whole("DirectUpload", raw, "max_bytes"),
            status=read.optional_text("DirectUpload", raw, "status"),
            raw=raw,
        )


_DIRECT_UPLOAD = frozenset(
    {"asset_id", "upload_url", "upload_headers", "expires_in_seconds", "max_bytes", "status"}
)


@dataclass(frozen=True, slots=True)
class RemoteAsset:
    """A stored file as lists and reads show it. Source: GET /v3/assets, GET /v3/assets/{asset_id}."""

    asset_id: str
    name: str
    type: str
    owner: str | None
    space_id: str | None
    uploaded_at: datetime | None
    folder_id: str | None
    url: str | None = field(repr=False)
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("RemoteAsset", value)
        read.note_unknown("RemoteAsset", raw, _REMOTE_ASSET)
        return cls(
            asset_id=read.identity("RemoteAsset", raw, "id", "asset_id"),
            name=read.text("RemoteAsset", raw, "name"),
            type=read.text("RemoteAsset", raw, "type"),
            owner=read.optional_text("RemoteAsset", raw, "owner"),
            space_id=read.optional_text("RemoteAsset", raw, "space_id"),
            uploaded_at=read.moment("RemoteAsset", raw, "uploaded_at"),
            folder_id=read.optional_text("RemoteAsset", raw, "folder_id"),
            url=read.optional_text("RemoteAsset", raw, "url") or None,
            raw=raw,
        )


_REMOTE_ASSET = frozenset({"id", "name", "type", "owner", "space_id", "uploaded_at", "folder_id", "url"})


# ------------------------------------------------------------------ realtime


@dataclass(frozen=True, slots=True)
class CreatedStream:
    """A live stream was started. There is no list: keep the id at once. Source: POST /v3/avatar-realtime."""

    stream_id: str
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("CreatedStream", value)
        return cls(stream_id=read.identity("CreatedStream", raw, "stream_id", "id"), raw=raw)


# The public guide's words for what the reference calls otherwise.
_STREAM_STATUS = {"ready": "streaming", "failed": "error"}


@dataclass(frozen=True, slots=True)
class RemoteStream:
    """The state of a live stream.

    `status` is "pending", "streaming", "completed", "error" or HeyGen's own word where it is none of them
    (lower case); `raw_status` is as it came. `hls_url` is given only while it streams.
    Source: GET /v3/avatar-realtime/{stream_id}.
    """

    stream_id: str
    status: str
    raw_status: str
    hls_url: str | None
    error_message: str | None
    end_reason: str | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("RemoteStream", value)
        read.note_unknown("RemoteStream", raw, _REMOTE_STREAM)
        raw_status = _status("RemoteStream", raw, statuses.STREAM)
        word = raw_status.strip().lower()
        return cls(
            stream_id=read.identity("RemoteStream", raw, "stream_id", "id"),
            status=_STREAM_STATUS.get(word, word),
            raw_status=raw_status,
            hls_url=read.optional_text("RemoteStream", raw, "hls_url")
            or read.optional_text("RemoteStream", raw, "url")
            or None,
            error_message=read.optional_text("RemoteStream", raw, "error_message"),
            end_reason=read.optional_text("RemoteStream", raw, "end_reason"),
            raw=raw,
        )


_REMOTE_STREAM = frozenset({"stream_id", "status", "hls_url", "url", "error_message", "end_reason"})


@dataclass(frozen=True, slots=True)
class Appended:
    """Text was taken; `buffered_bytes` is the total buffered so far, None when it was not said.

    Source: POST /v3/avatar-realtime/{stream_id}/text.
    """

    buffered_bytes: int | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("Appended", value)
        read.note_unknown("Appended", raw, _APPENDED)
        return cls(buffered_bytes=read.whole("Appended", raw, "buffered_bytes"), raw=raw)


_APPENDED = frozenset({"ok", "buffered_bytes"})


@dataclass(frozen=True, slots=True)
class Cancelled:
    """`cancelled` is False when the stream had already ended. Source: POST …/cancel."""

    cancelled: bool
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("Cancelled", value)
        return cls(cancelled=read.flag("Cancelled", raw, "cancelled"), raw=raw)


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word or punctuation mark; seconds from the start of the spoken audio."""

    word: str
    start: float
    end: float
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("Word", value)
        start = read.number("Word", raw, "start")
        end = read.number("Word", raw, "end")
        if start is None:
            start = end or 0.0
        return cls(
            word=read.text("Word", raw, "word"),
            start=max(0.0, start),
            end=max(0.0, start, start if end is None else end),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class WordBatch:
    """The next words, in order. Source: GET /v3/avatar-realtime/{stream_id}/words."""

    words: tuple[Word, ...]
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("WordBatch", value)
        items = raw.get("words")
        if items is not None and not isinstance(items, list):
            raise read.WrongShape("WordBatch.words is not a list")
        # A word that is left out would shift the count that a reader continues from.
        return cls(words=tuple(Word.from_json(item) for item in items or ()), raw=raw)


@dataclass(frozen=True, slots=True)
class EndOfWords:
    """The server said that no more words come: "final_marker", "idle_timeout", "error", "completed", …"""

    reason: str
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = value if isinstance(value, dict) else {}
        return cls(reason=read.text("EndOfWords", raw, "reason"), raw=raw)


# ------------------------------------------------------------------ webhooks


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of notice that an endpoint can ask for. Source: GET /v3/webhooks/event-types."""

    event_type: str
    description: str
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("EventType", value)
        return cls(
            event_type=read.required_text("EventType", raw, "event_type"),
            description=read.text("EventType", raw, "description"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """An address that HeyGen notifies. `events` None means all; `secret` only on create, hidden from repr.

    Source: GET and POST /v3/webhooks/endpoints.
    """

    endpoint_id: str
    url: str
    events: tuple[str, ...] | None
    status: str
    created_at: datetime | None
    secret: str | None = field(repr=False)
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("WebhookEndpoint", value)
        read.note_unknown("WebhookEndpoint", raw, _WEBHOOK_ENDPOINT)
        return cls(
            endpoint_id=read.identity("WebhookEndpoint", raw, "endpoint_id", "id"),
            url=read.text("WebhookEndpoint", raw, "url"),
            events=None if raw.get("events") is None else read.texts("WebhookEndpoint", raw, "events"),
            status=read.text("WebhookEndpoint", raw, "status"),
            created_at=read.moment("WebhookEndpoint", raw, "created_at"),
            secret=read.optional_text("WebhookEndpoint", raw, "secret") or None,
            raw=raw,
        )


_WEBHOOK_ENDPOINT = frozenset({"endpoint_id", "url", "events", "status", "created_at", "secret"})


@dataclass(frozen=True, slots=True)
class RotatedSecret:
    """The new signing secret of an endpoint; the old one is dead at once.

    Source: POST /v3/webhooks/endpoints/{endpoint_id}/rotate-secret.
    """

    endpoint_id: str
    secret: str = field(repr=False)
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("RotatedSecret", value)
        return cls(
            endpoint_id=read.text("RotatedSecret", raw, "endpoint_id"),
            secret=read.required_text("RotatedSecret", raw, "secret"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A notice that HeyGen delivered or tried to. Source: GET /v3/webhooks/events."""

    event_id: str
    event_type: str
    event_data: Mapping[str, Any] = field(repr=False)
    created_at: datetime | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("WebhookEvent", value)
        return cls(
            event_id=read.identity("WebhookEvent", raw, "event_id", "id"),
            event_type=read.text("WebhookEvent", raw, "event_type")
            or read.text("WebhookEvent", raw, "event")
            or read.text("WebhookEvent", raw, "type"),
            event_data=read.mapping("WebhookEvent", raw, "event_data") or {},
            created_at=read.moment("WebhookEvent", raw, "created_at"),
            raw=raw,
        )


# --------------------------------------------------------------------- lists


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. `next_token` is None at the end, whatever way the server says so."""

    items: tuple[T, ...]
    next_token: str | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, body: Raw, decode: Callable[[Any], T]) -> Page[T]:
        """Read a whole list answer, envelope included.

        Items and cursor are looked for beside and inside `data`, under every documented name; a null list
        is an empty one.
        """
        inside = body.get("data")
        places = [body, inside] if isinstance(inside, dict) else [body]
        return cls(
            items=read.objects("Page", _items(body, inside), decode),
            next_token=_next_token(places),
            raw=body,
        )


def _items(body: Raw, inside: Any) -> list[Any]:
    if isinstance(inside, list):
        return inside
    if inside is None and "data" in body:
        return []
    if not isinstance(inside, dict):
        raise read.WrongShape("the list answer has no data")
    for name in ("items", "resources", "data", "list"):
        if name in inside:
            value = inside[name]
            if isinstance(value, list):
                return value
            if value is None:
                return []
            raise read.WrongShape(f"data.{name} is not a list")
    lists = [value for value in inside.values() if isinstance(value, list)]
    if len(lists) == 1:
        read.note("Page", "data", "holds its items under an unknown name")
        return lists[0]
    raise read.WrongShape("the list answer has no items")


def _next_token(places: list[Raw]) -> str | None:
    if any(place.get("has_more") is False for place in places):
        return None
    for place in places:
        for name in ("next_token", "next_cursor"):
            token = place.get(name)
            if isinstance(token, str) and token:
                return token
            if isinstance(token, int) and not isinstance(token, bool) and abs(token) <= read.LARGEST:
                return str(token)
    return None
