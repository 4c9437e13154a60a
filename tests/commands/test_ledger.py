from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import uuid6
from django.db import IntegrityError, transaction

from commands import delivery, journal, ledger, tokens
from commands.kinds import Accepted, Refused, Unclear, UnknownKind
from commands.models import Command, State
from tests.commands.remote import Presser, Remote
from timeline.events import events_of
from workspaces_app.models import User, Workspace

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_press_is_a_queued_row_that_the_machine_looks_at(press: Presser) -> None:
    command, created = press.press("session.send", payload={"message": "hello"})

    assert created
    command.refresh_from_db()
    assert (command.state, command.payload, command.by, command.workspace) == (
        State.QUEUED,
        {"message": "hello"},
        press.person,
        press.workspace,
    )
    assert (command.ordered, command.attempts, command.attempt_at) == (True, 0, None)
    assert 0 < (command.due_at - command.created_at).total_seconds() < 5


def test_a_press_is_on_the_timeline_of_its_object(press: Presser) -> None:
    command = press("session.create")

    event = events_of("session", command.object_id).get()
    assert (event.what, event.source, event.actor, event.data) == (
        "command.pressed",
        "person",
        press.person,
        {"command": str(command.pk), "kind": "session.create"},
    )


def test_the_same_token_is_the_first_press(press: Presser) -> None:
    token, session = tokens.new(), uuid6.uuid7()
    first = press("session.send", object_id=session, token=token, payload={"message": "one"})

    second, created = press.press("session.send", object_id=session, token=token, payload={"message": "two"})

    assert (second.pk, created, second.payload) == (first.pk, False, {"message": "one"})
    assert Command.objects.count() == 1
    assert events_of("session", session).count() == 1


def test_a_create_pressed_twice_keeps_the_object_of_the_first(press: Presser) -> None:
    token = tokens.new()
    first = press("session.create", token=token)

    second, created = press.press("session.create", token=token)

    assert (second.pk, second.object_id, created) == (first.pk, first.object_id, False)


def test_twelve_presses_at_once_are_one(press: Presser, together: Callable[..., list[Any]]) -> None:
    token, session, gate = tokens.new(), uuid6.uuid7(), threading.Barrier(12)

    def one() -> tuple[Any, bool]:
        gate.wait()
        with transaction.atomic():
            command, created = press.press("session.send", object_id=session, token=token)
            # The transaction is whole also for those who came second.
            assert Command.objects.filter(token=token).count() == 1
        return command.pk, created

    results = together(*[one] * 12)

    assert Command.objects.count() == 1
    assert {pk for pk, _ in results} == {Command.objects.get().pk}
    assert sorted(created for _, created in results) == [False] * 11 + [True]


def test_a_press_that_is_rolled_back_never_was(press: Presser) -> None:
    token = tokens.new()
    with transaction.atomic():
        press("session.create", token=token)
        transaction.set_rollback(True)

    assert not Command.objects.exists()
    assert press.press("session.create", token=token)[1]


@pytest.mark.parametrize("differs", ["person", "kind", "object", "workspace"])
def test_a_token_of_another_form_is_refused_and_tells_nothing(press: Presser, differs: str) -> None:
    token, session = tokens.new(), uuid6.uuid7()
    press("session.send", object_id=session, token=token, payload={"message": "a secret plan"})
    workspace, person = press.workspace, press.person
    if differs == "person":
        person = User.objects.create_user("eve@example.com", "a password")
    if differs == "workspace":
        workspace = Workspace.objects.create(name="Blue", slug="blue")
    other = Presser(workspace, person)

    with transaction.atomic():
        with pytest.raises(ledger.TokenTaken) as caught:
            other(
                "session.stop" if differs == "kind" else "session.send",
                object_id=uuid6.uuid7() if differs == "object" else session,
                token=token,
            )
        # The caller's transaction goes on.
        assert Command.objects.count() == 1

    assert "secret" not in str(caught.value)
    assert str(session) not in str(caught.value)


def test_a_payload_with_a_key_is_refused(press: Presser) -> None:
    with pytest.raises(ledger.SecretInPayload) as caught:
        press(payload={"files": [{"headers": {"X-Api-Key": "sk_very_secret"}}]})

    assert "X-Api-Key" in str(caught.value)
    assert "sk_very_secret" not in str(caught.value)
    assert not Command.objects.exists()


def test_a_kind_that_nobody_registered_is_refused(press: Presser) -> None:
    with pytest.raises(UnknownKind):
        press("session.dance")


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "perhaps"},
        {"state": "sending"},
        {"state": "unknown"},
        {"state": "accepted"},
        {"due_at": None},
        {"settled_by": "list"},
        {"lease_token": UUID(int=1)},
    ],
    ids=str,
)
def test_the_database_takes_no_half_state(press: Presser, wrong: dict[str, Any]) -> None:
    command = press()

    with pytest.raises(IntegrityError):
        Command.objects.filter(pk=command.pk).update(**wrong)


# --- settle_as ----------------------------------------------------------------------------------------------------


def unknown(press: Presser, remote: Remote, kind: str = "session.create", **options: Any) -> Command:
    command = press(kind, **options)
    remote.will(command, Unclear("cut off"))
    delivery.advance(command.pk)
    command.refresh_from_db()
    assert command.state == State.UNKNOWN
    return command


