"""One-time tokens of forms: a press is known by the token that its page was rendered with.

Nothing is stored when a page is rendered; the ledger's unique column remembers a token once it was pressed. All tokens of
one open page begin alike, so a page's own presses can be told from those that the same person makes elsewhere.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# What a page says of a form whose token was pressed before, and of one that it can make nothing of.
SENT_BEFORE = _("This form was sent before. Load the page again to see what became of it.")
OUT_OF_DATE = _("This form is out of date. Load the page again.")
_SHAPE = re.compile(r"[A-Za-z0-9_-]{32}")
_PAGE = 16  # characters


def new(beside: str = "") -> str:
    """A fresh token: 192 random bits, 32 characters that need no quoting anywhere.

    `beside` another one of the same page its first half is that page's; what is no token names no page.
    """
    fresh = secrets.token_urlsafe(24)
    return page_of(beside) + fresh[_PAGE:] if is_token(beside) else fresh


def page_of(token: str) -> str:
    """What all tokens of its page begin with."""
    return token[:_PAGE]


def is_token(text: str) -> bool:
    """Whether `text` has the shape of a token of ours."""
    return _SHAPE.fullmatch(text) is not None


class TokenField(forms.CharField):
    """The hidden form field that carries the token; a page that is rendered gets a fresh one by itself."""

    widget = forms.HiddenInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"initial": new, **kwargs})

    def validate(self, value: Any) -> None:
        super().validate(value)
        if not is_token(value):
            raise ValidationError(OUT_OF_DATE, code="token")
