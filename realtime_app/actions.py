"""What people do to live streams: each writes the press and what they see at once, in one transaction, and returns.

Nothing here talks to HeyGen; the ledger delivers. Whether the person may is for the view to have asked (`access`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import uuid6
from django.db import transaction

from commands import ledger
from commands.kinds import Accepted, Refused
from commands.models import Command
from realtime_app.models import Stream, StreamGroup, StreamKind
from realtime_app.sending import APPEND_KIND, CANCEL_KIND, CREATE_KIND, add_delta, changed
from realtime_app.spacing import spaced
from workspaces_app.models import User, Workspace


class TakesNoText(Exception):
    """The stream has ended, or speaks a script or a recording."""


@dataclass(frozen=True, slots=True)
class NewStream:
    """What the form asks for. `audio` is {"type": "asset_id" | "url", …}, only for a recording; names are for people."""

    kind: StreamKind
    avatar_id: str
    avatar_name: str = ""
    voice_id: str = ""
    voice_name: str = ""
    text: str = ""
    audio: dict[str, str] | None = None
    title: str = ""

    def payload(self) -> dict[str, Any]:
        """The fields of the create call that this kind has, and no other."""
        common = {"type": str(self.kind), "avatar_id": self.avatar_id}
        if self.kind == StreamKind.AUDIO:
            return {**common, "audio": self.audio or {}}
        return {**common, "voice_id": self.voice_id, "text": self.text}


def create(workspace: Workspace, wanted: NewStream, *, token: str, by: User) -> Stream:
    """A stream and the press that makes it. A second press of the same form gives the first one's stream.

    Raises commands.ledger.TokenTaken.
    """
    with transaction.atomic():
        command, pressed = ledger.record(
            CREATE_KIND,
            object_id=uuid6.uuid7(),
            workspace_id=workspace.pk,
            payload=wanted.payload(),
            token=token,
            by=by,
        )
        if not pressed:
            return Stream.objects.get(pk=command.object_id)
        return Stream.objects.create(
            pk=command.object_id,
            workspace=workspace,
            kind=wanted.kind,
            title=wanted.title,
            avatar_id=wanted.avatar_id,
            avatar_name=wanted.avatar_name,
            voice_id=wanted.voice_id,
            voice_name=wanted.voice_name,
            text=wanted.text,
            audio=wanted.audio or {},
            group=StreamGroup.PENDING,
            owner=by,
        )


def push(stream: Stream, *, text: str, final: bool, token: str, by: User) -> Command:
    """A further piece of text to be spoken; `final` ends the stream after it, and may come without text.

    Raises TakesNoText, commands.ledger.TokenTaken.
    """
    if not stream.takes_text:
        raise TakesNoText
    with transaction.atomic():
        command, pressed = ledger.record(
            APPEND_KIND,
            object_id=stream.pk,
            workspace_id=stream.workspace_id,
            payload={"delta": spaced(text), "final": final},
            token=token,
            by=by,
        )
        if pressed:
            add_delta(command)
            changed(command)
    return command


def cancel(stream: Stream, *, token: str, by: User) -> Command:
    """Ends a stream early. What was said stays."""
    with transaction.atomic():
        command, pressed = ledger.record(
            CANCEL_KIND, object_id=stream.pk, workspace_id=stream.workspace_id, payload={}, token=token, by=by
        )
        if pressed:
            changed(command)
    return command


def send_again(stream: Stream, command: Command, *, by: User) -> Command:
    """Sends a refused or unclear press once more, as a new one.

    Raises TakesNoText for text to a stream that has ended, commands.ledger.NotRepeatable.
    """
    if command.kind == APPEND_KIND and not stream.takes_text:
        raise TakesNoText
    with transaction.atomic():
        repeat = ledger.send_again(command, by)
        # The mark at the old text says that it was sent again.
        changed(command)
    return repeat


def decide(command: Command, *, happened: bool, stream_id: str = "", by: User) -> bool:
    """A person says how an unclear press ended; False when it was settled meanwhile.

    A create that happened needs HeyGen's id of the stream: without it there is nothing to follow.
    """
    outcome: Accepted | Refused = (
        Accepted(remote_ref=stream_id)
        if happened
        else Refused(None, "person", "A person found that it did not happen.")
    )
    return ledger.settle_as(command.pk, outcome, by="person", actor=by)
