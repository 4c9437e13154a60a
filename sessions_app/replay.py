"""Joins the kept raw windows of a session again, with the rules of today, and stores what comes out.

    kept windows, oldest first ---\\
    what we had before the first ---> join, join, join … ---> transcript ---> rows, if it is another one

A window that was let go cannot be joined again: what it brought stays as it is, in front of the first that is kept.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any

from django.db import transaction
from django.db.models import F

import heygen
from commands.models import Command
from polling import schedule
from sessions_app import transcript
from sessions_app.models import (
    Approval,
    Gap,
    Message,
    MessageRevision,
    RawWindow,
    Resource,
    SearchText,
    VideoSession,
)
from sessions_app.search_words import indexed
from timeline.events import NewEvent, record
from timeline.models import Source

# Beyond any position; and a position that no message has.
OUT_OF_THE_WAY, NOWHERE = 1_000_000_000, -1


@dataclass(frozen=True, slots=True)
class Earlier:
    """What stood in a message's place until then."""

    content: str
    resource_ids: Sequence[str]
    replaced_at: datetime


@dataclass(slots=True)
class Line:
    """A message of the transcript with its history."""

    said: transcript.Stored
    first_seen_at: datetime
    earlier: list[Earlier] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Window:
    """One kept window: its messages, oldest first."""

    seen_at: datetime
    messages: Sequence[transcript.Said]
    full: bool
    from_start: bool


@dataclass(slots=True)
class Transcript:
    """Lines by position, and since when a hole is known behind a position."""

    lines: list[Line] = field(default_factory=list)
    gaps: dict[int, datetime] = field(default_factory=dict)

    def take(self, window: Window) -> None:
        """Joins one more window, as the mirror does."""
        tail = [line.said for line in self.lines[-transcript.TAIL :]]
        joined = transcript.join(tail, window.messages, full=window.full, from_start=window.from_start)
        for edit in joined.edited:
            line = self.lines[edit.position]
            if edit.earlier is not None:
                line.earlier.append(Earlier(edit.earlier.content, edit.earlier.resource_ids, window.seen_at))
            dated = edit.message.created_at or line.said.created_at
            line.said = replace(_stored(edit.position, edit.message), created_at=dated)
        for position in joined.vanished:
            self.lines[position].said = replace(self.lines[position].said, vanished=True)
        for position in joined.returned:
            self.lines[position].said = replace(self.lines[position].said, vanished=False)
        self.lines += [
            Line(_stored(new.position, new.message), first_seen_at=window.seen_at) for new in joined.appended
        ]
        if joined.gap_after is not None:
            self.gaps.setdefault(joined.gap_after, window.seen_at)

    def differs_from(self, other: Transcript) -> bool:
        ours, theirs = ([line.said for line in each.lines] for each in (self, other))
        return ours != theirs or self.gaps.keys() != other.gaps.keys()


def _stored(position: int, message: transcript.Said) -> transcript.Stored:
    return transcript.Stored(
        position,
        message.role[:64],
        message.type[:64],
        message.content,
        message.created_at,
        tuple(message.resource_ids),
    )


def stored_transcript(session: VideoSession) -> Transcript:
    """What the rows say now."""
    revisions: dict[int, list[Earlier]] = defaultdict(list)
    for revision in MessageRevision.objects.filter(message__session=session).order_by("id"):
        revisions[revision.message_id].append(
            Earlier(revision.content, tuple(revision.resource_ids), revision.replaced_at)
        )
    lines = [
        Line(
            transcript.Stored(
                row.position,
                row.role,
                row.type,
                row.content,
                row.remote_created_at,
                tuple(row.resource_ids),
                row.vanished,
            ),
            row.first_seen_at,
            revisions[row.pk],
        )
        for row in session.messages.order_by("position")
    ]
    return Transcript(lines, dict(session.gaps.values_list("after_position", "seen_at")))


def kept_windows(session: VideoSession) -> list[Window]:
    return [_window(session, row) for row in session.windows.order_by("id")]


def _window(session: VideoSession, row: RawWindow) -> Window:
    raw: list[Any] = json.loads(zlib.decompress(bytes(row.body))) or []
    messages = [heygen.RemoteMessage.from_json(item) for item in reversed(raw)]  # the wire has newest first
    from_start = transcript.begins_session(
        messages, created_at=session.remote_created_at, prompt=session.prompt
    )
    return Window(row.seen_at, messages, len(messages) >= heygen.MESSAGE_WINDOW, from_start)


def before(stored: Transcript, moment: datetime) -> Transcript:
    """The transcript as it was just before that moment."""
    lines = []
    for line in stored.lines:
        if line.first_seen_at >= moment:
            break  # only ever appended: later ones are younger
        since = [each for each in line.earlier if each.replaced_at >= moment]
        said = replace(line.said, vanished=False)
        if since:
            said = replace(said, content=since[0].content, resource_ids=tuple(since[0].resource_ids))
        lines.append(
            Line(said, line.first_seen_at, [each for each in line.earlier if each.replaced_at < moment])
        )
    return Transcript(lines, {after: at for after, at in stored.gaps.items() if at < moment})


def replayed(stored: Transcript, windows: Sequence[Window]) -> Transcript:
    """Pure: what the windows make of what was there before them."""
    result = before(stored, windows[0].seen_at)
    for window in windows:
        result.take(window)
    return result


