"""From a person to HeyGen: how each command on a session is sent, and what follows from how it ended.

Registered with the ledger, which sees to it that each press is sent at most once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

import heygen
from commands.kinds import (
    Accepted,
    AskPerson,
    CommandKind,
    NotYet,
    Outcome,
    Refused,
    Settlement,
)
from commands.models import Command
from heygen import matching, statuses
from polling import clock, schedule
from polling.budget import Priority
from polling.changes import Announcement, announce
from sessions_app import access, storyboard
from sessions_app.mirror.adoption import PAGE, SKEW_SECONDS
from sessions_app.mirror.found import follow_videos
from sessions_app.models import (
    Approval,
    Draft,
    Gap,
    Message,
    Note,
    RawWindow,
    ReadMark,
    Resource,
    SearchText,
    SessionTag,
    Snooze,
    StatusGroup,
    Video,
    VideoSession,
)
from timeline.models import Source
from workspaces_app import access as workspaces
from workspaces_app import webhooks, wire
from workspaces_app.connections import Connection, connections_for
from workspaces_app.outcomes import outcome_of

# Our own code of a refusal: what the person approved is not what HeyGen would take it for.
STALE = "stale_revision"
# The same: the agent has gone on, and would take an approval for a wish for another film.
NOT_WAITING = "not_waiting"
# The same: it could be taken for an approval that its sender may not give.
VERDICT = "verdict"
# The same: whoever wrote it had not seen the storyboard.
UNSEEN = "unseen"
CREATE_KIND, SEND_KIND, STOP_KIND = "session.create", "session.send", "session.stop"
# How deep the settling of a create reads the list; older sessions cannot be its answer.
LIST_PAGES = 5
# Sessions that no press here made: they were found in HeyGen's list.
ADOPTED = Q(~Exists(Command.objects.filter(kind=CREATE_KIND, object_id=OuterRef("pk"))))


def _connection(command: Command) -> Connection:
    return connections_for({command.workspace_id})[command.workspace_id]


def files_of(payload: dict[str, Any]) -> tuple[heygen.File, ...]:
    """The payload's `files` ({"type": "asset_id", …} or {"type": "url", …}) as the client wants them."""
    return tuple(
        heygen.FileAsset(item["asset_id"]) if item["type"] == "asset_id" else heygen.FileUrl(item["url"])
        for item in payload.get("files", [])
    )


# --- create -----------------------------------------------------------------------------------------------------------


def send_create(command: Command) -> Outcome:
    fields = {name: value for name, value in command.payload.items() if name not in ("files", "dialect")}
    if (
        command.payload["dialect"] == heygen.Dialect.CURRENT
    ):  # the old one stores the address and never calls it
        fields["callback_url"] = webhooks.callback_url(command.workspace_id, "session", command.object_id)
    try:
        with wire.noted(command) as listener:
            client = _connection(command).client(
                priority=Priority.COMMAND, dialect=command.payload["dialect"], listener=listener
            )
            created = client.create_session(heygen.CreateSession(**fields, files=files_of(command.payload)))
    except heygen.ApiError as error:
        return outcome_of(error)
    return Accepted(
        remote_ref=created.session_id,
        answer={
            "status": created.status,
            "video_id": created.video_id,
            "created_at": created.created_at.timestamp() if created.created_at else None,
        },
    )


def create_accepted(command: Command, outcome: Accepted) -> None:
    """Gives the row its remote id and lets it be polled. May run again, and for a row that a repeat has filled."""
    rows = VideoSession.objects.filter(pk=command.object_id, remote_id=None)
    if not rows.exists():
        return
    adopted = (
        VideoSession.objects.filter(workspace_id=command.workspace_id, remote_id=outcome.remote_ref)
        .filter(ADOPTED)
        .first()
    )
    if adopted is not None:
        _take_over(adopted, command)
    status = str(outcome.answer.get("status") or "")
    video_id = str(outcome.answer.get("video_id") or "")
    filled = rows.update(
        remote_id=outcome.remote_ref,
        status=status[:64],
        group=statuses.session_group(status) if status else StatusGroup.WORKING,
        video_id=video_id,
        status_since=Now(),
    )
    if not filled:  # a repeat's answer came in between
        return
    fingerprint = _connection(command).fingerprint
    schedule.enroll(
        "session", [command.object_id], workspace_id=command.workspace_id, fingerprint=fingerprint
    )
    schedule.wake("session", [command.object_id])
    if video_id:
        _follow_video(command, video_id, fingerprint)


