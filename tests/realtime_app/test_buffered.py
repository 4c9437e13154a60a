from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from realtime_app.buffered import Piece, verdicts


def test_the_next_total_tells_whether_the_text_before_was_taken() -> None:
    pieces = [Piece(10, True, 110), Piece(7, None), Piece(5, True, 122)]
    assert verdicts(pieces, opening=100) == {1: True}
    pieces[2] = Piece(5, True, 115)
    assert verdicts(pieces, opening=100) == {1: False}


def test_without_an_earlier_total_the_opening_words_may_count_or_not() -> None:
    assert verdicts([Piece(7, None), Piece(5, True, 112)], opening=100) == {0: True}
    assert verdicts([Piece(7, None), Piece(5, True, 12)], opening=100) == {0: True}
    assert verdicts([Piece(7, None), Piece(5, True, 105)], opening=100) == {0: False}


def test_what_more_than_one_sum_explains_stays_open() -> None:
    # 0 + 7 + 5 and 7 + 5: the opening of seven bytes counts and the text was not taken, or the other way round.
    assert verdicts([Piece(7, None), Piece(5, True, 12)], opening=7) == {}
    # Either of two texts of the same length.
    pieces = [Piece(1, True, 1), Piece(4, None), Piece(4, None), Piece(2, True, 7)]
    assert verdicts(pieces, opening=0) == {}


def test_of_several_texts_those_are_decided_on_which_all_sums_agree() -> None:
    pieces = [Piece(1, True, 1), Piece(4, None), Piece(4, None), Piece(9, None), Piece(2, True, 16)]
    assert verdicts(pieces, opening=0) == {3: True}


def test_a_counter_that_nothing_explains_decides_nothing_and_is_the_next_base() -> None:
    pieces = [Piece(5, True, 50), Piece(4, None), Piece(5, True, 20), Piece(3, None), Piece(1, True, 24)]
    assert verdicts(pieces, opening=0) == {3: True}


def test_text_after_a_final_one_proves_that_the_final_one_was_not_taken() -> None:
    pieces = [Piece(5, True, 5), Piece(0, None, final=True), Piece(3, True, 8)]
    assert verdicts(pieces, opening=0) == {1: False}


def test_nothing_is_decided_before_a_later_text_was_taken() -> None:
    assert verdicts([Piece(5, True, 5), Piece(4, None)], opening=0) == {}
    assert verdicts([Piece(5, True, 5), Piece(4, None), Piece(4, False)], opening=0) == {}


@given(
    st.integers(0, 30),
    st.booleans(),
    st.lists(
        st.tuples(st.integers(1, 12), st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=9
    ),
)
def test_no_verdict_contradicts_what_happened(
    opening: int, counts: bool, texts: list[tuple[int, bool, bool, bool]]
) -> None:
    """Whatever was taken, cut off or not told: each verdict is the truth."""
    total = opening if counts else 0
    pieces, truth = [], {}
    for place, (size, taken, answered, told) in enumerate(texts):
        total += size if taken else 0
        known = taken if answered else None
        pieces.append(Piece(size, known, total if taken and answered and told else None))
        if known is None:
            truth[place] = taken
    found = verdicts(pieces, opening=opening)
    assert found == {place: truth[place] for place in found}
