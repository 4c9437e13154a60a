from __future__ import annotations

import pytest

from polling.cadence import Pace
from realtime_app.mirror import streams, words


@pytest.mark.parametrize(
    ("pace", "seconds"),
    [
        (Pace("working", 0), 1.0),
        (Pace("working", 59), 1.0),
        (Pace("working", 61), 2.0),
        (Pace("working", 600), 10.0),
        (Pace("generating", 5), 10.0),
        (Pace("generating", 5, watched=True), 3.0),
        (Pace("generating", 5, woken=True), 1.0),
        (Pace("generating", 5, woken=True, changed=True), 10.0),
        (Pace("done", 0), None),
        (Pace("failed", 0, watched=True), None),
        (Pace("gone", 0), None),
    ],
)
def test_a_stream_is_asked_for_often_until_it_plays_and_never_once_it_ended(
    pace: Pace, seconds: float | None
) -> None:
    assert streams.cadence(pace) == seconds


def test_failures_slow_a_stream_down_but_not_for_minutes_and_never_below_retry_after() -> None:
    assert streams.cadence(Pace("generating", 5, failures=20, jitter=1.0)) == 20.0
    assert streams.cadence(Pace("generating", 5, failures=20, jitter=1.0, retry_after=90.0)) == 90.0
    assert words.cadence(Pace("working", 5, failures=20, jitter=1.0)) == 20.0


@pytest.mark.parametrize(
    ("pace", "seconds"),
    [
        (Pace("working", 500), 15.0),
        (Pace("working", 500, watched=True), 0.5),
        (Pace("generating", 30), 5.0),
        (Pace("generating", 121), None),
        (Pace("done", 0), None),
    ],
)
def test_words_are_listened_to_while_somebody_looks_and_to_their_end(
    pace: Pace, seconds: float | None
) -> None:
    assert words.cadence(pace) == seconds