def _follow_video(command: Command, video_id: str, fingerprint: str) -> None:
    """A film that the answer names already is there to be had even if HeyGen never shows the session."""
    # What was adopted meanwhile may have brought it.
    if not Video.objects.filter(session_id=command.object_id, video_id=video_id).exists():
        video = Video(
            workspace_id=command.workspace_id,
            session_id=command.object_id,
            video_id=video_id,
            first_seen_at=clock.now(),
        )
        follow_videos([video], {command.workspace_id: fingerprint}, source=Source.SYSTEM)


def _take_over(adopted: VideoSession, command: Command) -> None:
    """The list was faster than the answer: what was adopted meanwhile belongs to the row of the press."""
    # First of all: a poll of it that is under way must find its fence down, or what it adds would go with the row.
    schedule.retire("session", [adopted.pk])
    adopted.refresh_from_db()
    # Both have a line of title and prompt for the search; the next poll writes it anew.
    SearchText.objects.filter(session=adopted, position=-1).delete()
    for model in (
        Message,
        Gap,
        Resource,
        Video,
        RawWindow,
        Note,
        SearchText,
        Approval,
    ):
        model._default_manager.filter(session=adopted).update(session=command.object_id)
    _take_over_marks(adopted, command.object_id)
    # What was said to it meanwhile is still to be sent, or linked to its message.
    Command.objects.filter(object_id=adopted.pk).update(object_id=command.object_id)
    VideoSession.objects.filter(pk=command.object_id).update(
        title=adopted.title,
        message_count=adopted.message_count,
        remote_created_at=adopted.remote_created_at,
    )
    adopted.delete()


def _take_over_marks(adopted: VideoSession, session_id: UUID) -> None:
    """What people put on both rows stays as it is on the row of the press: each of these may be there once only."""
    mine = VideoSession.objects.get(pk=session_id)
    marks = ReadMark.objects.filter(session=adopted)
    marks.exclude(user__in=mine.read_marks.values("user")).update(session=mine)
    snoozes = Snooze.objects.filter(session=adopted)
    snoozes.exclude(user__in=mine.snoozes.values("user")).update(session=mine)
    drafts = Draft.objects.filter(like=adopted)
    drafts.exclude(owner__in=mine.drafts.values("owner")).update(like=mine)
    known = {name.casefold() for name in mine.tags.values_list("name", flat=True)}
    for tag in SessionTag.objects.filter(session=adopted):
        if tag.name.casefold() not in known:
            SessionTag.objects.filter(pk=tag.pk).update(session=mine)


def create_refused(command: Command, outcome: Refused) -> None:
    VideoSession.objects.filter(pk=command.object_id, remote_id=None).update(
        group=StatusGroup.FAILED, status_since=Now()
    )


def create_repeated(command: Command, repeat: Command) -> None:
    VideoSession.objects.filter(pk=command.object_id, remote_id=None).update(
        group=StatusGroup.WORKING, status_since=Now()
    )


def settle_create(command: Command) -> Settlement:
    """Looks for the session in HeyGen's list: made since the attempt, its first message the prompt, and nobody else's.

    Several open creates with the same prompt are interchangeable to HeyGen, so the oldest takes the oldest candidate, but
    only when there is one for each of them. The list is the account's: other workspaces may make sessions with its key.
    """
    if command.attempt_at is None:
        return NotYet()
    if command.payload["dialect"] != heygen.Dialect.CURRENT:
        return AskPerson("no_list")
    since = command.attempt_at - timedelta(seconds=SKEW_SECONDS)
    try:
        client = _connection(command).client(priority=Priority.COMMAND, dialect=command.payload["dialect"])
        recent = _created_since(client, since)
        taken = _taken(command, [item.session_id for item in recent])
        prompt = str(command.payload["prompt"])
        candidates = [
            item
            for item in recent
            if item.session_id not in taken and _begins_with(client, item.session_id, prompt)
        ]
    except heygen.ApiError:
        return NotYet()
    rivals = [
        rival
        for rival in Command.objects.filter(
            _same_account(command), kind=CREATE_KIND, state__in=("sending", "unknown")
        )
        # A person who sent one again has decided that it made nothing.
        .filter(repeated_by=None)
        .order_by("attempt_at", "id")
        if matching.same_text(str(rival.payload.get("prompt")), prompt)
    ]
    if not candidates or len(candidates) < len(rivals):
        return NotYet()
    place = next((index for index, rival in enumerate(rivals) if rival.pk == command.pk), 0)
    chosen = candidates[place]
    return Accepted(
        remote_ref=chosen.session_id,
        answer={"created_at": chosen.created_at.timestamp() if chosen.created_at else None},
    )


