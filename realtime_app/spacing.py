"""Blanks between words: HeyGen joins pushed texts as they come, and sends punctuation as words of its own."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

# Punctuation that stands on its own or opens a word, though Unicode counts it with the full stop.
_OPENING = frozenset("&@#%*\"'¿¡")


def is_closing(text: str) -> bool:
    """Whether it stands close behind the word before it: ".", "…", a closing bracket or quotation mark."""
    if not text or text[0] in _OPENING:
        return False
    return unicodedata.category(text[0]) in ("Pe", "Pf", "Po")


def spaced(text: str) -> str:
    """A piece of text with the blank before it that keeps it from growing together with the piece before."""
    words = text.strip()
    return words if not words or is_closing(words) else f" {words}"


def running_text(words: Iterable[str]) -> str:
    """Words as a sentence."""
    return "".join(spaced(word) for word in words).strip()
