"""The other side was away, and is back: nothing waits for the end of its long pause."""

from __future__ import annotations

import pytest

from polling import drains, heartbeats, kinds, schedule, ticks
from polling.clock import later
from polling.kinds import Failed
from polling.models import Heartbeat, PollState
from tests.polling.things import KEY, Things, make_due, row


@pytest.fixture
def away(things: Things) -> Things:
    """Three objects with long pauses after failures: nobody could be asked for anything."""
    things.pause = 300.0
    things.add(3)
    things.before = lambda claim: Failed("unreachable", "connection refused")
    drains.drain("polls")
    assert {state.failures for state in PollState.objects.all()} == {1}
    things.reads.clear()
    return things


def age_signs(seconds: float) -> None:
    Heartbeat.objects.filter(name__startswith=heartbeats.REMOTE).update(seen_at=later(-seconds))


def test_one_answer_brings_back_all_that_failed_meanwhile(away: Things) -> None:
    away.before = lambda claim: None
    first = PollState.objects.order_by("pk")[0].object_id

    make_due(first)
    drains.drain("polls")

    assert sorted(away.reads) == sorted(away.values)
    assert {state.failures for state in PollState.objects.all()} == {0}


def test_a_worker_that_has_just_begun_knows_it_too(away: Things, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drains, "_remotes", heartbeats.Remotes())

    test_one_answer_brings_back_all_that_failed_meanwhile(away)


def test_one_that_is_broken_by_itself_keeps_its_pauses(things: Things) -> None:
    things.pause = 300.0
    broken, sound = things.add(2)
    things.before = lambda claim: Failed("server_error", "500") if claim.object_id == broken else None
    drains.drain("polls")
    things.reads.clear()

    for _ in range(3):
        make_due(sound)
        drains.drain("polls")

    assert things.reads == [sound] * 3


def test_what_the_other_side_denies_waits_for_its_own_time(away: Things) -> None:
    denied = PollState.objects.order_by("pk")[0].object_id
    PollState.objects.filter(object_id=denied).update(missing=1, reason="not_found")

    schedule.recover(KEY)

    due = PollState.objects.filter(next_poll_at__lte=later(0)).values_list("object_id", flat=True)
    assert set(due) == set(away.values) - {denied}


def test_what_is_being_read_is_not_read_twice(away: Things) -> None:
    PollState.objects.update(lease_token="0" * 32, lease_until=later(8), next_poll_at=later(8))

    schedule.recover(KEY)
    assert not schedule.probe(KEY)

    assert not PollState.objects.filter(next_poll_at__lte=later(0)).exists()


def test_a_tick_lets_one_object_try_every_few_seconds(away: Things) -> None:
    def due() -> int:
        return PollState.objects.filter(next_poll_at__lte=later(0)).count()

    ticks.tick()
    assert due() == 0  # it was asked a moment ago

    age_signs(heartbeats.EVERY_SECONDS + 1)
    ticks.tick()
    ticks.tick()
    assert due() == 1

    drains.drain("polls")
    assert len(away.reads) == 1
    assert row(away.reads[0]).failures == 2


def test_a_key_that_answers_is_not_tried(things: Things) -> None:
    things.pause = 300.0
    broken, _ = things.add(2)
    things.before = lambda claim: Failed("server_error", "500") if claim.object_id == broken else None
    drains.drain("polls")
    age_signs(heartbeats.EVERY_SECONDS + 1)

    ticks.tick()

    assert not PollState.objects.filter(next_poll_at__lte=later(0)).exists()
    assert kinds.lanes() == ["polls"]
