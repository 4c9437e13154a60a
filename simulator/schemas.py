"""Strict checks of request bodies: unknown fields, types, lengths, discriminators. All answer 400 with `param`.

A check takes the value and its path and raises `ApiError`; it returns nothing. Ids are checked against the catalogue
by the routes, not here.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from .errors import invalid

Check = Callable[[Any, str], None]


def text(*, least: int = 0, most: int | None = None, pattern: str | None = None, shape: str = "") -> Check:
    compiled = re.compile(pattern) if pattern else None

    def check(value: Any, param: str) -> None:
        if not isinstance(value, str):
            raise invalid(f"{param} must be a string.", param)
        if len(value) < least or (most is not None and len(value) > most):
            limits = f"{least} to {most} characters" if most is not None else f"at least {least} character"
            raise invalid(f"{param} must have {limits}.", param)
        if compiled and not compiled.search(value):
            raise invalid(f"{param} must be {shape}.", param)

    return check


def one_of(*allowed: str) -> Check:
    def check(value: Any, param: str) -> None:
        if not isinstance(value, str) or value not in allowed:
            raise invalid(f"{param} must be one of: {', '.join(allowed)}.", param)

    return check


def boolean(value: Any, param: str) -> None:
    if not isinstance(value, bool):
        raise invalid(f"{param} must be true or false.", param)


def whole(*, least: int) -> Check:
    def check(value: Any, param: str) -> None:
        # JSON has one number type: 3.0 is a whole number, true is not.
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or value != int(value)
            or value < least
        ):
            raise invalid(f"{param} must be a whole number of at least {least}.", param)

    return check


def nullable(inner: Check) -> Check:
    def check(value: Any, param: str) -> None:
        if value is not None:
            inner(value, param)

    return check


def items(inner: Check, *, most: int | None = None) -> Check:
    def check(value: Any, param: str) -> None:
        if not isinstance(value, list):
            raise invalid(f"{param} must be a list.", param)
        if most is not None and len(value) > most:
            raise invalid(f"{param} may hold at most {most} items.", param)
        for index, item in enumerate(value):
            inner(item, f"{param}.{index}")

    return check


def fields(known: Mapping[str, Check], required: Collection[str] = ()) -> Check:
    """An object with these keys and no others. The path of the body itself is the empty string."""

    def check(value: Any, param: str) -> None:
        if not isinstance(value, dict):
            raise invalid(f"{param or 'The body'} must be an object.", param or None)
        prefix = f"{param}." if param else ""
        for name in value:
            if name not in known:
                raise invalid(f"{prefix}{name} is not a known field.", f"{prefix}{name}")
        for name in required:
            if name not in value:
                raise invalid(f"{prefix}{name} is required.", f"{prefix}{name}")
        for name, item in value.items():
            known[name](item, prefix + name)

    return check


def chosen(shapes: Mapping[str, Check]) -> Check:
    """An object whose `type` decides which of the shapes it must have."""

    def check(value: Any, param: str) -> None:
        prefix = f"{param}." if param else ""
        if not isinstance(value, dict):
            raise invalid(f"{param or 'The body'} must be an object.", param or None)
        kind = value.get("type")
        if not isinstance(kind, str) or kind not in shapes:
            raise invalid(f"{prefix}type must be one of: {', '.join(shapes)}.", f"{prefix}type")
        shapes[kind](value, param)

    return check


def base64_data(value: Any, param: str) -> None:
    text(least=1)(value, param)
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(f"{param} must be base64.", param) from error


def address(*schemes: str) -> Check:
    def check(value: Any, param: str) -> None:
        text(least=1)(value, param)
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise invalid(f"{param} is no address.", param) from error
        if parts.scheme not in schemes or not host or re.search(r"\s", value):
            raise invalid(f"{param} must be an address that begins with {' or '.join(schemes)}.", param)

    return check


MAYBE_TEXT = nullable(text())
WEB_ADDRESS = address("http", "https")
PROMPT = text(least=1, most=10_000)
FILE = chosen(
    {
        "url": fields({"type": text(), "url": WEB_ADDRESS}, ("url",)),
        "asset_id": fields({"type": text(), "asset_id": text(least=1)}, ("asset_id",)),
        "base64": fields(
            {"type": text(), "media_type": text(least=1), "data": base64_data}, ("media_type", "data")
        ),
    }
)
FILES = nullable(items(FILE, most=20))
ORIENTATION = nullable(one_of("landscape", "portrait"))
CHECKSUM = nullable(text(pattern=r"^[0-9a-fA-F]{64}$", shape="64 hex digits"))

CREATE_SESSION = fields(
    {
        "prompt": PROMPT,
        "mode": one_of("generate", "chat"),
        "avatar_id": MAYBE_TEXT,
        "voice_id": MAYBE_TEXT,
        "style_id": MAYBE_TEXT,
        "brand_kit_id": MAYBE_TEXT,
        "brand_glossary_id": nullable(text(least=1)),
        "orientation": ORIENTATION,
        "files": FILES,
        "callback_url": nullable(WEB_ADDRESS),
        "callback_id": MAYBE_TEXT,
        "incognito_mode": boolean,
    },
    ("prompt",),
)
SEND_MESSAGE = fields(
    {
        "message": PROMPT,
        "avatar_id": MAYBE_TEXT,
        "voice_id": MAYBE_TEXT,
        "brand_kit_id": MAYBE_TEXT,
        "files": FILES,
    },
    ("message",),
)
LEGACY_CREATE_SESSION = fields(
    {
        "prompt": PROMPT,
        "avatar_id": MAYBE_TEXT,
        "voice_id": MAYBE_TEXT,
        "style_id": MAYBE_TEXT,
        "orientation": ORIENTATION,
        "files": FILES,
        "auto_proceed": boolean,
        "callback_url": nullable(WEB_ADDRESS),
        "callback_id": MAYBE_TEXT,
        "incognito_mode": boolean,
    },
    ("prompt",),
)
LEGACY_SEND_MESSAGE = fields(
    {
        "message": PROMPT,
        "avatar_id": MAYBE_TEXT,
        "voice_id": MAYBE_TEXT,
        "files": FILES,
        "auto_proceed": boolean,
    },
    ("message",),
)
EMPTY = fields({})
CREATE_STREAM = chosen(
    {
        "tts": fields(
            {"type": text(), "avatar_id": text(), "voice_id": text(), "text": text(least=1)},
            ("avatar_id", "voice_id", "text"),
        ),
        "audio": fields({"type": text(), "avatar_id": text(), "audio": FILE}, ("avatar_id", "audio")),
        "text_stream": fields(
            {"type": text(), "avatar_id": text(), "voice_id": text(), "text": text(least=1)},
            ("avatar_id", "voice_id", "text"),
        ),
    }
)
APPEND_TEXT = fields({"delta": text(), "final": boolean}, ("delta",))
DIRECT_UPLOAD = fields(
    {
        "filename": text(least=1),
        "content_type": text(least=1),
        "size_bytes": whole(least=1),
        "checksum_sha256": CHECKSUM,
    },
    ("filename", "content_type", "size_bytes"),
)
COMPLETE_UPLOAD = fields({"checksum_sha256": CHECKSUM})
