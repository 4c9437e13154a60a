"""From a person to HeyGen: how each command on a live stream is sent, and what follows from how it ended.

Registered with the ledger, which sees to it that each press is sent at most once.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, Max, Q
from django.db.models.functions import Now

import heygen
from commands import ledger
from commands.kinds import Accepted, AskPerson, CommandKind, Later, NotYet, Outcome, Refused, Settlement
from commands.models import Command, State
from polling import clock, schedule
from polling.budget import Priority
from polling.changes import Announcement, announce
from realtime_app import buffered
from realtime_app.models import Stream, StreamGroup, StreamKind, TextDelta
from workspaces_app import wire
from workspaces_app.connections import Connection, connections_for
from workspaces_app.outcomes import outcome_of

CREATE_KIND, APPEND_KIND, CANCEL_KIND = "stream.create", "stream.append", "stream.cancel"
# Our own code of a refusal: the stream takes no more text. HeyGen answers 410, or perhaps 404 or 409.
STREAM_ENDED = "stream_ended"

NOT_STARTED = Later(1.0, "create")


def _connection(command: Command) -> Connection:
    return connections_for({command.workspace_id})[command.workspace_id]


# --- create -----------------------------------------------------------------------------------------------------------


def wanted(payload: dict[str, Any]) -> heygen.CreateStream:
    """The payload of a create as the client wants it."""
    if payload["type"] == StreamKind.AUDIO:
        audio = payload["audio"]
        file: heygen.File = (
            heygen.FileAsset(audio["asset_id"])
            if audio["type"] == "asset_id"
            else heygen.FileUrl(audio["url"])
        )
        return heygen.Audio(avatar_id=payload["avatar_id"], audio=file)
    words = {name: payload[name] for name in ("avatar_id", "voice_id", "text")}
    return heygen.Tts(**words) if payload["type"] == StreamKind.TTS else heygen.TextStream(**words)


def send_create(command: Command) -> Outcome:
    connection = _connection(command)
    try:
        with wire.noted(command) as listener:
            client = connection.client(priority=Priority.COMMAND, listener=listener)
            stream_id = client.create_stream(wanted(command.payload))
    except heygen.ApiError as error:
        return outcome_of(error)
    return Accepted(remote_ref=stream_id)


def create_accepted(command: Command, outcome: Accepted) -> None:
    """Gives the row its remote id and lets it be polled. May run again."""
    Stream.objects.filter(pk=command.object_id, stream_id=None).update(
        stream_id=outcome.remote_ref,
        group=StreamGroup.PENDING,
        error_message="",
        # The opening words are text, too: the idle rule counts from them.
        last_text_at=Now(),
    )
    schedule.enroll(
        "stream",
        [command.object_id],
        workspace_id=command.workspace_id,
        fingerprint=_connection(command).fingerprint,
    )
    schedule.wake("stream", [command.object_id])


def create_refused(command: Command, outcome: Refused) -> None:
    Stream.objects.filter(pk=command.object_id, stream_id=None).update(
        group=StreamGroup.ERROR, error_message=outcome.message
    )


def create_repeated(command: Command, repeat: Command) -> None:
    Stream.objects.filter(pk=command.object_id, stream_id=None).update(
        group=StreamGroup.PENDING, error_message=""
    )


def ceiling(command: Command) -> str | None:
    """HeyGen runs so many streams of one account at once; what is over would be answered 429."""
    fingerprint = _connection(command).fingerprint
    busy = Stream.objects.occupying(fingerprint).count()
    busy += Command.objects.ahead_of(command).filter(workspace__key_fingerprint=fingerprint).count()
    return "ceiling" if busy >= settings.CEILING_STREAMS else None


# --- append -----------------------------------------------------------------------------------------------------------


def send_append(command: Command) -> Outcome:
    stream = Stream.objects.get(pk=command.object_id)
    if stream.ended:
        return Refused(None, STREAM_ENDED, "The stream has ended.")
    if stream.stream_id is None:
        return NOT_STARTED
    try:
        with wire.noted(command) as listener:
            client = _connection(command).client(priority=Priority.COMMAND, listener=listener)
            payload = command.payload
            taken = client.append_text(stream.stream_id, payload["delta"], final=payload["final"])
    except (heygen.Gone, heygen.NotFound, heygen.Conflict) as error:
        return Refused(error.status, STREAM_ENDED, error.message, error.param or "")
    except heygen.ApiError as error:
        return outcome_of(error)
    return Accepted(answer={"buffered_bytes": taken.buffered_bytes})


def append_accepted(command: Command, outcome: Accepted) -> None:
    """The idle rule counts from here, and HeyGen's counter may tell what became of earlier texts."""
    total = outcome.answer.get("buffered_bytes")
    if total is not None:
        TextDelta.objects.filter(command=command).update(buffered_bytes=total)
        Stream.objects.filter(pk=command.object_id, buffered_bytes__lt=total).update(buffered_bytes=total)
    spoken_at = command.attempt_at or clock.now()
    Stream.objects.filter(Q(last_text_at=None) | Q(last_text_at__lt=spoken_at), pk=command.object_id).update(
        last_text_at=spoken_at
    )
    schedule.wake("stream", [command.object_id])
    _settle_others(command)


