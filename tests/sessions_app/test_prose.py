"""Whatever HeyGen writes is readable and inert; a closing list becomes choices."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app import prose


def test_markdown_is_rendered():
    assert prose.rendered("One **bold** word\n\n- a\n- b") == (
        "<p>One <strong>bold</strong> word</p>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "[click](data:text/html;base64,PHNjcmlwdD4=)",
        '<a href="x" onclick="alert(1)">x</a>',
        "![pixel](https://tracker.example/1.png)",
        "<style>body{display:none}</style>",
        '<iframe src="https://evil.example"></iframe>',
    ],
)
def test_nothing_in_it_acts(text: str):
    html = str(prose.rendered(text)).lower()
    for active in ("<script", "<img", "<style", "<iframe", 'href="javascript', 'href="data', '<a href="x"'):
        assert active not in html


@given(st.text())
def test_only_allowed_tags_come_out(text: str):
    html = str(prose.rendered(text))
    for part in html.split("<")[1:]:
        name = part.lstrip("/").split(">")[0].split(" ")[0]
        assert name in prose._TAGS, html


def test_links_leave_without_telling_where_from():
    assert prose.rendered("[docs](https://example.com/)") == (
        '<p><a href="https://example.com/" rel="noopener noreferrer nofollow">docs</a></p>\n'
    )


@pytest.mark.parametrize(
    ("text", "asked", "choices"),
    [
        ("Which tone?\n\n- Calm\n- **Bold**\n- `Loud`", "Which tone?\n", ["Calm", "Bold", "Loud"]),
        ("Which?\n1. One\n2) Two", "Which?", ["One", "Two"]),
        ("Which?\n\n- One\n\n- Two\n", "Which?\n", ["One", "Two"]),
        ("Which?\n• One\n• Two", "Which?", ["One", "Two"]),
    ],
)
def test_a_closing_list_is_choices(text: str, asked: str, choices: list[str]):
    assert prose.ask(text) == (asked, choices)


@pytest.mark.parametrize(
    "text",
    [
        "Shall I go on?",
        "Which?\n- One\n- Two\n\nTell me.",
        "Only one:\n- This",
        "Many:\n" + "\n".join(f"- {number}" for number in range(9)),
        "Long:\n- a\n- " + "x" * 141,
        "",
        "- **",
    ],
)
def test_anything_else_is_no_list_of_choices(text: str):
    assert prose.ask(text) == (text, [])


@given(st.text())
def test_no_text_breaks_it_and_nothing_is_lost(text: str):
    asked, choices = prose.ask(text)
    if not choices:
        assert asked == text
    else:
        assert all(choice.strip() for choice in choices)


def test_what_would_keep_a_worker_or_a_browser_busy_is_noticed():
    assert "<a " in prose.rendered("[a](https://example.com/)")
    assert "<a " not in prose.rendered("[" * (prose.MAX_BRACKETS + 1) + " [a](https://example.com/)")
    assert prose.has_long_word("a " + "x" * 1000)
    assert not prose.has_long_word("a long story " * 1000)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", ""),
        ("A **bold** and _soft_ `word`, ~~gone~~", "A bold and soft word, gone"),
        ("# Scene\n\nOne\ntwo\n\nThree", "Scene\n\nOne\ntwo\n\nThree"),
        ("- One\n- **Two**\n  1. a\n  2. b\n\nEnd", "• One\n• Two\n  1. a\n  2. b\n\nEnd"),
        ("3. c\n4. d", "3. c\n4. d"),
        ("> Said", "Said"),
        ("| a | b |\n|---|---|\n| *1* | 2 |", "a | b | \n1 | 2 |"),
        ("```\n**code**\n```\n\n---", "**code**\n\n—"),
        ("[docs](https://example.com/) <https://a.example>", "docs (https://example.com/) https://a.example"),
        ("2 * 3 * 4 and snake_case", "2 * 3 * 4 and snake_case"),
        ("<b>raw</b> &amp; \\*", "<b>raw</b> & *"),
    ],
)
def test_words_as_they_are_read(text: str, read: str):
    assert prose.as_read(text) == read


@given(st.text(alphabet="ab *_`~#>-+1.[]()|\n<&", max_size=60))
def test_every_letter_that_is_rendered_is_read(text: str):
    shown = html.unescape(re.sub(r"<[^>]*>", "", str(prose.rendered(text))))
    # Addresses of links are read, too; they stand in between.
    read = iter(prose.as_read(text))
    assert all(letter in read for letter in re.findall("[ab]", shown))
