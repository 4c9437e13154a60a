"""What people do to sessions: each writes the press and what they see at once, in one transaction, and returns.

Nothing here talks to HeyGen; the ledger delivers. Whether the person may is for the view to have asked (`access`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import uuid6
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from commands import ledger
from commands.kinds import Accepted, Refused
from commands.models import Command
from polling.changes import Announcement, announce
from sessions_app import access, lists, meanwhile
from sessions_app.models import Mode, Note, SearchText, SessionTag, Upload, VideoSession
from sessions_app.search_words import indexed
from sessions_app.sending import CREATE_KIND, SEND_KIND, STOP_KIND
from timeline.events import NewEvent, record
from timeline.models import Source
from workspaces_app.models import User, Workspace

# Before the words of somebody who may not approve alone: the agent might take any of them for an approval.
UNDECIDED = "This is not an approval yet."
OPENING = f"{UNDECIDED}\n\n"


def opening(by: User, session: VideoSession) -> str:
    """What goes out before the words of this person now, and counts for HeyGen's limit like them; "" for nothing."""
    return OPENING if access.is_undecided(by, session) else ""


class SaidMeanwhile(Exception):
    """Something was said to the agent, or shown by it for approval, that the person has not seen yet; `said` is what."""

    def __init__(self, said: Sequence[meanwhile.Said]) -> None:
        super().__init__(said)
        self.said = said


class AlreadyAnswered(SaidMeanwhile):
    """The question of a choice was answered before; the choice would be taken for an answer to something else."""


def create(
    workspace: Workspace,
    *,
    values: Mapping[str, Any],
    files: Sequence[Mapping[str, str]],
    token: str,
    by: User,
) -> VideoSession:
    """A session and the press that makes it. A second press of the same form gives the first one's session.

    `values` are the create call's fields without empty ones; `files` items are {"type": "asset_id" | "url", …}.
    Raises commands.ledger.TokenTaken.
    """
    payload = {**values, "files": list(files), "dialect": workspace.dialect}
    with transaction.atomic():
        command, pressed = ledger.record(
            CREATE_KIND,
            object_id=uuid6.uuid7(),
            workspace_id=workspace.pk,
            payload=payload,
            token=token,
            by=by,
        )
        if not pressed:
            return VideoSession.objects.get(pk=command.object_id)
        session = VideoSession.objects.create(
            pk=command.object_id,
            workspace=workspace,
            dialect=workspace.dialect,
            mode=Mode(values.get("mode", Mode.CHAT)),
            prompt=values["prompt"],
            settings=payload,
            owner=by,
            active_at=command.created_at,
            status_since=command.created_at,
        )
        SearchText.objects.create(
            session=session, position=-1, text=indexed(session.prompt, session.workspace_id)
        )
    return session


def send(
    session: VideoSession,
    *,
    text: str,
    token: str,
    by: User,
    files: Sequence[Mapping[str, str]] = (),
    attached: Sequence[Upload] = (),
    choices: Mapping[str, str] | None = None,
    undecided: bool = False,
    seen: meanwhile.Mark | None = None,
    question: int | None = None,
) -> Command:
    """A message to the agent. `undecided`: it must not be taken for an approval, and says so. `seen` is what the person
    knew of the conversation, `question` (a message position) what they answer with one of its choices. `attached` are the
    uploads behind `files`: they leave the session's composer.

    Raises SaidMeanwhile, AlreadyAnswered, commands.ledger.TokenTaken.
    """
    payload: dict[str, Any] = {
        "message": f"{OPENING}{text}" if undecided else text,
        "files": list(files),
        **(choices or {}),
    }
    if undecided:
        payload["undecided"] = True
    with transaction.atomic():
        # In line with those who approve: they must see an answer that came before theirs.
        VideoSession.objects.select_for_update().filter(pk=session.pk).first()
        command, pressed = ledger.record(
            SEND_KIND,
            object_id=session.pk,
            workspace_id=session.workspace_id,
            payload=payload,
            token=token,
            by=by,
        )
        if pressed:
            # After the press was written, or the second click of a double one would be told about the first. Raising takes
            # the press back.
            if seen is not None:
                said = meanwhile.since(seen, session, by, token=token)
                if not undecided:
                    said += meanwhile.shown_since(seen, session)
                if said:
                    raise SaidMeanwhile(said)
            if question is not None and (said := meanwhile.answers(session, question, but=command)):
                raise AlreadyAnswered(said)
            # With the press, or a process that dies in between leaves them to go out with the next message, too.
            Upload.objects.leave(session, attached)
            touched(session)
    return command


