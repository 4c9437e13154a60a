"""One-time tokens of forms: a press is known by the token that its page was rendered with.

Nothing is stored when a page is rendered; the ledger's unique column remembers a token once it was pressed.
"""

from __future__ import annotations

import re
import secrets

FIELD_NAME = "token"
_SHAPE = re.compile(r"[A-Za-z0-9_-]{32}")


def new() -> str:
    """A fresh token: 192 random bits, 32 characters that need no quoting anywhere."""
    return secrets.token_urlsafe(24)


def is_token(text: str) -> bool:
    """Whether `text` has the shape of a token of ours."""
    return _SHAPE.fullmatch(text) is not None