def _same_account(command: Command) -> Q:
    fingerprint = _connection(command).fingerprint
    return Q(workspace__key_fingerprint=fingerprint) if fingerprint else Q(workspace=command.workspace_id)


def _taken(command: Command, remote_ids: Sequence[str]) -> set[str]:
    """Which of these sessions cannot be the answer to this press: made by another one, or known before it."""
    theirs = VideoSession.objects.filter(_same_account(command), remote_id__in=remote_ids)
    made_here = theirs.filter(~ADOPTED)
    known_before = theirs.filter(workspace_id=command.workspace_id, created_at__lt=command.attempt_at)
    return {
        remote_id
        for rows in (made_here, known_before)
        for remote_id in rows.values_list("remote_id", flat=True)
        if remote_id
    }


def can_be_made_by(command: Command, remote_id: str) -> bool:
    """Whether a person may say that this create made that session: not one that another press of ours made."""
    rows = VideoSession.objects.filter(workspace_id=command.workspace_id, remote_id=remote_id)
    return not rows.filter(~ADOPTED).exclude(pk=command.object_id).exists()


def _created_since(client: heygen.Client, since: datetime) -> list[heygen.SessionSummary]:
    """Summaries of sessions created since then, oldest first."""
    found: list[heygen.SessionSummary] = []
    token: str | None = None
    for _ in range(LIST_PAGES):
        page = client.list_sessions(limit=PAGE, token=token)
        recent = [item for item in page.items if item.created_at is None or item.created_at >= since]
        found += recent
        token = page.next_token
        if not token or len(recent) < len(page.items):
            break
    return list(reversed(found))


def _begins_with(client: heygen.Client, remote_id: str, prompt: str) -> bool:
    try:
        session = client.read_session(remote_id)
    except heygen.NotFound:
        # Listed and deleted, or not to be read yet: it must not hide the others.
        return False
    first = next((message for message in session.messages if message.role == "user"), None)
    return first is not None and matching.same_text(first.content, prompt)


def ceiling(command: Command) -> str | None:
    """HeyGen runs so many jobs of one account at once; what is over would be answered 429."""
    same_key = Q(workspace__key_fingerprint=_connection(command).fingerprint)
    working = VideoSession.objects.working().filter(same_key, remote_id__isnull=False)
    # Two workspaces with one key may both have adopted it.
    busy = working.values("remote_id").distinct().count()
    busy += Command.objects.ahead_of(command).filter(same_key).count()
    return "ceiling" if busy >= settings.CEILING_SESSIONS else None


def _accepted(command: Command) -> tuple[VideoSession, str]:
    """The session with its remote id; `after_create` saw that it has one."""
    session = VideoSession.objects.select_related("workspace").get(pk=command.object_id)
    assert session.remote_id is not None  # noqa: S101
    return session, session.remote_id


def after_create(command: Command) -> str | None:
    """What is said to a session waits until HeyGen has it."""
    made = VideoSession.objects.filter(pk=command.object_id, remote_id__isnull=False).exists()
    return None if made else "create"


# --- send -------------------------------------------------------------------------------------------------------------


