"""Keeps a VideoSession equal to what HeyGen says of it: status, title, messages, and what those announce.

A read brings the whole current state; the merge decides what is new; the write stores a whole batch in set SQL. Runs
inside the engine's fence: a late answer never gets here.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

import heygen
from commands import ledger
from commands.kinds import Accepted
from commands.models import Command
from heygen import matching, statuses
from polling import clock, schedule
from polling.budget import Priority
from polling.cadence import DAY, HOUR, MINUTE, MISSING, Pace, standard, within_window
from polling.changes import Announcement, announce
from polling.digests import digest_of
from polling.kinds import Change, Changed, Claim, Failed, Kind, Reading, Unchanged
from sessions_app import transcript, usual
from sessions_app.mirror.appending import append
from sessions_app.mirror.tails import Tail, tails
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
from sessions_app.search_words import indexed
from timeline.events import NewEvent, record
from timeline.models import Event, Source
from workspaces_app import wire
from workspaces_app.connections import Connection, connections_for
from workspaces_app.readings import failed

KIND = "session"
SENDS = ("session.create", "session.send")
# After HeyGen took a message, reads may still show the status from before it: so long the session counts as working.
REACTION_SECONDS = 60
# Finding raw windows that are too many costs more than writing one: every eighth poll of a session looks.
TIDY_EVERY = 8
# Our own clock and the database's may differ by so much.
SEEN_SKEW = timedelta(seconds=5)
# Counted as gone after the third 404 in a row, half a minute after the first. HeyGen may only have lost sight of it for a
# while: it is asked for so many times more, then never.
RECHECKS = (10 * MINUTE, HOUR, 6 * HOUR, DAY)


@dataclass(frozen=True, slots=True)
class Job:
    """What a read needs; no database behind it."""

    connection: Connection
    remote_id: str
    dialect: str
    video_id: str
    status: str
    awaits_reaction: bool
    # Counted as gone: an answer is news, even the one from before.
    gone: bool = False


@dataclass(frozen=True, slots=True)
class SessionReading:
    """A session as it is now, with the ids of its videos, newest first, where the dialect can list them."""

    session: heygen.RemoteSession
    video_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the database holds of a session before the merge."""

    session: VideoSession
    tail: Tail
    resource_ids: frozenset[str]
    video_ids: frozenset[str]
    presses: list[Command]


@dataclass(slots=True)
class Plan:
    """What is to be written for one session."""

    known: Known
    join: transcript.Join
    fields: dict[str, Any]
    resources: list[tuple[str, int, int]] = field(default_factory=list)
    video_ids: list[str] = field(default_factory=list)
    links: dict[int, Command] = field(default_factory=dict)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    # Made ready in here, so that no transaction is open meanwhile: the raw window, and of each text its words for the search.
    window: bytes | None = None
    words: dict[int, str] = field(default_factory=dict)


def load(claims: Sequence[Claim]) -> Mapping[UUID, Job]:
    """Two queries and the connections, for the whole batch."""
    ids = [claim.object_id for claim in claims]
    rows = VideoSession.objects.filter(pk__in=ids, remote_id__isnull=False).values_list(
        "pk", "workspace_id", "remote_id", "dialect", "video_id", "status", "gone_at"
    )
    connections = connections_for({claim.workspace_id for claim in claims})
    awaiting = set(
        Command.objects.filter(
            object_id__in=ids,
            kind__in=SENDS,
            state__in=("sending", "accepted", "unknown"),
            attempt_at__gte=clock.later(-REACTION_SECONDS),
            message=None,
        ).values_list("object_id", flat=True)
    )
    return {
        pk: Job(
            connections[workspace_id],
            remote_id or "",
            dialect,
            video_id,
            status,
            awaits_reaction=pk in awaiting,
            gone=gone_at is not None,
        )
        for pk, workspace_id, remote_id, dialect, video_id, status, gone_at in rows
        if workspace_id in connections
    }


