"""What a prompt says of the film's length."""

from __future__ import annotations

import pytest

from sessions_app.lengths import Wish, wished


@pytest.mark.parametrize(
    ("prompt", "wish"),
    [
        ("A one minute film about the new lighthouse", Wish(60, 60)),
        ("A 45-second teaser", Wish(45, 45)),
        ("Make it 90 seconds, for 20 people", Wish(90, 90)),
        ("Two chapters, 1.5 minutes long", Wish(90, 90)),
        ("1,5 min", Wish(90, 90)),
        ("Something of 30s for the shop", Wish(30, 30)),
        ("between 1-2 minutes", Wish(60, 120)),
        ("30 to 45 seconds", Wish(30, 45)),
        ("2:30 minutes", Wish(150, 150)),
        ("Half a minute on bread", Wish(30, 30)),
        ("A film about tea", None),
        ("Our 3 minuses and 5 segments", None),
        ("Founded at 10:30, with 12 employees", None),
        ("0 seconds", None),
        ("", None),
        ("9" * 5000 + " seconds", None),
    ],
)
def test_the_length_that_a_prompt_asks_for(prompt: str, wish: Wish | None):
    assert wished(prompt) == wish
