"""Whether somebody has just answered the agent, and when people are free to answer again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commands.models import Command
from sessions_app.answered import WAIT, Answer, answer
from sessions_app.models import Message, VideoSession

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
WAITING = VideoSession(group="needs_you", status="reviewing")


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def press(state: str = "accepted", *, seconds: float = 10, **fields: Any) -> Command:
    """One that was made so long ago, and taken at once where it is accepted."""
    settled = {"settled_at": ago(seconds)} if state in ("accepted", "refused") else {}
    return Command(
        **{"kind": "session.send", "state": state, "created_at": ago(seconds), **settled, **fields}
    )


def said(role: str, seconds: float) -> Message:
    return Message(role=role, first_seen_at=ago(seconds))


def told(last: Message | None, *presses: Command) -> Answer:
    return answer(WAITING, presses, last, now=NOW)


@pytest.mark.parametrize("state", ["queued", "sending", "unknown"])
def test_what_is_on_its_way_is_waited_for_until_its_end_is_known(state: str):
    assert told(said("model", 60), press(state, seconds=9000)) == Answer(True, True, None, None, [])


def test_what_heygen_took_is_waited_for_for_two_minutes():
    taken = press(seconds=10)
    free_at = ago(10) + WAIT
    assert told(said("model", 60), taken) == Answer(True, True, free_at, free_at, [taken])


def test_after_that_everybody_may_answer_again_and_is_told():
    taken = press(seconds=121)
    assert told(said("model", 600), taken) == Answer(False, False, None, None, [taken])


def test_a_message_that_is_shown_is_waited_for_as_long_and_then_said_to_have_no_reaction():
    assert told(said("user", 10)) == Answer(True, True, ago(10) + WAIT, None, [])
    assert told(said("user", 121)) == Answer(True, False, None, None, [])


@pytest.mark.parametrize(
    "nothing",
    [
        press("refused"),
        press(kind="session.stop"),
        press("unknown", asks_person_since=NOW),
        press(seconds=3601),  # nobody needs to be told for ever
        press(seconds=700),  # the agent has spoken since
    ],
)
def test_what_needs_no_waiting(nothing: Command):
    assert told(said("model", 600), nothing) == Answer(False, False, None, None, [])


def test_the_newest_of_several_is_waited_for():
    first, second = press(seconds=100), press(seconds=20)
    free_at = ago(20) + WAIT
    assert told(None, first, second) == Answer(True, True, free_at, free_at, [first, second])
