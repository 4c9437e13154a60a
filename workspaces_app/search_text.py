"""How the words of a catalogue item are stored and asked for: the same way on every database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable


def search_words(text: str) -> list[str]:
    """The words of a text without case and accents: "Zoë in Café" gives ["zoe", "in", "cafe"]."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"\w+", "".join(letter for letter in plain if not unicodedata.combining(letter)))


def search_text(texts: Iterable[str | None]) -> str:
    """All words with a blank before each, so that " caf" finds those that begin so."""
    words = dict.fromkeys(word for text in texts if text for word in search_words(text))
    return "".join(f" {word}" for word in words)