def read(claim: Claim, job: Job) -> Reading:
    """One GET; a second one for the videos when the session ended or names another video than before."""
    priority = Priority.WATCHED if claim.watched else Priority.BACKGROUND
    try:
        client = job.connection.client(priority=priority, dialect=job.dialect)
        # Two halves: of the bytes, which costs nothing to compare, and of what they say, which signed links don't change.
        polled = client.poll_session(job.remote_id, known="" if job.gone else claim.digest[:32])
        if polled.session is None:
            return Unchanged(group=_pace(job.status, awaits_reaction=job.awaits_reaction))
        session = polled.session
        pace = _pace(session.status, awaits_reaction=job.awaits_reaction)
        within = within_window(_messages_per_second(session))
        meaning = digest_of(session.raw)
        if meaning == claim.digest[32:] and not job.gone:
            return Unchanged(group=pace, within=within)
        video_ids = (session.video_id,) if session.video_id else ()
        ended = statuses.session_group(session.status) in ("done", "failed")
        if client.abilities.list_session_videos and (ended or (session.video_id or "") != job.video_id):
            video_ids = tuple(dict.fromkeys([*_listed_videos(client, job.remote_id), *video_ids]))
    except heygen.ApiError as error:
        return failed(error)
    return Changed(
        digest=polled.digest + meaning, group=pace, value=SessionReading(session, video_ids), within=within
    )


def _listed_videos(client: heygen.Client, remote_id: str) -> list[str]:
    """Ids of the session's videos; none where HeyGen won't list them, which says nothing of the session itself."""
    try:
        return [video.video_id for video in client.list_session_videos(remote_id).items]
    except (heygen.Unauthorized, heygen.PaymentRequired):
        raise
    except (heygen.Refused, heygen.BadPayload):
        return []


def _pace(status: str, *, awaits_reaction: bool) -> str:
    """The group that decides how soon to look again.

    A status from before our message would put the session to sleep just when the agent starts; a rendering that takes
    minutes needs fewer looks than an agent that talks.
    """
    if awaits_reaction:
        return "working"
    return "generating" if status.casefold() == "generating" else statuses.session_group(status)


def _messages_per_second(session: heygen.RemoteSession) -> float:
    """How fast the window moves, by the times of its newest half; 0 when they do not tell."""
    times = [message.created_at for message in session.messages[-20:] if message.created_at is not None]
    if not session.window_full or len(times) < 2:
        return 0.0
    return len(times) / max(1.0, (times[-1] - times[0]).total_seconds())


def gather(changes: Sequence[Change]) -> Mapping[UUID, Known]:
    """Six queries for the whole batch, whatever its size."""
    ids = [change.claim.object_id for change in changes]
    sessions = VideoSession.objects.in_bulk(ids)
    ends = tails(ids)
    resource_ids: dict[UUID, set[str]] = defaultdict(set)
    for session_id, resource_id in Resource.objects.filter(session__in=ids).values_list(
        "session", "resource_id"
    ):
        resource_ids[session_id].add(resource_id)
    video_ids: dict[UUID, set[str]] = defaultdict(set)
    for session_id, video_id in Video.objects.filter(session__in=ids).values_list("session", "video_id"):
        video_ids[session_id].add(video_id)
    presses: dict[UUID, list[Command]] = defaultdict(list)
    open_presses = Command.objects.filter(
        object_id__in=ids, kind__in=SENDS, state__in=("sending", "accepted", "unknown"), message=None
    ).order_by("attempt_at", "id")
    for command in open_presses:
        presses[command.object_id].append(command)
    return {
        pk: Known(
            session=session,
            tail=ends[pk],
            resource_ids=frozenset(resource_ids[pk]),
            video_ids=frozenset(video_ids[pk]),
            presses=presses[pk],
        )
        for pk, session in sessions.items()
    }


