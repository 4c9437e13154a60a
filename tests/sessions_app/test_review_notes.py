"""Notes on pictures become one message."""

from __future__ import annotations

from sessions_app.review_notes import OPENING, compose


def test_each_note_says_which_picture_it_is_about():
    text = compose({3: "Darker", 1: " Closer\nand warmer \n", 2: "  "}, pictures=4, overall="Less text")
    assert text == f"{OPENING}\n\nPicture 1 of 4: Closer\nand warmer\n\nPicture 3 of 4: Darker\n\nLess text"


def test_what_holds_for_all_is_enough():
    assert compose({1: ""}, pictures=1, overall="Shorter") == f"{OPENING}\n\nShorter"


def test_without_a_note_there_is_no_message():
    assert compose({1: "", 2: " \n"}, pictures=2, overall="  ") == ""