def moved(before: Transcript, after: Transcript) -> dict[int, int]:
    """Pure: where the messages of one transcript stand in the other, by their position in the first.

    What shows something is known by what it shows, whatever its text is now. If it was there twice and now is once, both
    lead to that one. What is gone is absent.
    """
    was, now = ([_nature(line.said) for line in each.lines] for each in (before, after))
    places = {}
    for block in SequenceMatcher(None, was, now, autojunk=False).get_matching_blocks():
        places.update({block.a + step: block.b + step for step in range(block.size)})
    last = {nature: position for position, nature in enumerate(now)}
    for position, nature in enumerate(was):
        if position not in places and nature in last and before.lines[position].said.resource_ids:
            places[position] = last[nature]
    return places


def _nature(said: transcript.Stored) -> tuple[object, ...]:
    return (said.role, said.resource_ids) if said.resource_ids else (said.role, said.type, said.content)


def replay(session: VideoSession, *, apply: bool) -> Transcript | None:
    """The transcript that comes out, None when it is the stored one. `apply` stores it.

    Messages keep their presses and approvals, resources find their messages again; an answer that is under way is dropped.
    """
    with transaction.atomic():
        if apply:
            # First of all: a poll under way must find its fence down.
            schedule.retire("session", [session.pk])
            session.refresh_from_db()
        stored, windows = stored_transcript(session), kept_windows(session)
        result = replayed(stored, windows) if windows else stored
        differs = result.differs_from(stored)
        if apply and differs:
            _write(session, result)
            _move_marks(session, moved(stored, result))
        if apply:
            schedule.wake("session", [session.pk])
    return result if differs else None


def _write(session: VideoSession, result: Transcript) -> None:
    pressed: dict[tuple[str, str, datetime | None], list[Any]] = defaultdict(list)
    for row in session.messages.exclude(command=None).order_by("position"):
        pressed[row.role, row.content, row.remote_created_at].append(row.command_id)
    version = session.version + 1
    VideoSession.objects.filter(pk=session.pk).update(
        version=F("version") + 1, message_count=len(result.lines)
    )
    session.messages.all().delete()
    session.gaps.all().delete()
    rows = []
    for line in result.lines:
        said = line.said
        presses = pressed[said.role, said.content, said.created_at]
        rows.append(
            Message(
                session=session,
                position=said.position,
                role=said.role,
                type=said.type,
                content=said.content,
                remote_created_at=said.created_at,
                resource_ids=list(said.resource_ids),
                vanished=said.vanished,
                first_seen_at=line.first_seen_at,
                version=version,
                command_id=presses.pop(0) if presses else None,
            )
        )
    Message.objects.bulk_create(rows)
    MessageRevision.objects.bulk_create(
        MessageRevision(
            message=row,
            content=earlier.content,
            resource_ids=list(earlier.resource_ids),
            replaced_at=earlier.replaced_at,
        )
        for row, line in zip(rows, result.lines, strict=True)
        for earlier in line.earlier
    )
    Gap.objects.bulk_create(
        Gap(session=session, after_position=after, seen_at=at, version=version)
        for after, at in result.gaps.items()
    )
    _place_resources(session, result)
    SearchText.objects.filter(session=session, position__gte=0).delete()
    SearchText.objects.bulk_create(
        SearchText(session=session, position=row.position, text=indexed(row.content, session.workspace_id))
        for row in rows
        if row.content
    )
    record(
        [
            NewEvent(
                session.workspace_id,
                "session",
                session.pk,
                "session.replayed",
                Source.SYSTEM,
                {"messages": len(rows), "gaps": len(result.gaps)},
            )
        ]
    )


def _move_marks(session: VideoSession, places: Mapping[int, int]) -> None:
    """What people did stays with the message that it was about: approvals, the presses that sent them, how far one has read.

    An approval whose storyboard is gone goes with it. Its press stays on record, and is about no message any more.
    """
    kept: dict[tuple[int, int], Approval] = {}
    for approval in session.approvals.order_by("id"):
        if approval.position in places:
            kept.setdefault((places[approval.position], approval.by_id), approval)
    session.approvals.exclude(pk__in=[approval.pk for approval in kept.values()]).delete()
    # Out of each other's way first: one may move to where another one still is.
    session.approvals.update(position=F("position") + OUT_OF_THE_WAY)
    for (position, _by), approval in kept.items():
        session.approvals.filter(pk=approval.pk).update(position=position)
    for press in Command.objects.filter(object_id=session.pk, payload__has_key="revision"):
        revision = places.get(press.payload["revision"], NOWHERE)
        Command.objects.filter(pk=press.pk).update(payload={**press.payload, "revision": revision})
    for mark in session.read_marks.all():
        read = max((new for old, new in places.items() if old <= mark.position), default=None)
        if read is None:
            session.read_marks.filter(pk=mark.pk).delete()
        else:
            session.read_marks.filter(pk=mark.pk).update(position=read)


def _place_resources(session: VideoSession, result: Transcript) -> None:
    """The first message that names a resource keeps it."""
    places: dict[str, tuple[int, int]] = {}
    for line in result.lines:
        for place, resource_id in enumerate(line.said.resource_ids):
            places.setdefault(resource_id, (line.said.position, place))
    resources = [row for row in Resource.objects.filter(session=session) if row.resource_id in places]
    for resource in resources:
        resource.message_position, resource.place = places[resource.resource_id]
    Resource.objects.bulk_update(resources, ["message_position", "place"])
