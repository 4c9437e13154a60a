"""The join of a 40-message window to the stored transcript."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.transcript import Appended, Edited, Join, Stored, join

START = datetime(2026, 11, 1, tzinfo=UTC)
WINDOW = 40


@dataclass(frozen=True)
class Remote:
    content: str
    role: str = "model"
    type: str = "text"
    created_at: datetime | None = None
    resource_ids: tuple[str, ...] = ()


def stored_as(messages: Sequence[Remote], first: int = 0) -> list[Stored]:
    return [
        Stored(first + i, m.role, m.type, m.content, m.created_at, m.resource_ids)
        for i, m in enumerate(messages)
    ]


def numbered(count: int) -> list[Remote]:
    return [Remote(f"message {n}", created_at=START + timedelta(seconds=n)) for n in range(count)]


def test_first_sight_of_a_short_window_is_the_whole_transcript():
    messages = numbered(3)

    assert join([], messages, full=False) == Join(
        appended=(Appended(0, messages[0]), Appended(1, messages[1]), Appended(2, messages[2]))
    )


def test_first_sight_of_a_full_window_has_a_gap_before_it():
    assert join([], numbered(WINDOW), full=True).gap_after == -1


def test_first_sight_of_a_full_window_from_the_start_has_none():
    assert join([], numbered(WINDOW), full=True, from_start=True).gap_after is None


def test_identical_texts_are_two_messages():
    yes = Remote("yes", role="user")

    assert join(stored_as([yes]), [yes, yes], full=False) == Join(appended=(Appended(1, yes),))


def test_a_full_window_goes_on_at_its_overlap():
    messages = numbered(60)

    result = join(stored_as(messages[:45]), messages[20:], full=True)

    assert [a.position for a in result.appended] == list(range(45, 60))
    assert result == Join(appended=result.appended)


def test_forty_unseen_messages_leave_a_gap():
    messages = numbered(90)

    result = join(stored_as(messages[:50]), messages[50:], full=True)

    assert (result.gap_after, len(result.appended)) == (49, 40)


def test_a_lone_common_text_in_a_strange_window_joins_nothing():
    before = [Remote("hello"), Remote("yes", role="user")]
    window = [Remote(f"new {n}") for n in range(20)] + [Remote("yes", role="user")]
    window += [Remote(f"newer {n}") for n in range(19)]

    result = join(stored_as(before), window, full=True)

    assert (result.gap_after, len(result.appended)) == (1, 40)


def test_a_growing_last_message_is_edited_in_place_and_its_earlier_text_kept():
    old, new = Remote("Thinking"), Remote("Thinking about colours")

    assert join(
        stored_as([Remote("hi", role="user"), old]), [Remote("hi", role="user"), new], full=False
    ) == Join(edited=(Edited(1, new, earlier=Stored(1, "model", "text", "Thinking")),))


def test_resource_ids_that_come_late_are_filled_in_without_a_revision():
    new = Remote("Here it is", resource_ids=("res_1",))

    assert join(stored_as([Remote("Here it is")]), [new], full=False) == Join(
        edited=(Edited(0, new, earlier=None),)
    )


def test_a_time_that_comes_late_is_filled_in():
    new = Remote("Here it is", created_at=START)

    assert join(stored_as([Remote("Here it is")]), [new], full=False).edited == (
        Edited(0, new, earlier=None),
    )


def test_a_message_that_is_no_longer_shown_is_marked():
    messages = numbered(6)
    window = messages[:2] + messages[3:] + [Remote("next")]

    result = join(stored_as(messages), window, full=False)

    assert result == Join(appended=(Appended(6, window[-1]),), vanished=(2,))


def test_a_message_that_is_shown_again_comes_back_to_its_place():
    messages = numbered(6)
    ours = stored_as(messages)
    ours[2] = replace(ours[2], vanished=True)

    assert join(ours, messages, full=False) == Join(returned=(2,))


def test_an_empty_window_says_nothing():
    assert not join(stored_as(numbered(3)), [], full=False)


TEXTS = ["yes", "ok", "", "go on", "a longer answer"]

# Steps of a session's life: messages that arrive (how many, seed of their texts), rewordings of the last, our polls.
histories = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(1, 30), st.integers(0, 1_000_000)),
        st.tuples(st.just("grow"), st.integers(1, 2), st.just(0)),
        st.tuples(st.just("poll"), st.just(0), st.just(0)),
    ),
    min_size=1,
    max_size=30,
)


class Mirror:
    """What the database would hold."""

    def __init__(self) -> None:
        self.stored: list[Stored] = []
        self.gaps: set[int] = set()

    def poll(self, truth: Sequence[Remote]) -> None:
        window = truth[-WINDOW:]
        result = join(self.stored, window, full=len(window) == WINDOW, from_start=len(truth) <= WINDOW)
        for edit in result.edited:
            m = edit.message
            self.stored[edit.position] = Stored(
                edit.position, m.role, m.type, m.content, m.created_at, tuple(m.resource_ids)
            )
        for position in result.vanished:
            self.stored[position] = replace(self.stored[position], vanished=True)
        for added in result.appended:
            assert added.position == len(self.stored)
            self.stored += stored_as([added.message], first=added.position)
        if result.gap_after is not None:
            self.gaps.add(result.gap_after)


@settings(max_examples=1000, deadline=None)
@given(histories)
def test_with_fewer_than_forty_unseen_the_stored_transcript_is_the_truth(history):
    """Every message has its own second here, so only one reading fits."""
    truth: list[Remote] = []
    seen: list[
        Remote
    ] = []  # the truth as polls could know it: a rewording after the last sight stays unknown
    mirror = Mirror()
    gaps: set[int] = set()
    unseen = 0
    for step, count, seed in history:
        if step == "say":
            random = Random(seed)
            for _ in range(count):
                truth.append(
                    Remote(
                        random.choice(TEXTS),
                        role=random.choice(["user", "model"]),
                        created_at=START + timedelta(seconds=len(truth)),
                        resource_ids=random.choice([(), ("r",)]),
                    )
                )
            unseen += count
        elif step == "grow" and len(truth) >= count:
            truth[-count] = replace(truth[-count], content=truth[-count].content + " more")
        elif step == "poll" and truth:
            if unseen >= WINDOW if seen else unseen > WINDOW:
                gaps.add(len(seen) - 1)
                seen += truth[-WINDOW:]
            else:
                seen += truth[len(truth) - unseen :]
                visible = min(len(truth), WINDOW, len(seen) - max(gaps, default=-1) - 1)
                seen[len(seen) - visible :] = truth[len(truth) - visible :]
            mirror.poll(truth)
            unseen = 0
            assert mirror.stored == stored_as(seen)
            assert mirror.gaps == gaps


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.tuples(st.text(alphabet="ab", max_size=1), st.booleans()), min_size=1, max_size=39),
    st.lists(st.integers(1, 10), min_size=1, max_size=20),
)
def test_without_times_a_short_transcript_is_still_the_truth(messages, steps):
    """Identical texts, no times at all: below 40 messages the window is the whole truth."""
    truth = [Remote(text, role="user" if user else "model") for text, user in messages]
    mirror = Mirror()
    shown = 0
    for step in steps:
        shown = min(len(truth), shown + step)
        mirror.poll(truth[:shown])
        assert mirror.stored == stored_as(truth[:shown])
