from __future__ import annotations

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from commands import delivery
from commands.models import Command, State
from realtime_app import actions
from realtime_app.models import Stream, StreamGroup, StreamKind, TextDelta
from tests.realtime_app.conftest import Studio

pytestmark = pytest.mark.django_db(transaction=True)
TEXT_PATH = "/v3/avatar-realtime/*/text"


def accepted(studio: Studio, operation: str) -> list[dict[str, Any]]:
    """What the simulator accepted of one operation, oldest first."""
    return [entry for entry in studio.simulator.control.ledger()["accepted"] if entry["kind"] == operation]


def states(stream: Stream) -> list[tuple[str, str]]:
    deltas = TextDelta.objects.filter(stream=stream).order_by("sequence")
    return [(delta.text, delta.command.state) for delta in deltas.select_related("command")]


def cut_off(studio: Studio, *, after: bool) -> None:
    """The next text gets no answer: `after` HeyGen took it, or without its having heard of it."""
    studio.simulator.control.fault("drop", TEXT_PATH, method="POST", after=after)


def test_a_press_starts_one_stream_and_lets_it_be_followed(studio: Studio) -> None:
    stream = studio.start("Good morning.")
    studio.deliver()
    stream.refresh_from_db()
    [entry] = accepted(studio, "create_stream")
    assert entry["body"] == {
        "type": "text_stream",
        "avatar_id": studio.look,
        "voice_id": studio.voice,
        "text": "Good morning.",
    }
    assert stream.stream_id == entry["id"]
    assert stream.last_text_at is not None
    assert Command.objects.get(object_id=stream.pk).state == State.ACCEPTED


def test_what_heygen_refuses_is_kept_with_the_field_that_it_named(studio: Studio) -> None:
    stream = actions.create(
        studio.workspace,
        actions.NewStream(kind=StreamKind.TTS, avatar_id="look_of_nobody", voice_id=studio.voice, text="Hi."),
        token="r" * 32,
        by=studio.person,
    )
    studio.deliver()
    stream.refresh_from_db()
    command = Command.objects.get(object_id=stream.pk)
    assert (command.state, command.error["param"]) == (State.REFUSED, "avatar_id")
    assert (stream.group, stream.stream_id) == (StreamGroup.ERROR, None)
    assert stream.error_message == command.error["message"]


def test_a_start_without_an_answer_asks_a_person_at_once_and_is_never_repeated(studio: Studio) -> None:
    studio.simulator.control.fault("drop", "/v3/avatar-realtime", method="POST", after=True)
    stream = studio.start()
    studio.deliver()
    command = Command.objects.get(object_id=stream.pk)
    assert (command.state, command.asks_person) == (State.UNKNOWN, True)
    delivery.tick()
    studio.deliver()
    [entry] = accepted(studio, "create_stream")

    assert actions.decide(command, happened=True, stream_id=entry["id"], by=studio.person)
    stream = studio.poll(Stream.objects.get(pk=stream.pk))
    assert (stream.stream_id, stream.status) == (entry["id"], "pending")


def test_an_unclear_start_that_is_let_go_ends_as_failed(studio: Studio) -> None:
    studio.simulator.control.fault("drop", "/v3/avatar-realtime", method="POST")
    stream = studio.start()
    studio.deliver()
    assert actions.decide(Command.objects.get(object_id=stream.pk), happened=False, by=studio.person)
    stream.refresh_from_db()
    assert (stream.group, stream.stream_id) == (StreamGroup.ERROR, None)
    again = actions.send_again(stream, Command.objects.get(object_id=stream.pk), by=studio.person)
    stream.refresh_from_db()
    assert stream.group == StreamGroup.PENDING
    delivery.advance(again.pk)
    stream.refresh_from_db()
    assert [entry["id"] for entry in accepted(studio, "create_stream")] == [stream.stream_id]


def test_a_stream_over_the_ceiling_waits_and_says_why(studio: Studio, settings: Settings) -> None:
    settings.CEILING_STREAMS = 1
    first = studio.playing()
    second = studio.start("Second.")
    studio.deliver()
    waiting = Command.objects.get(object_id=second.pk)
    assert (waiting.state, waiting.waiting_for) == (State.QUEUED, "ceiling")

    studio.simulator.control.advance(60)
    studio.poll(first)
    studio.deliver()
    assert Command.objects.get(object_id=second.pk).state == State.ACCEPTED


def test_texts_reach_heygen_in_the_order_of_pressing_with_blanks_between(studio: Studio) -> None:
    stream = studio.playing("One.")
    for text in ("Two", ", three", "four."):
        studio.push(stream, text)
    studio.deliver()
    assert studio.at_heygen(stream)["text"] == "One. Two, three four."
    deltas = TextDelta.objects.filter(stream=stream).order_by("sequence")
    assert [(delta.sequence, delta.text, delta.buffered_bytes) for delta in deltas] == [
        (0, "Two", 8),
        (1, ", three", 15),
        (2, "four.", 21),
    ]
    stream.refresh_from_db()
    assert stream.buffered_bytes == 21


