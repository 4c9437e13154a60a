from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import uuid6
from django.db import InterfaceError, InternalError, OperationalError, ProgrammingError, connection

from commands import delivery, hints, journal, leases, ledger
from commands.kinds import Accepted, AskPerson, Later, NotYet, Refused, Unclear
from commands.models import Command, State
from tests.commands.remote import Presser, Remote
from tests.processes import wait_until
from timeline.events import events_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def hinted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the worker would be told. The real way over Redis is tested in test_hints.py."""
    told: list[Any] = []
    monkeypatch.setattr(hints, "deliver", told.append)
    return told


def advance(command: Command) -> Command:
    delivery.advance(command.pk)
    command.refresh_from_db()
    return command


# --- one send, every outcome --------------------------------------------------------------------------------------


def test_a_command_is_on_record_as_sent_before_the_network_is_touched(press: Presser, remote: Remote) -> None:
    command = press()
    seen: list[Any] = []

    def look(sent: Command) -> Accepted:
        row = Command.objects.get(pk=sent.pk)
        assert not connection.in_atomic_block
        seen.append((row.state, row.attempts, row.attempt_at is not None, row.lease_token is not None))
        return Accepted("r1", {"session_id": "r1"})

    remote.will(command, look)
    advance(command)

    assert seen == [(State.SENDING, 1, True, True)]
    assert (command.state, command.remote_ref, command.answer, command.settled_by) == (
        State.ACCEPTED,
        "r1",
        {"session_id": "r1"},
        "answer",
    )
    assert (command.due_at, command.lease_token, command.lease_until) == (None, None, None)
    assert command.applied_at is not None
    assert remote.followed == [(command.pk, Accepted("r1", {"session_id": "r1"}))]
    assert remote.shown == [(command.pk, "sending", ""), (command.pk, "accepted", "")]
    assert [event.what for event in events_of("session", command.object_id)] == [
        "command.pressed",
        "command.accepted",
    ]


def test_a_hint_that_comes_again_sends_nothing(press: Presser, remote: Remote) -> None:
    command = press()

    for _ in range(3):
        delivery.advance(command.pk)

    assert remote.arrived == [command.pk]
    assert len(remote.followed) == 1


def test_eight_workers_on_one_row_send_it_once(
    press: Presser, remote: Remote, together: Callable[..., list[Any]]
) -> None:
    commands = [press() for _ in range(5)]
    gate = threading.Barrier(8)

    def work() -> None:
        gate.wait()
        for command in commands:
            delivery.advance(command.pk)

    together(*[work] * 8)

    assert sorted(remote.arrived) == sorted(command.pk for command in commands)
    assert Command.objects.filter(state=State.ACCEPTED).count() == 5


def test_a_refusal_keeps_what_heygen_named(press: Presser, remote: Remote) -> None:
    command = press()
    remote.will(command, Refused(400, "invalid_parameter", "Too long.", "prompt"))

    advance(command)

    assert (command.state, command.error) == (
        State.REFUSED,
        {"status": 400, "code": "invalid_parameter", "message": "Too long.", "param": "prompt"},
    )
    assert remote.followed == [(command.pk, Refused(400, "invalid_parameter", "Too long.", "prompt"))]


def test_what_was_not_taken_is_sent_when_heygen_allows(
    press: Presser, remote: Remote, pass_time: Callable[..., None]
) -> None:
    command = press()
    remote.will(command, Later(30.0, "rate_limited"))

    advance(command)
    assert (command.state, command.waiting_for, command.attempts) == (State.QUEUED, "rate_limited", 1)
    assert command.attempt_at is not None
    assert 29 < (command.not_before - command.attempt_at).total_seconds() < 32

    advance(command)
    assert remote.arrived == [command.pk]

    pass_time(31)
    advance(command)
    assert (command.state, command.attempts, remote.arrived) == (State.ACCEPTED, 2, [command.pk] * 2)


@pytest.mark.parametrize("answer", [Unclear("timed out"), RuntimeError("boom"), None], ids=repr)
def test_an_unclear_outcome_is_a_state_and_never_sent_again(
    press: Presser, remote: Remote, answer: Any, pass_time: Callable[..., None]
) -> None:
    command = press()
    remote.will(command, (lambda _: answer) if answer is None else answer)

    advance(command)
    assert (command.state, command.asks_person, command.error["code"]) == (State.UNKNOWN, False, "unclear")

    for _ in range(30):
        pass_time(60)
        delivery.tick()
        delivery.advance(command.pk)
    assert remote.arrived == [command.pk]


def test_an_unclear_stop_is_repeated(press: Presser, remote: Remote, pass_time: Callable[..., None]) -> None:
    command = press("session.stop")
    remote.will(command, Unclear("timed out"), Unclear("timed out"))

    advance(command)
    assert (command.state, command.waiting_for) == (State.QUEUED, "retry")
    pass_time(3)
    advance(command)
    assert command.state == State.QUEUED
    pass_time(5)
    advance(command)

    assert (command.state, command.attempts) == (State.ACCEPTED, 3)


def test_a_stop_that_never_gets_an_answer_asks_a_person_in_the_end(
    press: Presser, remote: Remote, pass_time: Callable[..., None]
) -> None:
    command = press("session.stop")
    remote.will(command, *[Unclear("timed out")] * 50)

    for _ in range(50):
        advance(command)
        pass_time(61)

    assert (command.state, command.asks_person) == (State.UNKNOWN, True)
    assert len(remote.arrived) < 20


def test_a_ceiling_holds_it_and_says_why(
    press: Presser, remote: Remote, pass_time: Callable[..., None]
) -> None:
    reasons = ["ceiling", None]
    remote.kind("session.create", makes_object=True, ceiling=lambda _: reasons.pop(0))
    command = press()

    advance(command)
    assert (command.state, command.waiting_for, remote.arrived) == (State.QUEUED, "ceiling", [])
    assert remote.shown == [(command.pk, "queued", "ceiling")]

    pass_time(3)
    assert delivery.tick() == 1
    advance(command)
    assert (command.state, command.waiting_for) == (State.ACCEPTED, "")


# --- the app's part fails -----------------------------------------------------------------------------------------


def test_an_accepted_command_outlives_a_crash_of_what_follows(
    press: Presser, remote: Remote, pass_time: Callable[..., None], hinted: list[Any]
) -> None:
    command = press()
    remote.hook_crashes = 2
    remote.will(command, Accepted("r1", {"session_id": "r1"}))

    advance(command)
    assert (command.state, command.remote_ref, command.applied_at) == (State.ACCEPTED, "r1", None)
    assert list(Command.objects.unapplied()) == [command]

    advance(command)
    assert (command.remote_ref, command.applied_at, command.apply_failures) == ("r1", None, 2)

    hinted.clear()
    pass_time(10)
    delivery.tick()
    assert hinted == [command.pk]
    advance(command)
    assert command.applied_at is not None
    assert remote.followed == [(command.pk, Accepted("r1", {"session_id": "r1"}))]
    assert remote.arrived == [command.pk]


def test_a_failure_to_show_it_stops_nothing(press: Presser, remote: Remote) -> None:
    def fails(command: Command) -> None:
        Command.objects.filter(pk=command.pk).update(remote_ref="half done")
        raise RuntimeError("no page today")

    remote.kind("session.create", makes_object=True, changed=fails)
    command = advance(press())

    assert (command.state, command.remote_ref) == (State.ACCEPTED, f"remote-{command.pk}")


def test_a_connection_that_breaks_while_it_is_shown_leaves_it_queued_and_unsent(
    press: Presser, remote: Remote
) -> None:
    """With the connection the attempt is gone that was to be on record before anything is sent."""
    broken = []

    def breaks(command: Command) -> None:
        if command.state == State.SENDING and not broken:
            broken.append(command.pk)
            connection.connection.close()
        Command.objects.filter(pk=command.pk).exists()

    remote.kind("session.create", makes_object=True, changed=breaks)
    command = press()
    with pytest.raises((OperationalError, InterfaceError, ProgrammingError)):
        delivery.advance(command.pk)
    command.refresh_from_db()
    assert (command.state, command.attempts, remote.arrived) == (State.QUEUED, 0, [])

    command = advance(command)
    assert (command.state, command.attempts, remote.arrived) == (State.ACCEPTED, 1, [command.pk])


# Away, cut off, a standby after a failover.
@pytest.mark.parametrize("failure", [OperationalError, InterfaceError, InternalError])
def test_an_answer_waits_for_a_database_that_takes_no_writes(
    press: Presser, remote: Remote, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    command = press()
    failures = iter([failure("not now"), failure("not now")])
    real = journal.answer

    def answer(*args: Any) -> bool:
        for failure in failures:
            raise failure
        return real(*args)

    monkeypatch.setattr(journal, "answer", answer)
    advance(command)

    assert (command.state, remote.arrived) == (State.ACCEPTED, [command.pk])


# --- leases -------------------------------------------------------------------------------------------------------


def test_a_living_sender_keeps_its_lease(
    press: Presser,
    remote: Remote,
    together: Callable[..., list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(leases, "LEASE_SECONDS", 1.0)
    command = press()
    until: list[Any] = []

    def renewed_often() -> bool:
        until.append(Command.objects.get(pk=command.pk).lease_until)
        delivery.tick()
        return until[-1] - until[0] > timedelta(seconds=2)

    def slow(_: Command) -> Accepted:
        wait_until(renewed_often, what="the lease is renewed past its first end")
        return Accepted("r1")

    remote.will(command, slow)
    together(lambda: delivery.advance(command.pk))

    command.refresh_from_db()
    assert (command.state, command.settled_by) == (State.ACCEPTED, "answer")
    assert "command.unknown" not in [event.what for event in events_of("session", command.object_id)]


def sender_lost(command: Command, pass_time: Callable[..., None]) -> None:
    """The lease runs out in the middle of a send, as if its process had been stopped."""
    pass_time(60)
    delivery.tick()


@pytest.mark.parametrize(
    ("late", "state", "settled_by"),
    [
        (Accepted("r1"), State.ACCEPTED, "answer"),
        (Refused(400, "invalid_parameter", "No."), State.REFUSED, "answer"),
        (Later(5.0, "rate_limited"), State.QUEUED, ""),
        (Unclear("timed out"), State.UNKNOWN, ""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_late_answer_still_counts(
    press: Presser,
    remote: Remote,
    late: Any,
    state: State,
    settled_by: str,
    pass_time: Callable[..., None],
) -> None:
    command = press()
    states: list[str] = []

    def slow(_: Command) -> Any:
        sender_lost(command, pass_time)
        states.append(Command.objects.get(pk=command.pk).state)
        return late

    remote.will(command, slow)
    advance(command)

    assert states == [State.UNKNOWN]
    assert (command.state, command.settled_by, remote.arrived) == (state, settled_by, [command.pk])


def test_an_answer_of_an_attempt_that_was_followed_by_another_changes_nothing(
    press: Presser, remote: Remote, pass_time: Callable[..., None]
) -> None:
    command = press("session.stop")

    def slow(_: Command) -> Accepted:
        sender_lost(command, pass_time)
        pass_time(60)
        delivery.advance(command.pk)
        return Accepted("first")

    remote.will(command, slow, Refused(404, "not_found", "Gone."))
    advance(command)

    assert (command.state, command.error["code"], command.attempts) == (State.REFUSED, "not_found", 2)


@pytest.mark.parametrize("late", [Later(5.0, "rate_limited"), Unclear("timed out")], ids=repr)
def test_an_attempt_is_not_put_back_by_the_answer_of_the_one_before(
    press: Presser, remote: Remote, late: Any, pass_time: Callable[..., None]
) -> None:
    command = press("session.stop")
    first: list[Command] = []
    states: list[str] = []

    def lost(sent: Command) -> Unclear:
        first.append(sent)
        return Unclear("cut off")

    def meanwhile(_: Command) -> Accepted:
        journal.answer(first[0], late)
        states.append(Command.objects.get(pk=command.pk).state)
        return Accepted("second")

    remote.will(command, lost, meanwhile)
    advance(command)
    pass_time(10)
    advance(command)

    assert states == [State.SENDING]
    assert (command.state, command.remote_ref) == (State.ACCEPTED, "second")


def test_a_sweep_that_comes_too_late_for_a_renewed_lease_changes_nothing(
    press: Presser, remote: Remote
) -> None:
    command = press()
    states: list[str] = []

    def swept(sent: Command) -> Accepted:
        # What a tick does that read the row just before its lease was renewed.
        delivery._sweep(Command.objects.get(pk=sent.pk))
        states.append(Command.objects.get(pk=sent.pk).state)
        return Accepted("r1")

    remote.will(command, swept)
    advance(command)

    assert states == [State.SENDING]


def test_an_answer_after_the_poll_saw_it_adds_what_only_it_knows(press: Presser, remote: Remote) -> None:
    command = press()

    def seen_first(_: Command) -> Accepted:
        assert ledger.settle_as(command.pk, Accepted("r1"), by="list")
        return Accepted("r1", {"buffered_bytes": 12})

    remote.will(command, seen_first)
    advance(command)

    assert (command.state, command.settled_by, command.answer) == (
        State.ACCEPTED,
        "answer",
        {"buffered_bytes": 12},
    )
    assert [event.what for event in events_of("session", command.object_id)] == [
        "command.pressed",
        "command.accepted",
    ]


def test_an_answer_counts_more_than_what_a_person_guessed(
    press: Presser, remote: Remote, pass_time: Callable[..., None]
) -> None:
    command = press("stream.create")

    def guessed(_: Command) -> Accepted:
        sender_lost(command, pass_time)
        assert ledger.settle_as(command.pk, Refused(None, "person", ""), by="person", actor=press.person)
        return Accepted("s1")

    remote.will(command, guessed)
    advance(command)

    assert (command.state, command.remote_ref) == (State.ACCEPTED, "s1")


def test_what_was_not_taken_is_not_queued_behind_a_persons_back(
    press: Presser, remote: Remote, pass_time: Callable[..., None]
) -> None:
    command = press("stream.create")

    def sent_again(_: Command) -> Later:
        sender_lost(command, pass_time)
        ledger.send_again(command, press.person)
        return Later(1.0, "rate_limited")

    remote.will(command, sent_again)
    advance(command)

    assert (command.state, command.error["code"]) == (State.REFUSED, "rate_limited")
    assert Command.objects.filter(state=State.QUEUED).get().repeats == command


# --- order --------------------------------------------------------------------------------------------------------


def test_sends_of_one_object_go_out_one_by_one_in_order(
    press: Presser, remote: Remote, together: Callable[..., list[Any]]
) -> None:
    session = uuid6.uuid7()
    commands = [press("session.send", object_id=session) for _ in range(6)]
    under_way = threading.Lock()
    tries: list[int] = []

    def alone(_: Command) -> Accepted:
        assert under_way.acquire(blocking=False), "two at once"
        # Long enough for the others to try.
        enough = len(tries) + 6
        wait_until(lambda: len(tries) >= enough or not Command.objects.filter(state=State.QUEUED).exists())
        under_way.release()
        return Accepted("")

    for command in commands:
        remote.will(command, alone)
    gate = threading.Barrier(6)

    def work(mine: list[Command]) -> None:
        gate.wait()
        while Command.objects.filter(state=State.QUEUED).exists():
            for command in mine:
                tries.append(1)
                delivery.advance(command.pk)

    together(*[lambda turn=turn: work(commands[turn:] + commands[:turn]) for turn in range(6)])

    assert remote.arrived == [command.pk for command in commands]
    assert Command.objects.filter(state=State.ACCEPTED).count() == 6


def test_a_later_one_waits_and_is_hinted_when_it_is_its_turn(
    press: Presser, remote: Remote, hinted: list[Any]
) -> None:
    session = uuid6.uuid7()
    first, second = press("session.send", object_id=session), press("session.send", object_id=session)
    elsewhere = press("session.send")

    advance(second)
    advance(elsewhere)
    assert (second.state, second.waiting_for, elsewhere.state) == (State.QUEUED, "order", State.ACCEPTED)

    hinted.clear()
    advance(first)
    assert hinted == [second.pk]
    advance(second)
    assert (second.state, second.waiting_for) == (State.ACCEPTED, "")


def test_a_message_that_waited_for_the_create_is_hinted_when_it_is_accepted(
    press: Presser, remote: Remote, hinted: list[Any]
) -> None:
    create = press("session.create")
    remote.kind(
        "session.send",
        ordered=True,
        ceiling=lambda _: "create" if Command.objects.get(pk=create.pk).state != State.ACCEPTED else None,
    )
    message = press("session.send", object_id=create.object_id)
    advance(message)
    assert (message.state, message.waiting_for) == (State.QUEUED, "create")

    hinted.clear()
    advance(create)
    assert hinted == [message.pk]
    advance(message)
    assert message.state == State.ACCEPTED


def test_an_unknown_message_holds_the_next_back_only_for_a_while(
    press: Presser, remote: Remote, pass_time: Callable[..., None]
) -> None:
    session = uuid6.uuid7()
    first, second = press("session.send", object_id=session), press("session.send", object_id=session)
    remote.will(first, Unclear("cut off"))

    advance(first)
    advance(second)
    assert (first.state, second.state, second.waiting_for) == (State.UNKNOWN, State.QUEUED, "order")

    pass_time(31)
    advance(second)
    assert second.state == State.ACCEPTED


def test_unknown_text_never_blocks_later_text(press: Presser, remote: Remote) -> None:
    stream = uuid6.uuid7()
    first, second = press("stream.append", object_id=stream), press("stream.append", object_id=stream)
    remote.will(first, Unclear("cut off"))

    advance(first)
    advance(second)

    assert (first.state, second.state) == (State.UNKNOWN, State.ACCEPTED)


def test_a_refused_message_does_not_hold_back_the_next(press: Presser, remote: Remote) -> None:
    session = uuid6.uuid7()
    first, second = press("session.send", object_id=session), press("session.send", object_id=session)
    remote.will(first, Refused(400, "invalid_parameter", "No."))

    advance(first)
    advance(second)

    assert (first.state, second.state) == (State.REFUSED, State.ACCEPTED)


# --- the tick -----------------------------------------------------------------------------------------------------


def test_a_lost_hint_is_found_after_two_seconds(
    press: Presser, pass_time: Callable[..., None], hinted: list[Any]
) -> None:
    command = press()
    hinted.clear()

    assert (delivery.tick(), hinted) == (0, [])
    pass_time(2.1)
    assert (delivery.tick(), hinted) == (1, [command.pk])
    # The worker has five seconds for this hint before the next one.
    assert (delivery.tick(), hinted) == (0, [command.pk])
    pass_time(5.1)
    assert (delivery.tick(), hinted) == (1, [command.pk, command.pk])


def test_two_ticks_at_once_do_what_one_does(
    press: Presser, together: Callable[..., list[Any]], pass_time: Callable[..., None], hinted: list[Any]
) -> None:
    commands = [press() for _ in range(10)]
    hinted.clear()
    pass_time(3)
    gate = threading.Barrier(4)

    def tick() -> None:
        gate.wait()
        delivery.tick()

    together(*[tick] * 4)

    assert sorted(hinted) == sorted(command.pk for command in commands)


def test_a_row_of_a_kind_that_is_gone_keeps_nobody_waiting(
    press: Presser, remote: Remote, pass_time: Callable[..., None], hinted: list[Any]
) -> None:
    lost, fine = press("session.stop"), press()
    remote.will(lost, lambda _: sender_lost(lost, pass_time) or Unclear(""))
    Command.objects.filter(pk=lost.pk).update(kind="session.gone")
    hinted.clear()
    pass_time(3)

    delivery.tick()
    assert sorted(hinted) == sorted([lost.pk, fine.pk])
    with pytest.raises(LookupError):
        delivery.advance(lost.pk)
    advance(fine)
    assert fine.state == State.ACCEPTED


# --- settling -----------------------------------------------------------------------------------------------------


def unknown(press: Presser, remote: Remote, kind: str = "session.create") -> Command:
    command = press(kind)
    remote.will(command, Unclear("cut off"))
    return advance(command)


def test_looking_finds_it(press: Presser, remote: Remote, pass_time: Callable[..., None]) -> None:
    command = unknown(press, remote)
    remote.will_show(command, NotYet(), RuntimeError("unreadable"), Accepted("r1", {"from": "the list"}))

    for seconds in (2.1, 4.1, 8.1):
        pass_time(seconds)
        assert delivery.tick() == 1
        advance(command)

    assert (command.state, command.remote_ref, command.settled_by, command.settle_tries) == (
        State.ACCEPTED,
        "r1",
        "list",
        3,
    )
    assert remote.arrived == [command.pk]
    assert len(remote.followed) == 1


def test_the_pauses_between_looks_grow(press: Presser, remote: Remote) -> None:
    assert [journal.pause(times) for times in range(1, 9)] == [2, 4, 8, 16, 32, 60, 60, 60]


def test_what_is_not_seen_in_ten_minutes_asks_a_person(
    press: Presser, remote: Remote, pass_time: Callable[..., None]
) -> None:
    command = unknown(press, remote)

    pass_time(590)
    advance(command)
    assert not command.asks_person
    pass_time(11)
    advance(command)

    assert (command.state, command.asks_person, command.due_at, command.error["reason"]) == (
        State.UNKNOWN,
        True,
        None,
        "not_seen",
    )
    pass_time(1000)
    assert delivery.tick() == 0
    assert [event.what for event in events_of("session", command.object_id)] == [
        "command.pressed",
        "command.unknown",
        "command.asks_person",
    ]


def test_settling_may_know_that_only_a_person_can(press: Presser, remote: Remote) -> None:
    command = unknown(press, remote)
    remote.will_show(command, AskPerson("two_candidates"))

    advance(command)

    assert (command.asks_person, command.error["reason"]) == (True, "two_candidates")


def test_where_nothing_can_tell_a_person_is_asked_at_once(press: Presser, remote: Remote) -> None:
    command = unknown(press, remote, "stream.create")

    assert (command.asks_person, command.due_at) == (True, None)


def test_eight_workers_look_once(press: Presser, remote: Remote, together: Callable[..., list[Any]]) -> None:
    command = unknown(press, remote)
    looks: list[Any] = []
    asked = threading.Event()

    def slow(_: Command) -> NotYet:
        looks.append(1)
        asked.wait(5)
        return NotYet()

    remote.kind("session.create", makes_object=True, settle=slow)

    def others() -> None:
        wait_until(lambda: looks, what="the first looks")
        for _ in range(7):
            delivery.advance(command.pk)
        asked.set()

    together(lambda: delivery.advance(command.pk), others)

    assert len(looks) == 1


def test_a_full_worker_leaves_the_row_for_later(
    press: Presser, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = press()
    full = threading.BoundedSemaphore(1)
    full.acquire()
    monkeypatch.setattr(delivery, "_sending", full)

    advance(command)
    assert (command.state, remote.arrived) == (State.QUEUED, [])

    full.release()
    advance(command)
    assert command.state == State.ACCEPTED
