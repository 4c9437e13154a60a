from __future__ import annotations

import pytest

from realtime_app.spacing import is_closing, running_text, spaced


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Hello", " Hello"),
        ("  Hello  ", " Hello"),
        (", and then", ", and then"),
        ("… so", "… so"),
        ("(aside)", " (aside)"),
        ("“Quoted”", " “Quoted”"),
        ("¿Qué?", " ¿Qué?"),
        ("@dana", " @dana"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_a_piece_begins_with_a_blank_unless_it_closes_what_was_said(text: str, sent: str) -> None:
    assert spaced(text) == sent


def test_punctuation_stays_with_its_word() -> None:
    assert running_text(["Well", ",", "(", "he", "said", ")", "go", "!"]) == "Well, ( he said) go!"
    assert running_text([]) == ""
    assert [is_closing(sign) for sign in (".", "»", "…", "-", "a", "")] == [True] * 3 + [False] * 3