def test_text_that_is_pushed_before_the_start_waits_for_it(studio: Studio) -> None:
    stream = studio.start("One.")
    command = studio.push(stream, "Two.")
    delivery.advance(command.pk)
    command.refresh_from_db()
    assert (command.state, command.waiting_for) == (State.QUEUED, "create")


def test_the_same_press_twice_is_one_text(studio: Studio) -> None:
    stream = studio.playing()
    for _ in range(2):
        actions.push(stream, text="Two.", final=False, token="t" * 32, by=studio.person)
    studio.deliver()
    assert [entry["body"] for entry in accepted(studio, "append_text")] == [
        {"delta": " Two.", "final": False}
    ]
    assert states(stream) == [("Two.", "accepted")]


@pytest.mark.parametrize("taken", [True, False])
def test_an_unclear_text_is_settled_by_the_next_one_and_holds_nothing_up(studio: Studio, taken: bool) -> None:
    stream = studio.playing("Öffnung.")
    studio.push(stream, "Erstens.")
    studio.deliver()
    cut_off(studio, after=taken)
    studio.push(stream, "Zweitens, mit Äpfeln und Öl.")
    studio.deliver()
    assert states(stream) == [("Erstens.", "accepted"), ("Zweitens, mit Äpfeln und Öl.", "unknown")]

    studio.push(stream, "Drittens.")
    studio.deliver()
    assert states(stream) == [
        ("Erstens.", "accepted"),
        ("Zweitens, mit Äpfeln und Öl.", "accepted" if taken else "refused"),
        ("Drittens.", "accepted"),
    ]
    settled = TextDelta.objects.get(stream=stream, sequence=1).command
    assert settled.settled_by == "bytes"
    assert len(accepted(studio, "append_text")) == (3 if taken else 2)


def test_an_unclear_text_of_an_ended_stream_asks_a_person(studio: Studio) -> None:
    stream = studio.playing()
    cut_off(studio, after=True)
    command = studio.push(stream, "Two.")
    studio.deliver()
    studio.simulator.control.advance(60)
    studio.poll(stream)
    delivery.advance(command.pk)
    command.refresh_from_db()
    assert (command.state, command.asks_person) == (State.UNKNOWN, True)

    with pytest.raises(actions.TakesNoText):
        actions.send_again(Stream.objects.get(pk=stream.pk), command, by=studio.person)
    assert actions.decide(command, happened=True, by=studio.person)
    assert states(stream) == [("Two.", "accepted")]


def test_text_after_the_end_is_refused_in_words(studio: Studio) -> None:
    stream = studio.playing()
    studio.push(stream, "The end.", final=True)
    late = studio.push(stream, "One more thing.")
    studio.deliver()
    late.refresh_from_db()
    assert (late.state, late.error["code"], late.error["status"]) == (State.REFUSED, "stream_ended", 410)

    studio.simulator.control.advance(60)
    ended = studio.poll(stream)
    assert ended.end_reason == "final_marker"
    with pytest.raises(actions.TakesNoText):
        studio.push(ended, "Still there?")


def test_a_refused_text_can_be_sent_again_behind_the_others(studio: Studio) -> None:
    stream = studio.playing("One.")
    studio.simulator.control.fault("status", TEXT_PATH, method="POST", status=400)
    refused = studio.push(stream, "Two.")
    studio.push(stream, "Three.")
    studio.deliver()
    refused.refresh_from_db()
    repeat = actions.send_again(stream, refused, by=studio.person)
    assert actions.send_again(stream, refused, by=studio.person).pk == repeat.pk
    studio.deliver()
    assert states(stream) == [("Two.", "refused"), ("Three.", "accepted"), ("Two.", "accepted")]
    assert studio.at_heygen(stream)["text"] == "One. Three. Two."


def test_stopping_is_repeated_until_it_is_answered(studio: Studio) -> None:
    stream = studio.playing()
    studio.simulator.control.fault("drop", "/v3/avatar-realtime/*/cancel", method="POST")
    command = actions.cancel(stream, token="c" * 32, by=studio.person)
    delivery.advance(command.pk)
    command.refresh_from_db()
    assert (command.state, command.waiting_for) == (State.QUEUED, "retry")

    Command.objects.filter(pk=command.pk).update(not_before=None)
    delivery.advance(command.pk)
    command.refresh_from_db()
    assert (command.state, command.answer) == (State.ACCEPTED, {"cancelled": True})
    assert studio.poll(stream).group == StreamGroup.COMPLETED

    again = actions.cancel(stream, token="d" * 32, by=studio.person)
    delivery.advance(again.pk)
    again.refresh_from_db()
    assert (again.state, again.answer) == (State.ACCEPTED, {"cancelled": False})
