"""The agent's words as safe HTML: its markdown is rendered, everything else in it is text.

Whatever HeyGen sends is untrusted. Raw HTML is off in the renderer, and its output still passes a fixed allowlist;
pictures are left out, because a remote one would tell its server who reads.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "s", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": False})
    .enable(["table", "strikethrough"])
    .disable(["image"])
)
# The renderer looks for the end of each bracket in all that follows: where there are so many, none of them is a link.
MAX_BRACKETS = 2000
_WITHOUT_LINKS = (
    MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": False})
    .enable(["table", "strikethrough"])
    .disable(["image", "link", "reference"])
)
# Browsers kern a word as a whole, again for each of its lines: one of 50,000 letters takes them many seconds.
_LONG_WORD = re.compile(r"\S{1000}")
# Nobody reads so much in one message; rendering it would keep a worker busy.
LIMIT = 100_000  # characters


@lru_cache(maxsize=2048)
def rendered(text: str) -> SafeString:
    """`text` as HTML that can stand in a page. The same text is rendered once per process."""
    renderer = _WITHOUT_LINKS if text.count("[") > MAX_BRACKETS else _MARKDOWN
    html = renderer.render(text[:LIMIT])
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(clean)  # noqa: S308  cleaned against the allowlist above


@lru_cache(maxsize=256)
def as_read(text: str) -> str:
    """The words of `rendered` without marks, as a person reads them: blocks on lines of their own, items with a bullet.

    An address is written behind the words of its link, or a changed one would not be noticed. This is text, not HTML.
    """
    renderer = _WITHOUT_LINKS if text.count("[") > MAX_BRACKETS else _MARKDOWN
    words: list[str] = []
    lists: list[int | None] = []  # the next number of each open list; None: it has bullets
    for token in renderer.parse(text[:LIMIT]):
        match token.type:
            case "inline":
                words.append(_inline_as_read(token.children or ()))
            case "fence" | "code_block" | "html_block":
                words.append(token.content.rstrip("\n") + "\n\n")
            case "hr":
                words.append("—\n\n")
            case "bullet_list_open":
                lists.append(None)
            case "ordered_list_open":
                lists.append(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
                if not lists:
                    words.append("\n")
            case "list_item_open":
                number = lists[-1]
                words.append("  " * (len(lists) - 1) + ("• " if number is None else f"{number}. "))
                lists[-1] = None if number is None else number + 1
            case "paragraph_close":
                # Those of a list stand close, as they are drawn.
                words.append("\n" if token.hidden or lists else "\n\n")
            case "heading_close":
                words.append("\n\n")
            case "th_close" | "td_close":
                words.append(" | ")
            case "tr_close" | "table_close":
                words.append("\n")
    return "".join(words).strip()


def _inline_as_read(tokens: Sequence[Token]) -> str:
    words: list[str] = []
    links: list[tuple[int, str]] = []  # where the words of an open link begin, and its address
    for token in tokens:
        match token.type:
            case "softbreak" | "hardbreak":
                words.append("\n")
            case "link_open":
                links.append((len(words), str(token.attrGet("href") or "")))
            case "link_close":
                began, address = links.pop()
                if "".join(words[began:]) != address:
                    words.append(f" ({address})")
            case _:
                words.append(token.content)
    return "".join(words)


def has_long_word(text: str) -> bool:
    """Whether the page has to spare the browser some of the beauty of this text."""
    return _LONG_WORD.search(text) is not None


_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,2}[.)]|[A-Ha-h][.)])\s+(?P<text>\S.*)")
_MARKS = re.compile(r"(\*\*|__|\*|_|`)")
MAX_CHOICES = 8
MAX_CHOICE_LENGTH = 140  # characters


def ask(text: str) -> tuple[str, list[str]]:
    """A question and its choices: the items of the list that `text` ends in, which can be buttons.

    Without such a list the text comes back whole, with no choices. A list followed by any other words is no question
    with choices; nor is one of long paragraphs.
    """
    lines = text.strip().splitlines()
    found: list[str] = []
    end = len(lines)
    while end and (item := _ITEM.fullmatch(lines[end - 1])) is not None:
        found.append(_MARKS.sub("", item["text"]).strip())
        end -= 1
        while end and not lines[end - 1].strip() and end > 1 and _ITEM.fullmatch(lines[end - 2]):
            end -= 1
    found.reverse()
    fits = 2 <= len(found) <= MAX_CHOICES and all(0 < len(choice) <= MAX_CHOICE_LENGTH for choice in found)
    return ("\n".join(lines[:end]), found) if fits else (text, [])
