from __future__ import annotations

import threading
import time
from uuid import uuid4

import pytest
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from polling import cadence, claims, drains, keys, readers, schedule
from polling.clock import later
from polling.kinds import Changed, Failed
from polling.models import PollState
from polling.writing import Read, Writer
from tests.polling.things import KEY, Things, make_due, row, slowly
from tests.processes import Valkey, wait_until


def test_a_drain_stores_what_is_new(things: Things) -> None:
    ids = things.add(3, value="hello")

    assert drains.drain("polls") == 3

    assert [things.stored(pk) for pk in ids] == ["hello"] * 3
    state = row(ids[0])
    assert (state.digest, state.group, state.failures, state.reason) == ("hello", "working", 0, "")
    assert (state.lease_token, state.lease_until, state.sequence) == (None, None, 1)
    assert state.polled_at is not None
    assert state.polled_at == state.changed_at
    assert state.next_poll_at is not None
    assert (state.next_poll_at - state.polled_at).total_seconds() == pytest.approx(60, abs=0.1)


def test_an_unchanged_poll_writes_only_its_schedule(things: Things, queries: CaptureQueriesContext) -> None:
    ids = things.add(20)
    drains.drain("polls")
    before = {pk: row(pk).changed_at for pk in ids}
    things.written.clear()
    make_due()

    with queries:
        assert drains.drain("polls") == 20

    writes = [q["sql"] for q in queries.captured_queries if "UPDATE" in q["sql"] or "INSERT" in q["sql"]]
    # One claim and one write for all twenty.
    assert [sql for sql in writes if "polling_pollstate" not in sql] == []
    assert len(writes) == 2
    assert {pk: row(pk).changed_at for pk in ids} == before
    assert things.written == []


def test_nothing_due_is_nothing_done(things: Things, queries: CaptureQueriesContext) -> None:
    things.add(1)
    drains.drain("polls")

    with queries:
        assert drains.drain("polls") == 0

    assert len(queries.captured_queries) == 1


def test_a_late_answer_is_dropped(things: Things) -> None:
    (pk,) = things.add()
    (old,) = claims.claim("polls", {KEY: 10}, token=uuid4())
    # Its lease ran out, somebody else read the object since.
    make_due(pk)
    things.values[pk] = "newer"
    assert drains.drain("polls") == 1

    Writer(old.lease_token).write([Read(old, "job", Changed("old", "working", "old"))])
    Writer(old.lease_token).write([Read(old, "job", Failed("unreachable", "late"))])

    assert things.stored(pk) == "newer"
    assert (row(pk).digest, row(pk).failures) == ("newer", 0)


def test_one_that_cannot_be_stored_fails_alone(things: Things) -> None:
    ids = things.add(5)
    things.poisoned = {ids[2]}

    drains.drain("polls")

    assert [things.stored(pk) for pk in ids] == [1, 1, None, 1, 1]
    poisoned = row(ids[2])
    assert (poisoned.failures, poisoned.reason, poisoned.digest) == (1, "not_stored", "")
    assert poisoned.message == "ValueError: this one cannot be stored"
    assert things.failures == [(ids[2], "not_stored", 1)]


def test_a_slow_read_holds_nobody_up(things: Things) -> None:
    ids = things.add(6)
    gate = threading.Event()
    things.before = lambda claim: gate.wait(20) and None if claim.object_id == ids[0] else None  # type: ignore[func-returns-value]

    drain = threading.Thread(target=drains.drain, args=["polls"])
    drain.start()
    try:
        wait_until(lambda: [things.stored(pk) for pk in ids[1:]] == [1] * 5)
        assert things.stored(ids[0]) is None
        assert row(ids[0]).lease_token is not None
    finally:
        gate.set()
        drain.join()
    assert things.stored(ids[0]) == 1


def test_a_read_past_its_deadline_is_given_up_on(workspace: object, things: Things) -> None:
    slow = Things(things.workspace_id, deadline=0.2)
    gate = threading.Event()
    slow.before = lambda claim: gate.wait(20) and None  # type: ignore[func-returns-value]
    (pk,) = slow.add()

    assert drains.drain("polls") == 1

    assert (row(pk).failures, row(pk).reason) == (1, "deadline")
    lane = readers.of("polls")
    assert lane.room == lane.capacity - 1  # the thread is still in it
    gate.set()
    wait_until(lambda: lane.room == lane.capacity)
    assert slow.stored(pk) is None