def merge(change: Change, known: Known | None) -> Plan | None:
    """Decides what is new. Pure; None when the session is not ours any more."""
    if known is None:
        return None
    reading: SessionReading = change.value
    remote, session = reading.session, known.session
    joined = transcript.join(
        known.tail.stored,
        remote.messages,
        full=remote.window_full,
        from_start=transcript.begins_session(
            remote.messages, created_at=remote.created_at, prompt=session.prompt
        ),
    )
    plan = Plan(known=known, join=joined, fields=_fields(remote, session))
    if "status" in plan.fields:
        plan.events.append(("session.status", {"from": session.status, "to": plan.fields["status"]}))
    if joined.appended:
        plan.events.append(("session.messages", {"count": len(joined.appended)}))
    if joined.gap_after is not None:
        plan.events.append(("session.gap", {"after_position": joined.gap_after}))
    if (
        not session.prompt
        and joined.appended
        and joined.appended[0].position == 0
        and joined.gap_after is None
    ):
        # Adopted: nobody here typed the prompt, but the conversation begins with it.
        plan.fields["prompt"] = joined.appended[0].message.content
    _announced_resources(plan, known)
    for video_id in reversed(reading.video_ids):
        if video_id not in known.video_ids:
            plan.video_ids.append(video_id)
            plan.events.append(("session.video", {"video_id": video_id}))
    _own_messages(plan, known)
    if joined:
        plan.window = _packed(remote)
        spoken: list[transcript.Appended | transcript.Edited] = [*joined.appended, *joined.edited]
        plan.words = {
            new.position: indexed(new.message.content, session.workspace_id)
            for new in spoken
            if new.message.content
        }
    return plan


def _packed(remote: heygen.RemoteSession) -> bytes:
    # Level 1: texts get 4 % longer than at the default and cost a third less.
    return zlib.compress(json.dumps(remote.raw.get("messages")).encode(), 1)


def _fields(remote: heygen.RemoteSession, session: VideoSession) -> dict[str, Any]:
    """Columns whose value changed. What HeyGen leaves out keeps the value that it had."""
    fresh: dict[str, Any] = {"status": remote.status[:64], "progress": remote.progress}
    if remote.title:
        fresh["title"] = remote.title[:500]
    if remote.video_id:
        fresh["video_id"] = remote.video_id
    if remote.created_at is not None:
        fresh["remote_created_at"] = remote.created_at
    return {name: value for name, value in fresh.items() if getattr(session, name) != value}


def _announced_resources(plan: Plan, known: Known) -> None:
    """New resource ids in the order of the conversation; the first message that names one keeps it."""
    seen = set(known.resource_ids)
    spoken = [(edit.position, edit.message) for edit in plan.join.edited]
    spoken += [(added.position, added.message) for added in plan.join.appended]
    for position, message in sorted(spoken, key=lambda pair: pair[0]):
        for place, resource_id in enumerate(message.resource_ids):
            if resource_id and resource_id not in seen:
                seen.add(resource_id)
                plan.resources.append((resource_id, position, place))


def _own_messages(plan: Plan, known: Known) -> None:
    """Links user messages to the presses that sent them, oldest press first; each message answers to one press."""
    if not known.presses:
        return
    free: dict[int, transcript.Said] = {
        stored.position: stored for stored in known.tail.stored if stored.position in known.tail.unlinked
    }
    free.update((added.position, added.message) for added in plan.join.appended)
    for command in known.presses:
        text = str(command.payload.get("prompt") or command.payload.get("message") or "")
        for position in sorted(free):
            seen_at = known.tail.unlinked_since(position)
            if command.attempt_at is None or (
                seen_at is not None and seen_at < command.attempt_at - SEEN_SKEW
            ):
                continue  # we had it before it was sent: an earlier message with the same words
            if matching.is_ours(free[position], text, command.attempt_at):
                plan.links[position] = command
                del free[position]
                break


