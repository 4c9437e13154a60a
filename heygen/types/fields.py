"""Fields that several of the typed values read the same way."""

from __future__ import annotations

from collections.abc import Container

from heygen import decoding as read
from heygen.json_types import Raw


def required_status(kind: str, raw: Raw, known: Container[str]) -> str:
    """The status that the object cannot be without."""
    value = read.required_text(kind, raw, "status")
    read.note_word(kind, "status", value, known)
    return value


def known_word(kind: str, raw: Raw, key: str, known: Container[str]) -> str | None:
    """A word of a documented list, or any other."""
    value = read.optional_text(kind, raw, key)
    if value:
        read.note_word(kind, key, value, known)
    return value
