"""Incoming notices: is the signature right, and what is it about.

Pure functions over the raw body and the headers; no clock but the one that is passed in. A delivery is a
hint and nothing more: whatever it says, the session and the video are read again.
Source: heygen-api.md, sections 10.3 to 10.6.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from heygen import decoding as read
from heygen.json_types import Raw

# In the order in which they are looked for; sources disagree which one is live.
SIGNATURE_HEADERS = ("heygen-signature", "signature", "x-heygen-signature")
TIMESTAMP_HEADER = "heygen-timestamp"
EVENT_ID_HEADER = "heygen-event-id"
WINDOW = timedelta(minutes=5)

# With what stands before it, it fits into a column of 255.
_LONGEST_EVENT_ID = 200

_REASON_KEYS = ("msg", "message", "error", "failure_message", "reason", "failure_code")


class NotVerified(Exception):
    """The delivery is not proven to be HeyGen's; `reason` is a short code.

    "unsigned", "wrong_signature", "no_secret", "bad_timestamp", "too_old".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a notice says, as far as it could be read; "" and None where it says nothing.

    `duplicate_key` is the same for repeated deliveries of one event: the event's id where there is one,
    otherwise made of its type, its object and its body.
    """

    event_type: str
    event_id: str | None
    session_id: str | None
    video_id: str | None
    callback_id: str | None
    reason: str | None
    created_at: datetime | None
    duplicate_key: str
    raw: Raw = field(repr=False)


def verify(
    body: bytes, headers: Mapping[str, str], secret: str, *, now: datetime, window: timedelta = WINDOW
) -> None:
    """Return when `body` (the raw bytes, before any parsing) is signed with `secret`; else raise NotVerified.

    The signature is hex HMAC-SHA256 in one of three headers, with or without "sha256=" before it. The
    timestamp is checked only where its header exists: it is not part of what is signed. `now` is aware.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    signature = next((lower[name].strip() for name in SIGNATURE_HEADERS if lower.get(name, "").strip()), "")
    if not signature:
        raise NotVerified("unsigned")
    if not secret:
        raise NotVerified("no_secret")
    if signature[:7].lower() == "sha256=":
        signature = signature[7:].strip()
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    # As bytes: compare_digest refuses text outside ASCII, and a header may hold any.
    if not hmac.compare_digest(expected.encode(), signature.lower().encode("utf-8", "replace")):
        raise NotVerified("wrong_signature")
    if TIMESTAMP_HEADER in lower:
        sent_at = read.moment("Delivery", {"timestamp": lower[TIMESTAMP_HEADER].strip()}, "timestamp")
        if sent_at is None:
            raise NotVerified("bad_timestamp")
        if abs(now - sent_at) > window:
            raise NotVerified("too_old")


def parse_delivery(body: bytes, headers: Mapping[str, str] | None = None) -> Delivery:
    """Read a delivery; raises `heygen.decoding.WrongShape` only when the body is no JSON object."""
    raw = read.json_object("Delivery", read.parse(body))
    lower = {name.lower(): value for name, value in (headers or {}).items()}
    return delivery_of(raw, body=body, event_id=read.storable_text(lower.get(EVENT_ID_HEADER, "").strip()))


def delivery_of(raw: Raw, *, body: bytes = b"", event_id: str = "") -> Delivery:
    """What a notice says, whether it was delivered (`body` as it came, `event_id` of its header) or listed.

    The type may stand under `event_type`, `event` or `type`; ids inside `event_data` or at the top.
    """
    data = raw.get("event_data")
    if not isinstance(data, dict):
        other = raw.get("data")
        data = other if isinstance(other, dict) else {}
    places = (data, raw)
    event_type = _first((raw, data), "event_type", "event", "type") or ""
    event_id = event_id or _first((raw, data), "event_id") or ""
    session_id = _first(places, "session_id")
    video_id = _first(places, "video_id")
    return Delivery(
        event_type=event_type,
        event_id=event_id or None,
        session_id=session_id,
        video_id=video_id,
        callback_id=_first(places, "callback_id"),
        reason=_first(places, *_REASON_KEYS),
        created_at=read.moment("Delivery", raw, "created_at"),
        duplicate_key=f"event:{event_id}"
        if event_id and len(event_id) <= _LONGEST_EVENT_ID
        else _fingerprint(event_type, event_id or session_id or video_id or "", body),
        raw=raw,
    )


def _fingerprint(event_type: str, object_id: str, body: bytes) -> str:
    digest = hashlib.sha256()
    for part in (event_type.encode(), object_id.encode(), body):
        digest.update(len(part).to_bytes(8, "big") + part)
    return f"sha256:{digest.hexdigest()}"


def _first(places: tuple[Mapping[str, Any], ...], *keys: str) -> str | None:
    """The first text under one of `keys`, the places in their order."""
    return next(_words(places, keys), None)


def _words(places: tuple[Mapping[str, Any], ...], keys: tuple[str, ...]) -> Iterator[str]:
    for place in places:
        for key in keys:
            value = place.get(key)
            if isinstance(value, dict):
                # `error` may be an object with a message.
                value = value.get("message") or value.get("code")
            if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= read.LARGEST:
                value = str(value)
            if isinstance(value, str) and value.strip():
                yield value.strip()
