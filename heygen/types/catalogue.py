"""What an account can choose from: avatars, looks, voices, brand kits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from heygen import decoding as read
from heygen.json_types import Raw
from heygen.types.fields import known_word

# The words that the contract lists for a field. Others are kept and shown as they come, and logged once.
_TRAINING_STATUSES = frozenset({"processing", "pending_consent", "failed", "completed"})
_AVATAR_TYPES = frozenset({"studio_avatar", "digital_twin", "photo_avatar"})
_LOOK_ORIENTATIONS = frozenset({"portrait", "landscape", "square"})
_VOICE_TYPES = frozenset({"public", "private"})
_VOICE_STATUSES = frozenset({"processing", "complete", "completed", "failed"})


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
            status=known_word("AvatarGroup", raw, "status", _TRAINING_STATUSES),
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
            avatar_type=known_word("Look", raw, "avatar_type", _AVATAR_TYPES) or "",
            group_id=read.optional_text("Look", raw, "group_id") or None,
            gender=read.optional_text("Look", raw, "gender"),
            tags=read.texts("Look", raw, "tags"),
            default_voice_id=read.optional_text("Look", raw, "default_voice_id") or None,
            supported_api_engines=read.texts("Look", raw, "supported_api_engines"),
            image_width=read.whole("Look", raw, "image_width"),
            image_height=read.whole("Look", raw, "image_height"),
            preferred_orientation=known_word("Look", raw, "preferred_orientation", _LOOK_ORIENTATIONS),
            preview_image_url=read.optional_text("Look", raw, "preview_image_url") or None,
            preview_video_url=read.optional_text("Look", raw, "preview_video_url") or None,
            status=known_word("Look", raw, "status", _TRAINING_STATUSES),
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

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("Voice", value)
        read.note_unknown("Voice", raw, _VOICE)
        return cls(
            voice_id=read.identity("Voice", raw, "voice_id", "id"),
            name=read.optional_text("Voice", raw, "name"),
            language=read.optional_text("Voice", raw, "language"),
            gender=read.optional_text("Voice", raw, "gender"),
            type=known_word("Voice", raw, "type", _VOICE_TYPES),
            support_pause=read.flag("Voice", raw, "support_pause"),
            support_locale=read.flag("Voice", raw, "support_locale"),
            support_interactive_avatar=read.flag("Voice", raw, "support_interactive_avatar"),
            preview_audio_url=read.optional_text("Voice", raw, "preview_audio_url") or None,
            status=known_word("Voice", raw, "status", _VOICE_STATUSES),
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