def test_leases_are_renewed_while_a_drain_runs(things: Things, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "RENEW_SECONDS", 0.05)
    (pk,) = things.add()
    gate = threading.Event()
    things.before = lambda claim: gate.wait(20) and None  # type: ignore[func-returns-value]
    drain = threading.Thread(target=drains.drain, args=["polls"])
    drain.start()
    try:
        wait_until(lambda: things.threads)
        first = row(pk).lease_until
        assert first is not None
        wait_until(lambda: (row(pk).lease_until or first) > first)
        assert row(pk).lease_until == row(pk).next_poll_at
        assert claims.due_keys("polls") == []
    finally:
        gate.set()
        drain.join()


def test_what_is_absent_from_load_is_retired(things: Things) -> None:
    (pk,) = things.add()
    del things.values[pk]

    drains.drain("polls")

    assert row(pk).next_poll_at is None
    assert things.reads == []


def test_a_third_404_in_a_row_is_told_as_the_third(things: Things) -> None:
    (pk,) = things.add()
    answers = iter(["server_error", "not_found", "not_found", "not_found"])
    things.before = lambda claim: Failed(reason := next(answers), "no", missing=reason == "not_found")
    for _ in range(4):
        make_due(pk)
        drains.drain("polls")

    assert things.failures == [
        (pk, "server_error", 1),
        (pk, "not_found", 1),
        (pk, "not_found", 2),
        (pk, "not_found", 3),
    ]
    assert [pace.missing for pace in things.paces] == [0, 1, 2, 3]


class Killed(BaseException):
    """The end of a process, as far as a transaction is concerned."""


def test_a_process_that_dies_before_it_told_a_failure_leaves_it_to_the_next_poll(things: Things) -> None:
    (pk,) = things.add()
    (claim,) = claims.claim("polls", {KEY: 1}, token=(token := uuid4()))

    def dies() -> None:
        raise Killed

    things.at_failure = dies
    with pytest.raises(Killed):
        Writer(token).write([Read(claim, "job", Failed("not_found", "no", missing=True))])

    assert (row(pk).missing, row(pk).lease_token) == (0, token)


def test_a_failure_that_a_kind_cannot_take_holds_up_no_schedule(things: Things) -> None:
    (pk,) = things.add()

    def breaks() -> None:
        raise ValueError("a defect of the kind")

    things.at_failure = breaks
    things.before = lambda claim: Failed("not_found", "no", missing=True)
    drains.drain("polls")

    assert (row(pk).missing, row(pk).lease_token) == (1, None)


def test_a_failure_that_closes_the_key_stops_its_other_objects(things: Things) -> None:
    things.add(1)
    things.before = lambda claim: Failed("unauthorized", "no", closes_key="unauthorized")
    drains.drain("polls")
    things.add(3)

    assert drains.drain("polls") == 0

    closed = keys.state(KEY)
    assert closed is not None
    assert (closed.reason, closed.needs_person) == ("unauthorized", True)


def test_a_call_that_the_budget_refused_is_made_in_the_same_drain(things: Things) -> None:
    (pk,) = things.add()
    answers = iter([Failed("held", "budget", retry_after=0.05), None])
    things.before = lambda claim: next(answers)

    assert drains.drain("polls") == 1

    assert things.stored(pk) == 1
    assert (row(pk).failures, row(pk).sequence) == (0, 1)


def test_a_call_held_for_long_goes_back_without_a_failure(things: Things) -> None:
    (pk,) = things.add()
    things.before = lambda claim: Failed("held", "rate_limited", retry_after=20)

    drains.drain("polls")

    state = row(pk)
    assert (state.failures, state.reason, state.polled_at, state.lease_token) == (0, "", None, None)


def test_a_wake_during_a_read_is_not_lost(things: Things) -> None:
    (pk,) = things.add()
    gate = threading.Event()
    things.before = lambda claim: gate.wait(20) and None  # type: ignore[func-returns-value]
    drain = threading.Thread(target=drains.drain, args=["polls"])
    drain.start()
    wait_until(lambda: things.threads)

    try:
        schedule.wake("thing", [pk])
        things.values[pk] = "after the wake"
        assert row(pk).woken
    finally:
        gate.set()
        drain.join()
    if things.reads == [pk]:  # the first drain may have been quick enough to read it again itself
        assert drains.drain("polls") == 1

    assert things.reads == [pk, pk]
    assert not row(pk).woken


