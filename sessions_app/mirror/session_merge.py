"""What is new in a session that was read: its window of messages, and what those announce, against what is stored.

`gather` asks the database for a whole batch, `merge` decides for one session and is pure.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import heygen
from commands.models import Command
from heygen import matching
from polling.kinds import Change
from sessions_app import transcript
from sessions_app.mirror.tails import Tail, tails
from sessions_app.models import Resource, Video, VideoSession
from sessions_app.search_words import indexed

KIND = "session"
SENDS = ("session.create", "session.send")
# Our own clock and the database's may differ by so much.
SEEN_SKEW = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class SessionReading:
    """A session as it is now, with the ids of its videos, newest first, and of its resources, where the dialect can list them."""

    session: heygen.RemoteSession
    video_ids: tuple[str, ...]
    resource_ids: tuple[str, ...] = ()


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
    resources: list[tuple[str, int | None, int]] = field(default_factory=list)
    video_ids: list[str] = field(default_factory=list)
    links: dict[int, Command] = field(default_factory=dict)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    # Made ready in here, so that no transaction is open meanwhile: the raw window, and of each text its words for the search.
    window: bytes | None = None
    words: dict[int, str] = field(default_factory=dict)


def gather(changes: Sequence[Change]) -> Mapping[UUID, Known]:
    """Five queries for the whole batch, whatever its size."""
    ids = [change.claim.object_id for change in changes]
    sessions = VideoSession.objects.for_mirror().in_bulk(ids)
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
    # What was sent again comes last: a person decided that it had not arrived.
    for command in sorted(
        open_presses.select_related("repeated_by"), key=lambda press: hasattr(press, "repeated_by")
    ):
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
        and joined.appended[0].message.role == "user"
        and joined.gap_after is None
    ):
        # Adopted: nobody here typed the prompt, but the conversation begins with it.
        plan.fields["prompt"] = joined.appended[0].message.content
    _announced_resources(plan, known, reading.resource_ids)
    plan.video_ids += [
        video_id for video_id in reversed(reading.video_ids) if video_id not in known.video_ids
    ]
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


def _announced_resources(plan: Plan, known: Known, listed: Sequence[str]) -> None:
    """New resource ids in the order of the conversation; the first message that names one keeps it.

    Of those that are only `listed` nobody knows the message: it passed unseen.
    """
    seen = set(known.resource_ids)
    spoken = [(edit.position, edit.message) for edit in plan.join.edited]
    spoken += [(added.position, added.message) for added in plan.join.appended]
    for position, message in sorted(spoken, key=lambda pair: pair[0]):
        for place, resource_id in enumerate(message.resource_ids):
            if resource_id and resource_id not in seen:
                seen.add(resource_id)
                plan.resources.append((resource_id, position, place))
    for place, resource_id in enumerate(listed):
        if resource_id and resource_id not in seen:
            seen.add(resource_id)
            plan.resources.append((resource_id, None, place))


def _own_messages(plan: Plan, known: Known) -> None:
    """Links user messages to the presses that sent them, in the order of `presses`; each message answers to one press."""
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