def send_message(command: Command) -> Outcome:
    session, remote_id = _accepted(command)
    payload = command.payload
    # It may have waited: for its turn, for the budget, for a key.
    if refused := _overtaken(command, session):
        return refused
    message = heygen.SendMessage(
        message=payload["message"],
        avatar_id=payload.get("avatar_id"),
        voice_id=payload.get("voice_id"),
        brand_kit_id=payload.get("brand_kit_id"),
        files=files_of(payload),
        auto_proceed=payload.get("auto_proceed", False),
    )
    try:
        with wire.noted(command) as listener:
            client = _connection(command).client(
                priority=Priority.COMMAND, dialect=session.dialect, listener=listener
            )
            sent = client.send_message(remote_id, message)
    except heygen.ApiError as error:
        return outcome_of(error)
    # Can be looked up nowhere, so a part of it is better than none.
    return Accepted(remote_ref=sent.run_id[:255], answer={"title": sent.title})


def _overtaken(command: Command, session: VideoSession) -> Refused | None:
    """Why what was right when it was pressed must not be sent any more: a storyboard came that it could approve."""
    payload = command.payload
    if "revision" in payload:
        current = storyboard.newest(session)
        if current is None or current.position != payload["revision"]:
            return Refused(None, STALE, "A newer storyboard came before this approval was sent.")
        if not access.is_reviewing(session):
            return Refused(None, NOT_WAITING, "The session waited for no verdict any more.")
        return None
    if not access.is_reviewing(session):
        return None
    person = command.by
    if person is None or not access.may_give_verdict(
        workspaces.role_in(person, session.workspace_id), session
    ):
        return Refused(
            None, VERDICT, "A storyboard came before this was sent, and its sender may not approve one."
        )
    if access.is_undecided(person, session) and not payload.get("undecided"):
        return Refused(
            None, VERDICT, "A storyboard came before this was sent, which one person may not approve."
        )
    if not payload.get("undecided") and _shown_after(command, session):
        return Refused(None, UNSEEN, "A storyboard came before this was sent, which its sender had not seen.")
    return None


def _shown_after(command: Command, session: VideoSession) -> bool:
    """Whether the newest storyboard came after the press."""
    current = storyboard.newest(session)
    if current is None:
        return False
    carriers = Message.objects.filter(session=session, position=current.begins)
    return carriers.filter(first_seen_at__gt=command.created_at).exists()


def send_accepted(command: Command, outcome: Accepted) -> None:
    """The agent will react: look soon, also at a session that had ended."""
    schedule.wake("session", [command.object_id])


def settle_send(command: Command) -> Settlement:
    """The mirror links a message of the window to its press; until it did, let it look again."""
    if Message.objects.filter(command=command).exists():
        return Accepted()
    schedule.wake("session", [command.object_id])
    return NotYet()


# --- stop -------------------------------------------------------------------------------------------------------------


def send_stop(command: Command) -> Outcome:
    session, remote_id = _accepted(command)
    try:
        with wire.noted(command) as listener:
            client = _connection(command).client(
                priority=Priority.COMMAND, dialect=session.dialect, listener=listener
            )
            client.stop_session(remote_id)
    except heygen.ApiError as error:
        return outcome_of(error)
    return Accepted()


def nothing_more(command: Command, outcome: Refused) -> None:
    """A refusal is shown from the command itself; HeyGen's state may tell why, so look."""
    schedule.wake("session", [command.object_id])


def changed(command: Command) -> None:
    """The session's page draws its presses: they move its version."""
    VideoSession.objects.filter(pk=command.object_id).update(version=F("version") + 1)
    version = VideoSession.objects.filter(pk=command.object_id).values_list("version", flat=True).first()
    if version is not None:
        announcement = Announcement(command.workspace_id, "session", command.object_id, version)
        transaction.on_commit(lambda: announce([announcement]))


CREATE = CommandKind(
    name=CREATE_KIND,
    send=send_create,
    accepted=create_accepted,
    refused=create_refused,
    settle=settle_create,
    proof="list",
    makes_object=True,
    ceiling=ceiling,
    changed=changed,
    repeated=create_repeated,
)
SEND = CommandKind(
    name=SEND_KIND,
    send=send_message,
    accepted=send_accepted,
    refused=nothing_more,
    settle=settle_send,
    ordered=True,
    hold_after_unknown=30.0,
    ceiling=after_create,
    changed=changed,
)
STOP = CommandKind(
    name=STOP_KIND,
    send=send_stop,
    accepted=send_accepted,
    refused=nothing_more,
    repeatable=True,
    ceiling=after_create,
    changed=changed,
)
