"""Turns text into the words that search compares: without accents, case or marks, in any script."""

from __future__ import annotations

import re
import unicodedata
from uuid import UUID

_WORD = re.compile(r"\w+")
# One message can be long; what nobody can remember to search for need not be indexed.
LIMIT = 20_000  # characters


def words_of(text: str) -> list[str]:
    """Words in order, casefolded and without accents: "Café 2" gives ["cafe", "2"]."""
    plain = text[:LIMIT].casefold()
    if not plain.isascii():
        decomposed = unicodedata.normalize("NFKD", plain)
        plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return _WORD.findall(plain.replace("_", " "))


def workspace_word(workspace_id: UUID) -> str:
    """The word that stands for a workspace inside the index, so that a search never leaves it."""
    return f"w{workspace_id.hex}"


def indexed(text: str, workspace_id: UUID) -> str:
    """What is stored in the search column for `text` of that workspace."""
    return " ".join([workspace_word(workspace_id), *words_of(text)])
