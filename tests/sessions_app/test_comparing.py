"""What changed from one storyboard to another."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.comparing import Piece, Step, compare, diff_words

# --- Pictures ---------------------------------------------------------------------------------------------------------


def changes(old: str, new: str) -> str:
    """Like "same a, changed b>x, moved c"; each picture is a letter."""
    words = []
    for step in compare(old, new):
        before = old[step.old] if step.old is not None else ""
        after = new[step.new] if step.new is not None else ""
        words.append(f"{step.what} " + (f"{before}>{after}" if step.what == "changed" else after or before))
    return ", ".join(words)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", ""),
        ("ab", "ab", "same a, same b"),
        ("abc", "axc", "same a, changed b>x, same c"),
        ("abc", "abcd", "same a, same b, same c, added d"),
        ("abc", "ac", "same a, removed b, same c"),
        ("abc", "acb", "same a, moved c, same b"),
        ("abcd", "bcda", "same b, same c, same d, moved a"),
        ("ab", "xyz", "changed a>x, changed b>y, added z"),
        ("abc", "x", "changed a>x, removed b, removed c"),
        ("abcd", "dxbc", "moved d, changed a>x, same b, same c"),
        ("", "a", "added a"),
        ("a", "", "removed a"),
    ],
)
def test_pictures(old: str, new: str, expected: str):
    assert changes(old, new) == expected


boards = st.lists(st.integers(0, 12), unique=True, max_size=9)


@given(boards, boards)
def test_every_picture_is_in_one_step_and_the_new_order_is_kept(old: list[int], new: list[int]):
    steps = compare(old, new)
    assert [step.new for step in steps if step.new is not None] == list(range(len(new)))
    assert sorted(step.old for step in steps if step.old is not None) == list(range(len(old)))
    for step in steps:
        shown_again = step.old is not None and step.new is not None and old[step.old] == new[step.new]
        assert shown_again is (step.what in ("same", "moved"))
        assert (step.old is None) is (step.what == "added")
        assert (step.new is None) is (step.what == "removed")


@given(boards, boards)
def test_as_many_as_can_be_stay_where_they_were(old: list[int], new: list[int]):
    stayed = [step for step in compare(old, new) if step.what == "same"]
    assert stayed == sorted(stayed, key=lambda step: step.old or 0)
    shared = [old.index(each) for each in new if each in old]
    longest = max(
        size
        for size in range(len(shared) + 1)
        if any(list(part) == sorted(part) for part in combinations(shared, size))
    )
    assert len(stayed) == longest


@given(boards)
def test_nothing_changed_in_the_same_storyboard(board: list[int]):
    assert compare(board, board) == [Step("same", place, place) for place in range(len(board))]


# --- Words ------------------------------------------------------------------------------------------------------------


def marked(old: str, new: str) -> str:
    """Like "A [-red-]{+blue+} door"."""
    around = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    return "".join(around[piece.kind].format(piece.text) for piece in diff_words(old, new))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", ""),
        ("A red door", "A red door", "A red door"),
        ("A red door", "A blue door", "A [-red -]{+blue +}door"),
        ("A door", "A big door", "A {+big +}door"),
        ("A big door", "A door", "A [-big -]door"),
        ("", "New", "{+New+}"),
        ("Old", "", "[-Old-]"),
        ("One two", "One\ntwo", "One\ntwo"),
        ("赤い扉", "青い扉", "[-赤-]{+青+}い扉"),
    ],
)
def test_words(old: str, new: str, expected: str):
    assert marked(old, new) == expected


words = st.text(alphabet="ab \n\tž赤.", max_size=40)


@given(words, words)
def test_what_stayed_and_what_came_is_the_new_text(old: str, new: str):
    pieces = diff_words(old, new)
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == new
    kept = "".join(piece.text for piece in pieces if piece.kind != "added")
    assert "".join(kept.split()) == "".join(old.split())
    assert all(piece.text for piece in pieces)
    assert all(one.kind != other.kind for one, other in pairwise(pieces))


@pytest.mark.parametrize("between", [" ", "\n"])
def test_huge_texts_that_differ_all_over_are_not_compared(between: str):
    old, new = (between.join(["x", word] * 2000) for word in ("old", "new"))
    assert diff_words(old, new) == [Piece("removed", old), Piece("added", new)]