def _settle_others(command: Command) -> None:
    for pk, taken in what_bytes_say(command.object_id).items():
        if pk != command.pk:
            ledger.settle_as(pk, _verdict(taken), by="bytes")


def _verdict(taken: bool) -> Accepted | Refused:
    return (
        Accepted()
        if taken
        else Refused(None, "not_taken", "HeyGen's byte counter shows that it was not taken.")
    )


def what_bytes_say(stream_id: UUID) -> dict[UUID, bool]:
    """Which texts of unknown outcome were taken, by the id of their command; those that are undecided are absent."""
    stream = Stream.objects.get(pk=stream_id)
    sent = [
        delta
        for delta in TextDelta.objects.filter(stream=stream_id).select_related("command").order_by("command")
        if delta.command.state in (State.ACCEPTED, State.UNKNOWN)
    ]
    pieces = [
        buffered.Piece(
            size=len(delta.command.payload["delta"].encode()),
            taken=True if delta.command.state == State.ACCEPTED else None,
            total=delta.buffered_bytes,
            final=delta.final,
        )
        for delta in sent
    ]
    found = buffered.verdicts(pieces, opening=len(stream.text.encode()))
    return {sent[place].command_id: taken for place, taken in found.items()}


def settle_append(command: Command) -> Settlement:
    """Nothing can be read back; a later text's byte count may tell, and after the stream's end nothing will."""
    taken = what_bytes_say(command.object_id).get(command.pk)
    if taken is not None:
        return _verdict(taken)
    if Stream.objects.get(pk=command.object_id).ended:
        return AskPerson("no_way_to_tell")
    return NotYet()


def append_repeated(command: Command, repeat: Command) -> None:
    """The same text once more is a text of its own, behind those that were pushed meanwhile."""
    add_delta(repeat)


def add_delta(command: Command) -> TextDelta:
    """The row of a pushed text, in the caller's transaction. Raises Stream.DoesNotExist."""
    # Moving the version locks the stream: two presses at once get two numbers.
    Stream.objects.filter(pk=command.object_id).update(version=F("version") + 1)
    stream = Stream.objects.get(pk=command.object_id)
    last: int | None = TextDelta.objects.filter(stream=stream).aggregate(last=Max("sequence"))["last"]
    return TextDelta.objects.create(
        stream=stream,
        sequence=0 if last is None else last + 1,
        text=command.payload["delta"].strip(),
        final=command.payload["final"],
        command=command,
        version=stream.version,
    )


# --- cancel -----------------------------------------------------------------------------------------------------------


def send_cancel(command: Command) -> Outcome:
    stream = Stream.objects.get(pk=command.object_id)
    if stream.stream_id is None:
        return Refused(None, STREAM_ENDED, "It never started.") if stream.ended else NOT_STARTED
    try:
        with wire.noted(command) as listener:
            client = _connection(command).client(priority=Priority.COMMAND, listener=listener)
            cancelled = client.cancel_stream(stream.stream_id)
    except heygen.ApiError as error:
        return outcome_of(error)
    return Accepted(answer={"cancelled": cancelled})


def look_soon(command: Command, outcome: Accepted | Refused) -> None:
    """The stream's own state tells what came of it, or why it was refused."""
    schedule.wake("stream", [command.object_id])


def changed(command: Command) -> None:
    """The stream's page draws its presses: they move its version."""
    Stream.objects.filter(pk=command.object_id).update(version=F("version") + 1)
    version = Stream.objects.filter(pk=command.object_id).values_list("version", flat=True).first()
    if version is None:
        return
    TextDelta.objects.filter(command=command).update(version=version)
    announce([Announcement(command.workspace_id, "stream", command.object_id, version)])


CREATE = CommandKind(
    name=CREATE_KIND,
    send=send_create,
    accepted=create_accepted,
    refused=create_refused,
    makes_object=True,
    ceiling=ceiling,
    changed=changed,
    repeated=create_repeated,
)
APPEND = CommandKind(
    name=APPEND_KIND,
    send=send_append,
    accepted=append_accepted,
    refused=look_soon,
    settle=settle_append,
    ordered=True,
    proof="bytes",
    changed=changed,
    repeated=append_repeated,
)
CANCEL = CommandKind(
    name=CANCEL_KIND,
    send=send_cancel,
    accepted=look_soon,
    refused=look_soon,
    repeatable=True,
    changed=changed,
)
