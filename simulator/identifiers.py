"""Ids and choices that depend on nothing but the seed and what they are for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

Choice = TypeVar("Choice")


def digest(*parts: object, size: int = 16) -> str:
    """`2 * size` lower-case hex digits that depend on all parts."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()


def number(*parts: object, below: int) -> int:
    """A whole number from 0 to `below` - 1."""
    return int(digest(*parts, size=8), 16) % below


def pick(choices: Sequence[Choice], *parts: object) -> Choice:
    return choices[number(*parts, below=len(choices))]


def dashed(hexadecimal: str) -> str:
    """32 hex digits in the shape of a UUID of version 4."""
    digits = (
        f"{hexadecimal[:12]}4{hexadecimal[13:16]}{'89ab'[int(hexadecimal[16], 16) % 4]}{hexadecimal[17:]}"
    )
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