def write(plans: Sequence[tuple[Change, Plan | None]]) -> Sequence[Announcement]:
    """Stores a batch; the engine has fenced it and holds the transaction."""
    work = [(change, plan) for change, plan in plans if plan is not None]
    ids = [change.claim.object_id for change, _ in work]
    VideoSession.objects.filter(pk__in=ids).update(version=F("version") + 1)
    sessions = VideoSession.objects.annotate(looked_at=Now()).in_bulk(ids)  # type: ignore[no-redef]  # the model declares it
    work = [(change, plan) for change, plan in work if change.claim.object_id in sessions]
    if not work:
        return []
    now = max(session.looked_at for session in sessions.values())
    _write_sessions(work, sessions, now)
    _write_messages(work, sessions, now)
    _write_objects(work, sessions, now)
    record(
        [
            NewEvent(change.claim.workspace_id, KIND, change.claim.object_id, what, Source.POLL, data)
            for change, plan in work
            for what, data in plan.events
        ]
    )
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
    rows: list[VideoSession] = []
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
        rows.append(session)
    VideoSession.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[
            "status", "group", "status_since", "progress", "title", "video_id", "remote_created_at",
            "prompt", "message_count", "active_at", "gone_at",
        ],
    )  # fmt: skip
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
        "role": message.role[:64],
        "type": message.type[:64],
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
    Resource.objects.bulk_create(resources)
    Video.objects.bulk_create(videos)
    for kind, rows in (("resource", resources), ("video", videos)):
        by_workspace: dict[UUID, list[UUID]] = defaultdict(list)
        for row in rows:
            by_workspace[row.workspace_id].append(row.pk)
        for workspace_id, ids in by_workspace.items():
            schedule.enroll(kind, ids, workspace_id=workspace_id, fingerprint=fingerprints[workspace_id])


def on_failures(failures: Sequence[tuple[Claim, Failed, int]]) -> None:
    """A third 404 in a row: HeyGen has no such session any more. What we have stays."""
    gone = [claim for claim, failure, count in failures if failure.missing and count == 3]
    if not gone:
        return
    ids = [claim.object_id for claim in gone]
    VideoSession.objects.filter(pk__in=ids, gone_at=None).update(gone_at=Now(), version=F("version") + 1)
    record(
        [NewEvent(claim.workspace_id, KIND, claim.object_id, "session.gone", Source.POLL) for claim in gone]
    )


def on_stuck(claims: Sequence[Claim]) -> None:
    """One event for each stretch without news. HeyGen may still be at it: this is no failure."""
    told = list(
        Event.objects.filter(
            object_kind=KIND,
            object_id__in=[claim.object_id for claim in claims],
            what="session.stuck",
            at__gte=clock.later(-max(claim.age for claim in claims)),
        )
        .annotate(age=clock.age("at"))
        .values_list("object_id", "age")
    )
    news = [
        claim
        for claim in claims
        if not any(
            object_id == claim.object_id and age <= timedelta(seconds=claim.age) for object_id, age in told
        )
    ]
    if not news:
        return
    ids = [claim.object_id for claim in news]
    VideoSession.objects.filter(pk__in=ids).update(version=F("version") + 1)
    record(
        [
            NewEvent(
                claim.workspace_id,
                KIND,
                claim.object_id,
                "session.stuck",
                Source.POLL,
                {"minutes": int(claim.age // MINUTE)},
            )
            for claim in news
        ]
    )
    versions = dict(VideoSession.objects.filter(pk__in=ids).values_list("pk", "version"))
    changed = [
        Announcement(claim.workspace_id, KIND, claim.object_id, versions[claim.object_id])
        for claim in news
        if claim.object_id in versions
    ]
    # A page that asked before the commit would find the old version, and hear of the new one at the next sign of life.
    transaction.on_commit(lambda: announce(changed))


def cadence(pace: Pace) -> float | None:
    """Seconds to the next poll: the standard, with a few late looks at what is gone."""
    late = pace.missing - len(MISSING) - 1
    return RECHECKS[late] if 0 <= late < len(RECHECKS) else standard(pace)


SESSION = Kind(
    name=KIND,
    load=load,
    read=read,
    gather=gather,
    merge=merge,
    write=write,
    failed=on_failures,
    stuck=on_stuck,
    cadence=cadence,
)
