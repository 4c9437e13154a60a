"""Looks at HTML as a browser would: what in it would act by itself."""

from __future__ import annotations

import re
from html.parser import HTMLParser


class _Inline(HTMLParser):
    """Collects what a policy without `unsafe-inline` would block."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(f"<{tag}>")
        self.found += [name for name in names if name == "style" or re.fullmatch(r"on[a-z]+|hx-on.*", name)]


def inline_code(html: str) -> list[str]:
    """Inline scripts and styles, and attributes that are code: a strict content policy allows none of them."""
    parser = _Inline()
    parser.feed(html)
    return parser.found
