"""The words that the agent finds for a prompt."""

from __future__ import annotations

import pytest

from simulator.story import approves, places_in, quoted, subject_of, title_of


@pytest.mark.parametrize(
    ("prompt", "subject"),
    [
        (
            "A 30 second onboarding video for new engineers at a solar startup",
            "new engineers at a solar startup",
        ),
        ("A promo for our new tea house", "our new tea house"),
        ("Explain our refund policy", "our refund policy"),
        ("Please make a short, friendly clip about owls. Use warm colours.", "owls"),
        ("Tea", "Tea"),
        (
            "The history of salt in nine words and then some more words",
            "the history of salt in nine words and then",
        ),
        ("[scenario: chatty] Create a video about the sea", "the sea"),
        ("Make a video", "a video"),
        ("...", "your idea"),
    ],
)
def test_subject(prompt: str, subject: str) -> None:
    assert subject_of(prompt) == subject


def test_title_begins_large() -> None:
    assert title_of("A video about owls") == "Owls"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Make the second picture darker", [1]),
        ("Scene 3 and frame 1, please", [0, 2]),
        ("the last one is too long", [4]),
        ("scene 9", []),
        ("warmer, please", []),
    ],
)
def test_places_that_a_text_names(text: str, places: list[int]) -> None:
    assert places_in(text, 5) == places


def test_quotes_hold_no_markdown_and_no_please() -> None:
    assert quoted("Please **make** it [longer](x)!") == "make it longer(x)"
    assert quoted("x" * 200, 10) == "xxxxxxxxx\u2026"
    assert quoted("***") == "as you said"


def test_consent() -> None:
    assert approves("Yes, that looks great")
    assert not approves("Yes, but not the second")
    assert not approves("Hm")