def test_a_mirror_that_saw_the_proof_settles_it(press: Presser, remote: Remote) -> None:
    command = unknown(press, remote)

    assert ledger.settle_as(command.pk, Accepted("r1", {"from": "list"}), by="list")

    command.refresh_from_db()
    assert (command.state, command.remote_ref, command.answer, command.settled_by, command.error) == (
        State.ACCEPTED,
        "r1",
        {"from": "list"},
        "list",
        {},
    )
    assert (command.due_at, command.asks_person_since) == (None, None)
    assert command.settled_at is not None
    assert command.applied_at is not None
    assert remote.followed == [(command.pk, Accepted("r1", {"from": "list"}))]
    assert [(event.what, event.source) for event in events_of("session", command.object_id)] == [
        ("command.pressed", "person"),
        ("command.unknown", "system"),
        ("command.accepted", "poll"),
    ]


def test_two_proofs_settle_it_once(
    press: Presser, remote: Remote, together: Callable[..., list[Any]]
) -> None:
    command = unknown(press, remote)
    gate = threading.Barrier(8)

    def one() -> bool:
        gate.wait()
        return ledger.settle_as(command.pk, Accepted("r1"), by="list")

    assert sorted(together(*[one] * 8)) == [False] * 7 + [True]
    assert len(remote.followed) == 1


def test_a_person_decides_only_what_they_were_asked(press: Presser, remote: Remote) -> None:
    command = unknown(press, remote)
    assert not ledger.settle_as(command.pk, Refused(None, "person", ""), by="person", actor=press.person)

    asked = unknown(press, remote, "stream.create")
    assert asked.asks_person
    assert list(Command.objects.asking_a_person()) == [asked]
    assert ledger.settle_as(asked.pk, Refused(None, "person", ""), by="person", actor=press.person)

    asked.refresh_from_db()
    assert (asked.state, asked.settled_by, asked.asks_person_since) == (State.REFUSED, "person", None)
    event = events_of("stream", asked.object_id).last()
    assert event is not None
    assert (event.what, event.source, event.actor) == ("command.refused", "person", press.person)
    assert not Command.objects.asking_a_person().exists()


def test_what_is_queued_or_over_is_not_settled(press: Presser, remote: Remote) -> None:
    queued = press()
    assert not ledger.settle_as(queued.pk, Accepted("r1"), by="list")

    delivery.advance(queued.pk)
    assert not ledger.settle_as(queued.pk, Accepted("other"), by="list")
    queued.refresh_from_db()
    assert queued.remote_ref == f"remote-{queued.pk}"


# --- send_again ---------------------------------------------------------------------------------------------------


def test_send_again_is_a_new_press_of_the_same(press: Presser, remote: Remote) -> None:
    old = unknown(press, remote, "stream.create", payload={"text": "hello"})

    new = ledger.send_again(old, press.person)

    assert (new.kind, new.object_id, new.payload, new.state, new.repeats) == (
        "stream.create",
        old.object_id,
        {"text": "hello"},
        State.QUEUED,
        old,
    )
    assert remote.repeats == [(old.pk, new.pk)]
    assert not Command.objects.asking_a_person().exists()
    delivery.advance(new.pk)
    assert remote.arrived == [old.pk, new.pk]


def test_clicking_send_again_in_eight_places_sends_one(
    press: Presser, remote: Remote, together: Callable[..., list[Any]]
) -> None:
    old = unknown(press, remote, "stream.create")
    people = [press.person] * 4 + [User.objects.create_user(f"p{n}@example.com", "x") for n in range(4)]
    gate = threading.Barrier(8)

    def click(person: User) -> Any:
        gate.wait()
        return ledger.send_again(old, person).pk

    results = together(*[lambda person=person: click(person) for person in people])

    assert len(set(results)) == 1
    assert Command.objects.filter(repeats=old).count() == 1
    assert len(remote.repeats) == 1


def test_a_refused_one_can_be_sent_again(press: Presser, remote: Remote) -> None:
    old = press()
    remote.will(old, Refused(400, "invalid_parameter", "Too long", "prompt"))
    delivery.advance(old.pk)

    new = ledger.send_again(old, press.person)

    assert (new.repeats_id, new.object_id) == (old.pk, old.object_id)


def test_what_may_still_happen_is_not_sent_again(press: Presser, remote: Remote) -> None:
    queued = press()
    looked_for = unknown(press, remote)
    accepted = press()
    delivery.advance(accepted.pk)

    for command in (queued, looked_for, accepted):
        with pytest.raises(ledger.NotRepeatable):
            ledger.send_again(command, press.person)

    assert Command.objects.filter(repeats__isnull=False).count() == 0


def test_the_first_may_turn_out_to_have_happened_after_all(press: Presser, remote: Remote) -> None:
    old = unknown(press, remote, "stream.create")
    ledger.send_again(old, press.person)

    assert journal.answer(old, Accepted("late", {}))

    old.refresh_from_db()
    assert (old.state, old.remote_ref) == (State.ACCEPTED, "late")


def test_rows_of_an_object_in_the_order_of_pressing(press: Presser) -> None:
    session, stream = uuid6.uuid7(), uuid6.uuid7()
    first = press("session.send", object_id=session)
    second = press("session.stop", object_id=session)
    press("stream.append", object_id=stream)

    assert list(Command.objects.for_object("session", session)) == [first, second]
    assert list(Command.objects.for_object("session.stop", session)) == [second]
    assert list(Command.objects.for_object("stream", session)) == []
    assert Command.objects.open().count() == 3
