from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from polling import budget, drains, health, heartbeats, keys, kinds, tasks, ticks, watchdog
from polling.budget import Priority
from polling.clock import later
from polling.heartbeats import Pulse, Remotes
from polling.kinds import Failed
from polling.models import Heartbeat, PollState
from tests.polling.things import KEY, Things, make_due
from tests.processes import Valkey, wait_until


@pytest.fixture
def alive(things: Things, valkey: Valkey) -> Things:
    """Beat, a worker and Redis are there, and the clock ticks."""
    for name in (heartbeats.BEAT, heartbeats.TICK, heartbeats.WORKER + "a:1"):
        heartbeats.write(name)
    return things


def codes(*fingerprints: str) -> list[str]:
    return [problem.code for problem in health.problems(fingerprints or [KEY])]


def silence(*names: str) -> None:
    Heartbeat.objects.filter(name__in=names).update(seen_at=later(-heartbeats.GONE_SECONDS - 1))


def test_all_is_well(alive: Things) -> None:
    alive.add(3)
    drains.drain("polls")
    assert codes() == []


@pytest.mark.parametrize(
    ("name", "code"), [("beat", "beat_gone"), ("worker:a:1", "worker_gone"), ("tick", "stalled")]
)
def test_a_process_that_is_gone_and_back(alive: Things, name: str, code: str) -> None:
    silence(name)
    assert codes() == [code]
    heartbeats.write(name)
    assert codes() == []


def test_polls_and_presses_have_workers_of_their_own(alive: Things) -> None:
    heartbeats.write("worker:a:1", {"queues": ["files", "polls"]})
    heartbeats.write("worker:b:2", {"queues": ["commands"]})
    assert codes() == []
    silence("worker:a:1")
    assert codes() == ["polls_gone"]
    silence("worker:b:2")
    assert codes() == ["worker_gone"]
    heartbeats.write("worker:a:1", {"queues": ["files", "polls"]})
    assert codes() == ["commands_gone"]


def test_redis_gone_and_back(alive: Things, valkey: Valkey) -> None:
    silence("tick")  # without Redis no tick arrives: that is no trouble of its own
    valkey.kill()
    assert codes() == ["redis_gone"]
    valkey.start()
    heartbeats.write("tick")
    wait_until(lambda: codes() == [])


def test_keys(alive: Things) -> None:
    keys.close("a" * 16, seconds=None, reason="unauthorized")
    keys.close("b" * 16, seconds=30, reason="rate_limited")
    keys.close("c" * 16, seconds=None, reason="payment_required", scope="paid")
    # Comes back by itself: nobody has to say so on the workspace's page, and nobody could.
    keys.close("d" * 16, seconds=600, reason="quota_exceeded", scope="paid")
    assert [(p.code, p.fingerprint) for p in health.problems([letter * 16 for letter in "abcde"])] == [
        ("key_refused", "a" * 16),
        ("rate_limited", "b" * 16),
        ("no_credit", "c" * 16),
        ("used_up", "d" * 16),
    ]
    assert codes("e" * 16) == []
    keys.reopen("a" * 16)
    assert codes("a" * 16) == []


def test_the_other_side_away_and_back(alive: Things) -> None:
    alive.add(2)
    alive.before = lambda claim: Failed("unreachable", "connection refused")
    drains.drain("polls")
    assert codes() == ["heygen_unreachable"]

    alive.before = lambda claim: None
    make_due()
    drains.drain("polls")
    assert codes() == []


def test_one_object_that_fails_is_its_own_trouble() -> None:
    remotes, one, other = Remotes(), uuid4(), uuid4()

    def reason() -> str:
        return remotes._reason(remotes._failed[KEY])

    remotes.silent(KEY, one, "server_error")
    remotes.silent(KEY, one, "server_error")
    assert reason() == ""
    remotes.answered(KEY)
    remotes.silent(KEY, one, "server_error")
    assert reason() == ""
    remotes.silent(KEY, other, "unreachable")
    assert reason() == "unreachable"


def test_when_a_key_was_last_answered_outlives_what_fails_after_it(things: Things) -> None:
    remotes, one = Remotes(every=0), uuid4()
    assert heartbeats.answered_at([KEY]) is None
    remotes.silent(KEY, one, "unreachable")
    remotes.write({KEY})
    assert heartbeats.answered_at([KEY]) is None

    remotes.answered(KEY)
    remotes.silent(KEY, one, "unreachable")
    remotes.write({KEY})
    first = heartbeats.answered_at([KEY])
    assert first is not None
    for number in range(2):
        remotes.silent(KEY, UUID(int=number), "unreachable")
        remotes.write({KEY})
    assert heartbeats.answered_at([KEY]) == first

    remotes.answered(KEY)
    remotes.write({KEY})
    later = heartbeats.answered_at([KEY])
    assert later is not None
    assert later > first


