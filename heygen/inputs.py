"""What a caller hands to the client: one dataclass for each kind of request body.

They say what is wanted in the words of the current dialect; `heygen.dialects` makes the body of it. None
means "not chosen" and is never sent. Limits are the server's and are checked by it; the constants are here
for forms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from heygen.json_types import JsonObject

PROMPT_LIMIT = 10_000  # characters, of a prompt and of a message
FILES_LIMIT = 20  # in one request
FILE_SIZE_LIMIT = 32 * 1024 * 1024  # bytes, uploaded or by URL


@dataclass(frozen=True, slots=True)
class FileUrl:
    """A file that HeyGen fetches itself: public, https, the file and not a page."""

    url: str

    def body(self) -> JsonObject:
        return {"type": "url", "url": self.url}


@dataclass(frozen=True, slots=True)
class FileAsset:
    """A file that was uploaded before; the form to prefer."""

    asset_id: str

    def body(self) -> JsonObject:
        return {"type": "asset_id", "asset_id": self.asset_id}


@dataclass(frozen=True, slots=True)
class FileBase64:
    """A small file inside the request; `data` is base64, `media_type` for instance "image/png"."""

    media_type: str
    data: str = field(repr=False)

    def body(self) -> JsonObject:
        return {"type": "base64", "media_type": self.media_type, "data": self.data}


File = FileUrl | FileAsset | FileBase64


@dataclass(frozen=True, slots=True)
class CreateSession:
    """A new Video Agent session.

    `avatar_id` is a look's id, not a group's. `callback_id` is sent only together with `callback_url`.
    Source: POST /v3/video-agents.
    """

    prompt: str
    mode: Literal["generate", "chat"] = "generate"
    avatar_id: str | None = None
    voice_id: str | None = None
    style_id: str | None = None
    brand_kit_id: str | None = None
    brand_glossary_id: str | None = None
    orientation: Literal["landscape", "portrait"] | None = None
    files: tuple[File, ...] = ()
    callback_url: str | None = None
    callback_id: str | None = None
    incognito_mode: bool = False


@dataclass(frozen=True, slots=True)
class SendMessage:
    """A message to a chat session.

    `auto_proceed` (skip what review remains and render) exists in the old dialect only; the current one
    takes an affirmative text as the approval, so there it is left out.
    Source: POST /v3/video-agents/{session_id}.
    """

    message: str
    avatar_id: str | None = None
    voice_id: str | None = None
    brand_kit_id: str | None = None
    files: tuple[File, ...] = ()
    auto_proceed: bool = False


@dataclass(frozen=True, slots=True)
class Tts:
    """A stream that speaks `text` (one character or more) and ends."""

    avatar_id: str
    voice_id: str
    text: str

    def body(self) -> JsonObject:
        return {"type": "tts", "avatar_id": self.avatar_id, "voice_id": self.voice_id, "text": self.text}


@dataclass(frozen=True, slots=True)
class Audio:
    """A stream that moves its lips to a recording and ends."""

    avatar_id: str
    audio: File

    def body(self) -> JsonObject:
        return {"type": "audio", "avatar_id": self.avatar_id, "audio": self.audio.body()}


@dataclass(frozen=True, slots=True)
class TextStream:
    """A stream that speaks the opening `text` and then whatever is appended."""

    avatar_id: str
    voice_id: str
    text: str

    def body(self) -> JsonObject:
        return {
            "type": "text_stream",
            "avatar_id": self.avatar_id,
            "voice_id": self.voice_id,
            "text": self.text,
        }


CreateStream = Tts | Audio | TextStream
