"""Avatar Realtime streams and the words of their speech."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from heygen import decoding as read
from heygen import statuses
from heygen.json_types import Raw
from heygen.types.fields import required_status


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
        raw_status = required_status("RemoteStream", raw, statuses.STREAM)
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
