"""Stores what is new in many sessions, all of it in set SQL: the same few statements for one session and for a hundred."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from commands import ledger
from commands.kinds import Accepted
from heygen import statuses
from polling import schedule
from polling.changes import Announcement
from polling.kinds import Change
from polling.rows import append, overwrite
from sessions_app import transcript, usual
from sessions_app.mirror.found import follow_resources, follow_videos
from sessions_app.mirror.session_merge import KIND, Known, Plan
from sessions_app.models import (
    Gap,
    Message,
    MessageRevision,
    RawWindow,
    Resource,
    SearchText,
    StatusGroup,
    StatusSpell,
    Video,
    VideoSession,
)
from sessions_app.querysets import MIRRORED
from sessions_app.search_words import indexed
from timeline.events import NewEvent, record
from timeline.models import Source
from workspaces_app import wire

# Finding raw windows that are too many costs more than writing one: every eighth poll of a session looks.
TIDY_EVERY = 8


def write(plans: Sequence[tuple[Change, Plan | None]]) -> Sequence[Announcement]:
    """Stores a batch; the engine has fenced it and holds the transaction."""
    work = [(change, plan) for change, plan in plans if plan is not None]
    ids = [change.claim.object_id for change, _ in work]
    rows = VideoSession.objects.for_mirror().select_for_update(no_key=True)
    sessions = rows.annotate(looked_at=Now()).in_bulk(ids)  # type: ignore[no-redef]  # the model declares it
    work = [(change, plan) for change, plan in work if change.claim.object_id in sessions]
    if not work:
        return []
    now = max(session.looked_at for session in sessions.values())
    _write_sessions(work, sessions, now)
    _write_messages(work, sessions, now)
    record(
        [
            NewEvent(change.claim.workspace_id, KIND, change.claim.object_id, what, Source.POLL, data)
            for change, plan in work
            for what, data in plan.events
        ]
    )
    _write_objects(work, sessions, now)
    wire.keep_polls("read session", [(change, change.value.session.raw) for change, _ in work])
    for _, plan in work:
        for command in plan.links.values():
            if command.state == "unknown":
                ledger.settle_as(command.pk, Accepted(remote_ref="", answer={}), by="window")
    return [
        Announcement(
            change.claim.workspace_id, KIND, change.claim.object_id, sessions[change.claim.object_id].version
        )
        for change, _ in work
    ]


Work = Iterable[tuple[Change, Plan]]


def _write_sessions(work: Work, sessions: Mapping[UUID, VideoSession], now: datetime) -> None:
    rows: list[dict[str, Any]] = []
    renamed: list[VideoSession] = []
    spells: list[StatusSpell] = []
    for change, plan in work:
        session = sessions[change.claim.object_id]
        if plan.fields.keys() & {"title", "prompt"} or plan.known.session.message_count == 0:
            renamed.append(session)
        if "status" in plan.fields:
            if (ended := usual.spell(session, now)) is not None:
                spells.append(ended)
            session.group = StatusGroup(statuses.session_group(plan.fields["status"]))
            session.status_since = now
        for name, value in plan.fields.items():
            setattr(session, name, value)
        session.message_count += len(plan.join.appended)
        if plan.join.appended or "status" in plan.fields or plan.video_ids:
            session.active_at = _active_at(plan, now)
        session.gone_at = None
        session.version += 1
        rows.append({"id": session.pk, **{name: getattr(session, name) for name in MIRRORED}})
    overwrite(VideoSession, rows)
    StatusSpell.objects.bulk_create(spells)
    _index(
        [
            SearchText(
                session=session,
                position=-1,
                text=indexed(f"{session.title} {session.prompt}", session.workspace_id),
            )
            for session in renamed
        ]
    )


def _active_at(plan: Plan, now: datetime) -> datetime:
    """Now; but what an adopted session said before we first looked is as old as it is."""
    known = plan.known.session
    if known.status or known.owner_id is not None:
        return now
    said = [new.message.created_at for new in plan.join.appended if new.message.created_at is not None]
    return min(now, max(said, default=known.active_at))


def _index(texts: list[SearchText]) -> None:
    SearchText.objects.bulk_create(
        texts, update_conflicts=True, unique_fields=["session", "position"], update_fields=["text"]
    )


def _write_messages(work: Work, sessions: Mapping[UUID, VideoSession], now: datetime) -> None:
    added: list[dict[str, Any]] = []
    changed: list[Message] = []
    revisions: list[MessageRevision] = []
    gaps: list[Gap] = []
    windows: list[dict[str, Any]] = []
    words: list[dict[str, Any]] = []
    reworded: list[SearchText] = []
    for change, plan in work:
        session = sessions[change.claim.object_id]
        stored = plan.known
        version = session.version
        added += [
            {
                "session_id": session.pk,
                "position": new.position,
                "first_seen_at": now,
                "vanished": False,
                "version": version,
                "command_id": plan.links[new.position].pk if new.position in plan.links else None,
                **_columns(new.message),
            }
            for new in plan.join.appended
        ]
        changed += _changed_messages(session, stored, plan, now)
        revisions += [
            MessageRevision(
                message_id=stored.tail.message_ids[edit.position],
                content=edit.earlier.content,
                resource_ids=list(edit.earlier.resource_ids),
                replaced_at=now,
            )
            for edit in plan.join.edited
            if edit.earlier is not None
        ]
        if plan.join.gap_after is not None:
            gaps.append(
                Gap(session=session, after_position=plan.join.gap_after, seen_at=now, version=version)
            )
        if plan.window is not None:
            windows.append({"session_id": session.pk, "seen_at": now, "body": plan.window})
        words += [
            {"session_id": session.pk, "position": new.position, "text": plan.words[new.position]}
            for new in plan.join.appended
            if new.position in plan.words
        ]
        reworded += [
            SearchText(session=session, position=edit.position, text=plan.words[edit.position])
            for edit in plan.join.edited
            if edit.position in plan.words
        ]
    append(Message, added)
    if changed:
        Message.objects.bulk_update(
            changed,
            [
                "role",
                "type",
                "content",
                "remote_created_at",
                "resource_ids",
                "vanished",
                "version",
                "command",
            ],
        )
    MessageRevision.objects.bulk_create(revisions)
    Gap.objects.bulk_create(gaps, ignore_conflicts=True)
    append(RawWindow, windows)
    RawWindow.objects.let_go(
        change.claim.object_id for change, _ in work if change.claim.sequence % TIDY_EVERY == 0
    )
    append(SearchText, words)
    _index(reworded)


def _changed_messages(session: VideoSession, stored: Known, plan: Plan, now: datetime) -> list[Message]:
    """Rows of stored messages that the join or a link touches, with their new values."""
    tail = {message.position: message for message in stored.tail.stored}
    touched: dict[int, Message] = {}

    def row(position: int) -> Message:
        if position not in touched:
            old = tail[position]
            touched[position] = Message(
                pk=stored.tail.message_ids[position],
                session=session,
                position=position,
                role=old.role,
                type=old.type,
                content=old.content,
                remote_created_at=old.created_at,
                resource_ids=list(old.resource_ids),
                vanished=old.vanished,
                first_seen_at=now,
                version=session.version,
                command_id=stored.tail.linked.get(position),
            )
        return touched[position]

    for edit in plan.join.edited:
        message = row(edit.position)
        for name, value in _columns(edit.message).items():
            setattr(message, name, value)
        message.remote_created_at = message.remote_created_at or tail[edit.position].created_at
    for position in plan.join.vanished:
        row(position).vanished = True
    for position in plan.join.returned:
        row(position).vanished = False
    for position, command in plan.links.items():
        if position in tail:
            row(position).command = command
    return list(touched.values())


def _columns(message: transcript.Said) -> dict[str, Any]:
    return {
        "role": message.role[: transcript.WORD],
        "type": message.type[: transcript.WORD],
        "content": message.content,
        "remote_created_at": message.created_at,
        "resource_ids": list(message.resource_ids),
    }


def _write_objects(work: Work, sessions: Mapping[UUID, VideoSession], now: datetime) -> None:
    """New resources and videos, each with its own poll."""
    resources: list[Resource] = []
    videos: list[Video] = []
    fingerprints: dict[UUID, str] = {}
    for change, plan in work:
        claim, session = change.claim, sessions[change.claim.object_id]
        fingerprints[claim.workspace_id] = claim.fingerprint
        resources += [
            Resource(
                workspace_id=claim.workspace_id,
                session=session,
                resource_id=resource_id,
                message_position=position,
                place=place,
                first_seen_at=now,
            )
            for resource_id, position, place in plan.resources
        ]
        videos += [
            Video(workspace_id=claim.workspace_id, session=session, video_id=video_id, first_seen_at=now)
            for video_id in plan.video_ids
        ]
    follow_resources(resources, fingerprints)
    follow_videos(videos, fingerprints, source=Source.POLL)
    _look_at_films(sessions[change.claim.object_id] for change, plan in work if "status" in plan.fields)


def _look_at_films(moved: Iterable[VideoSession]) -> None:
    """Of sessions that have just ended: their films that are not there yet are, or never will be."""
    ended = [session.pk for session in moved if session.group in (StatusGroup.DONE, StatusGroup.FAILED)]
    if ended:
        coming = Video.objects.filter(session__in=ended).exclude(group=StatusGroup.DONE)
        schedule.wake("video", coming.values_list("pk", flat=True))