def test_a_worker_that_does_not_ask_a_key_any_more_says_nothing_of_it(things: Things) -> None:
    """Another one has seen that it is answered again."""
    here, there = Remotes(every=0), Remotes(every=0)
    for number in range(2):
        here.silent(KEY, UUID(int=number), "unreachable")
    here.write({KEY})
    assert codes()[-1:] == ["heygen_unreachable"]
    there.answered(KEY)
    there.write({KEY})

    here.answered("b" * 16)
    here.write({"b" * 16})

    assert "heygen_unreachable" not in codes()


def test_the_budget_used_up(alive: Things, settings: Settings) -> None:
    settings.POLL_REQUESTS_PER_SECOND, settings.POLL_BURST = 0.1, 2
    alive.add(3)
    budget.learn(KEY)
    budget.admit(KEY, Priority.COMMAND)
    heartbeats.write("progress:polls")
    assert codes() == []
    PollState.objects.update(next_poll_at=later(-60))
    assert codes() == ["budget_exhausted"]


def test_texts() -> None:
    for code in health.TEXTS:
        assert len(health.Problem(code).text) > 20


def test_a_stall_is_work_due_and_nothing_written(alive: Things) -> None:
    alive.add(1)
    assert watchdog.health() == {}
    call_command("worker_health", verbosity=0)

    PollState.objects.update(next_poll_at=later(-40))
    assert watchdog.health()["polls"] == pytest.approx(40, abs=2)
    with pytest.raises(CommandError, match="polls: nothing written for"):
        call_command("worker_health")

    heartbeats.write("progress:polls")
    assert watchdog.health() == {}


def test_objects_of_a_closed_key_do_not_count_as_late(alive: Things) -> None:
    alive.add(1)
    PollState.objects.update(next_poll_at=later(-400))
    keys.close(KEY, seconds=None, reason="unauthorized")
    assert watchdog.lag("polls") == 0
    assert watchdog.health() == {}


def test_the_watchdog_ends_a_worker_that_stalls(alive: Things, monkeypatch: pytest.MonkeyPatch) -> None:
    alive.add(1)
    PollState.objects.update(next_poll_at=later(-400))
    ended: list[bool] = []
    dog = watchdog.Watchdog(["polls"], end=lambda: ended.append(True))
    dog.check()
    assert ended == []  # a worker that has just begun is given its minute
    monkeypatch.setattr(dog, "_since", -watchdog.EXIT_SECONDS * 10_000)
    dog.check()
    assert ended == [True]


@pytest.mark.parametrize(("queues", "lanes"), [("polls files words", ["polls", "words"]), ("commands", [])])
def test_a_worker_watches_over_every_lane_that_it_drains(
    things: Things, queues: str, lanes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds.register(replace(kinds.named("thing"), name="word", lane="words"))
    dog = Mock()
    monkeypatch.setattr(watchdog, "Watchdog", dog)
    monkeypatch.setattr(heartbeats, "Pulse", Mock())
    sender = Mock()
    sender.app.amqp.queues.consume_from = dict.fromkeys(queues.split())

    tasks._worker_lives(sender)

    dog.assert_called_once_with(lanes)


def test_a_pulse_writes_and_takes_its_sign_back(things: Things) -> None:
    pulse = Pulse("worker:here:1", every=0.01)
    pulse.start()
    wait_until(lambda: Heartbeat.objects.filter(name="worker:here:1").exists())
    assert heartbeats.live_workers() == 1
    pulse.stop()
    assert not Heartbeat.objects.filter(name="worker:here:1").exists()


def test_a_tick_hints_what_is_due_and_claims_nothing(alive: Things, hinted: list[str]) -> None:
    assert ticks.tick() == {}
    alive.add(250)
    hinted.clear()

    assert ticks.tick() == {"polls": 1}
    for name in ("b", "c", "d"):
        heartbeats.write(f"worker:{name}:1")
    assert ticks.tick() == {"polls": 3}

    assert hinted == ["polls"] * 4
    assert PollState.objects.filter(lease_token=None, sequence=0).count() == 250


def test_a_tick_hints_what_comes_due_before_the_next(alive: Things, hinted: list[str]) -> None:
    alive.add(1)
    hinted.clear()
    make_due(seconds=5)
    assert ticks.tick() == {}
    make_due(seconds=0.5)
    assert ticks.tick() == {"polls": 1}


def test_a_tick_leaves_closed_keys_alone(alive: Things, hinted: list[str]) -> None:
    alive.add(1)
    keys.close(KEY, seconds=None, reason="unauthorized")
    hinted.clear()
    assert ticks.tick() == {}