def stop(session: VideoSession, *, token: str, by: User) -> Command:
    """Asks the agent to halt at its next checkpoint. What exists stays."""
    with transaction.atomic():
        command, pressed = ledger.record(
            STOP_KIND, object_id=session.pk, workspace_id=session.workspace_id, payload={}, token=token, by=by
        )
        if pressed:
            touched(session)
    return command


def send_again(command: Command, *, by: User) -> Command:
    """Sends a refused or unclear press once more, as a new one.

    Raises commands.ledger.NotRepeatable. What it says must still hold when it is sent: `sending` looks.
    """
    return ledger.send_again(command, by)


def decide(command: Command, *, happened: bool, remote_id: str = "", by: User) -> bool:
    """A person says how an unclear press ended; False when it was settled meanwhile."""
    outcome: Accepted | Refused = (
        Accepted(remote_ref=remote_id)
        if happened
        else Refused(None, "person", "A person found that it did not happen.")
    )
    return ledger.settle_as(command.pk, outcome, by="person", actor=by)


def note(session: VideoSession, *, body: str, by: User) -> Note:
    """An internal note; it never goes to the agent."""
    with transaction.atomic():
        written = Note.objects.create(session=session, author=by, body=body)
        _note_event(session, "session.note", by)
    return written


def edit_note(note: Note, *, body: str, by: User) -> None:
    """Another text for a note; the same one changes nothing."""
    with transaction.atomic():
        changed = Note.objects.filter(pk=note.pk).exclude(body=body)
        if changed.update(body=body, edited_at=Now()):
            _note_event(note.session, "session.note_changed", by)


def delete_note(note: Note, *, by: User) -> None:
    with transaction.atomic():
        if Note.objects.filter(pk=note.pk).delete()[0]:
            _note_event(note.session, "session.note_deleted", by)


def _note_event(session: VideoSession, what: str, by: User) -> None:
    record([NewEvent(session.workspace_id, "session", session.pk, what, Source.PERSON, actor_id=by.pk)])
    _changed(session)


def archive(session: VideoSession, *, archived: bool, by: User) -> None:
    """Takes a session out of the inbox and the default history, or brings it back."""
    with transaction.atomic():
        if VideoSession.objects.filter(pk=session.pk).exclude(archived=archived).update(archived=archived):
            what = "session.archived" if archived else "session.restored"
            record(
                [NewEvent(session.workspace_id, "session", session.pk, what, Source.PERSON, actor_id=by.pk)]
            )
            _changed(session)


def tag(session: VideoSession, *, tags: Sequence[str], by: User) -> None:
    """Replaces the session's tags. A word that differs from another only in case is the same tag."""
    wanted = {name.casefold(): name for name in tags}
    with transaction.atomic():
        # Two people who save at once stand in line for the session's row.
        VideoSession.objects.select_for_update().filter(pk=session.pk).first()
        session.tags.all().delete()
        SessionTag.objects.bulk_create(
            SessionTag(workspace_id=session.workspace_id, session=session, name=name)
            for name in wanted.values()
        )
        record(
            [
                NewEvent(
                    session.workspace_id,
                    "session",
                    session.pk,
                    "session.tagged",
                    Source.PERSON,
                    {"tags": list(wanted.values())},
                    actor_id=by.pk,
                )
            ]
        )
        _changed(session)
        # Whoever tagged something finds it by that at once.
        transaction.on_commit(lambda: lists.tag_names.cache_clear())


def touched(session: VideoSession) -> None:
    """Something happened in the session that its viewers and its list should show."""
    VideoSession.objects.filter(pk=session.pk).update(active_at=Now())
    _changed(session)


def _changed(session: VideoSession) -> None:
    VideoSession.objects.filter(pk=session.pk).update(version=F("version") + 1)
    version = VideoSession.objects.values_list("version", flat=True).get(pk=session.pk)
    announcement = Announcement(session.workspace_id, "session", session.pk, version)
    transaction.on_commit(lambda: announce([announcement]))