def test_a_second_drain_of_the_process_ends_at_once(things: Things) -> None:
    things.add(2)
    gate = threading.Event()
    things.before = lambda claim: gate.wait(20) and None  # type: ignore[func-returns-value]
    drain = threading.Thread(target=drains.drain, args=["polls"])
    drain.start()
    wait_until(lambda: things.threads)
    try:
        assert drains.drain("polls") == 0
    finally:
        gate.set()
        drain.join()
    assert sorted(things.reads) == sorted(things.values)


def test_a_drain_waits_for_what_comes_due_before_the_next_tick(things: Things) -> None:
    now, soon, late = things.add(3)
    make_due(soon, seconds=0.3)
    make_due(late, seconds=30)

    assert drains.drain("polls", ahead=1) == 2

    assert things.reads == [now, soon]


def test_a_drain_that_waits_can_be_called(things: Things) -> None:
    waits = threading.Event()

    class Called(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.set()
            return super().wait(timeout)

    readers.of("polls").called = Called()
    make_due(*things.add(), seconds=60)
    drain = threading.Thread(target=drains.drain, args=["polls"], kwargs={"ahead": 120})
    drain.start()
    try:
        wait_until(waits.is_set)
        (pressed,) = things.add()
        assert drains.drain("polls") == 0
        wait_until(lambda: things.stored(pressed) == 1)
        assert things.reads == [pressed]
    finally:
        drains.end()
        drain.join()


def test_what_a_process_that_ends_has_claimed_is_written(things: Things) -> None:
    (begun,) = things.add()
    gate = threading.Event()
    things.before = lambda claim: gate.wait(20) and None  # type: ignore[func-returns-value]
    drain = threading.Thread(target=drains.drain, args=["polls"], kwargs={"ahead": 120})
    drain.start()
    wait_until(lambda: things.threads)
    drains.end()
    wait_until(lambda: not readers.of("polls").claiming.locked())
    (after,) = things.add()
    gate.set()
    drain.join()
    assert (things.stored(begun), things.stored(after)) == (1, None)


def test_a_drain_whose_time_is_over_hints_the_next(things: Things, hinted: list[str]) -> None:
    things.add(3)
    hinted.clear()

    drains.drain("polls", claiming_seconds=0)

    assert hinted == ["polls"]
    assert len(things.written) == 1


def test_a_slow_key_leaves_room_for_others(things: Things, settings: Settings) -> None:
    settings.POLL_THREADS = 8
    gate = threading.Event()
    slow = set(things.add(50, key="a" * 16))
    things.before = lambda claim: gate.wait(20) and None if claim.object_id in slow else None  # type: ignore[func-returns-value]
    quick = things.add(1, key="b" * 16)
    drain = threading.Thread(target=drains.drain, args=["polls"])
    drain.start()
    try:
        wait_until(lambda: things.stored(quick[0]) == 1)
        (later,) = things.add(1, key="b" * 16)
        wait_until(lambda: things.stored(later) == 1)
    finally:
        gate.set()
        drain.join()


def test_the_database_is_not_touched_by_readers(things: Things) -> None:
    things.add(5)
    from django.db import connections

    seen: list[int] = []
    things.before = lambda claim: seen.append(len(list(connections.all(initialized_only=True))))

    drains.drain("polls")

    assert seen == [0] * 5
    assert all(name.startswith("read-polls-") for name in things.threads)


def test_many_objects_in_few_statements(
    things: Things, queries: CaptureQueriesContext, valkey: Valkey
) -> None:
    things.before = slowly(0.001)
    things.add(300)

    with queries:
        assert drains.drain("polls") == 300

    assert len(things.written) < 30
    assert PollState.objects.filter(digest="1").count() == 300
    assert len(queries.captured_queries) < 900


def test_time_is_not_spent_waiting(things: Things) -> None:
    things.before = slowly(0.05)
    things.add(64)
    begun = time.monotonic()

    drains.drain("polls")

    assert time.monotonic() - begun < 2


def test_what_should_be_working_and_brings_nothing_new_is_told_as_stuck(things: Things) -> None:
    quiet, young, broken = things.add(3)
    drains.drain("polls")
    long_ago = later(-cadence.STUCK_AFTER - 1)
    PollState.objects.exclude(object_id=young).update(changed_at=long_ago, woken_at=long_ago)
    things.before = lambda claim: Failed("server_error", "500") if claim.object_id == broken else None

    make_due()
    drains.drain("polls")

    assert things.stuck == [quiet]
    PollState.objects.update(group="needs_you")
    make_due()
    drains.drain("polls")
    assert things.stuck == [quiet]
