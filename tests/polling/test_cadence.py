from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from polling import cadence
from polling.cadence import DAY, HOUR, Pace

GROUPS = ["working", "generating", "needs_you", "done", "failed", "unknown", "gone", "never heard of"]


@pytest.mark.parametrize(
    ("group", "age", "watched", "pause"),
    [
        ("working", 0, False, 3),
        ("working", 10, False, 4.5),
        ("working", 60, False, 7),
        ("working", 60, True, 5),
        ("working", 899, False, 7),
        ("working", 1200, False, 20),
        ("working", 2 * HOUR, False, 60),
        ("working", 2 * HOUR, True, 5),
        ("generating", 0, False, 8),
        ("generating", 50, False, 13),
        ("generating", HOUR, False, 20),
        ("generating", HOUR, True, 5),
        ("needs_you", 0, False, 15),
        ("needs_you", 30, False, 30),
        ("needs_you", HOUR, False, 300),
        ("needs_you", HOUR, True, 10),
        ("needs_you", 2 * DAY, False, 900),
        ("needs_you", 8 * DAY, False, HOUR),
        ("unknown", 0, False, 15),
        ("unknown", HOUR, False, 600),
        ("unknown", 2 * DAY, False, HOUR),
        ("unknown", 31 * DAY, False, None),
        ("never heard of", 0, False, 15),
        ("done", 0, False, 15),
        ("done", 15, False, 60),
        ("done", 80, False, 300),
        ("done", 400, False, 1800),
        ("done", 2200, False, None),
        ("done", 2200, True, 60),
        ("failed", 2200, False, None),
        ("gone", 0, True, None),
    ],
)
def test_pauses(group: str, age: float, watched: bool, pause: float | None) -> None:
    assert cadence.standard(Pace(group, age, watched, jitter=1.0)) == pytest.approx(pause)


def test_the_line_is_the_series_that_grows_by_a_factor() -> None:
    """A pause of 3 s that grows by 1.15 with each poll: the age of the change is all that is needed to continue it."""
    age, pauses = 0.0, []
    for _ in range(6):
        pause = cadence.standard(Pace("working", age, jitter=1.0))
        assert pause is not None
        pauses.append(pause)
        age += pause
    assert pauses == pytest.approx([3 * 1.15**n for n in range(6)])


def test_a_finished_object_is_confirmed_four_times() -> None:
    age, asked = 0.0, 0
    while (pause := cadence.standard(Pace("done", age))) is not None:
        age, asked = age + pause, asked + 1
    assert asked == 4


def test_a_press_of_ours_is_looked_for_at_once_until_something_shows() -> None:
    assert cadence.standard(Pace("needs_you", 0, woken=True, jitter=1.0)) == 1
    assert cadence.standard(Pace("needs_you", 0, woken=True, changed=True, jitter=1.0)) == 15


def test_settings_override_each_figure(settings: Settings) -> None:
    settings.POLL_WORKING_SECONDS = 2
    settings.POLL_WORKING_GROWTH = 2
    settings.POLL_WORKING_MAX_SECONDS = 30
    assert cadence.standard(Pace("working", 10, jitter=1.0)) == 12


@pytest.mark.parametrize(("missing", "pause"), [(1, 5), (2, 30), (3, None), (4, None)])
def test_a_404_is_confirmed_and_then_left_alone(missing: int, pause: float | None) -> None:
    assert cadence.standard(Pace("working", 0, failures=missing, missing=missing, jitter=1.0)) == pause


@pytest.mark.parametrize(
    ("failures", "jitter", "retry_after", "pause"),
    [(1, 1.0, None, 4), (1, 0.0, None, 1), (3, 0.5, None, 8), (20, 1.0, None, 300), (1, 0.5, 60.0, 62)],
)
def test_failures_double_the_bound(
    failures: int, jitter: float, retry_after: float | None, pause: float
) -> None:
    assert (
        cadence.standard(Pace("working", 0, failures=failures, retry_after=retry_after, jitter=jitter))
        == pause
    )


def test_what_is_looked_at_is_tried_again_within_ten_seconds() -> None:
    assert cadence.standard(Pace("working", 0, failures=20, watched=True, jitter=1.0)) == 10
    assert cadence.standard(Pace("working", 0, failures=20, watched=True, retry_after=60, jitter=1.0)) == 70


def test_a_window_of_forty_is_asked_for_before_it_moves_on() -> None:
    assert cadence.within_window(2.0) == pytest.approx(40 / 6)
    assert cadence.within_window(0.0) is None


paces = st.builds(
    Pace,
    group=st.sampled_from(GROUPS),
    since_change=st.floats(0, 400 * DAY),
    watched=st.booleans(),
    failures=st.integers(0, 10_000),
    retry_after=st.none() | st.floats(0, DAY),
    woken=st.booleans(),
    missing=st.integers(0, 10),
    changed=st.booleans(),
    jitter=st.floats(0, 1),
)


@given(paces)
def test_every_pause_is_bounded(pace: Pace) -> None:
    pause = cadence.standard(pace)
    if pause is not None:
        assert 0.9 <= pause <= max(HOUR, 300 + (pace.retry_after or 0))
        if pace.failures and not pace.missing:
            assert pause >= (pace.retry_after or 0)


@given(paces)
def test_what_is_looked_at_is_never_asked_later(pace: Pace) -> None:
    watched = cadence.standard(replace(pace, watched=True))
    alone = cadence.standard(replace(pace, watched=False))
    if alone is not None:
        assert watched is not None
        assert watched <= alone


@given(paces)
def test_nothing_is_asked_for_ever_once_it_ended(pace: Pace) -> None:
    for group in ("done", "failed", "gone"):
        ended = replace(pace, group=group, since_change=HOUR, watched=False, failures=0, missing=0)
        assert cadence.standard(ended) is None
