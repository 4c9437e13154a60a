"""What the page of one session shows: for the page itself, and for the fragments that keep it current.

Both are drawn from the same context, so they cannot drift apart. A context holds nothing of one person but their rights
in this workspace, as one of three variants: everyone of a variant sees the same, so a fragment is rendered once for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.template.loader import render_to_string

from commands.models import Command, State
from polling import schedule
from sessions_app import (
    access,
    actions,
    answered,
    approving,
    conversation,
    heygen_pages,
    lengths,
    meanwhile,
    offers,
    storyboard,
    tiles,
    turn,
    words,
)
from sessions_app.conversation import PAGE
from sessions_app.models import MediaFile, Message, Mode, Note, Resource, StatusGroup, VideoSession
from sessions_app.sending import STOP_KIND
from sessions_app.tiles import Tile
from timeline.models import Event
from workspaces_app import access as workspaces
from workspaces_app.approval_rule import ApprovalRule
from workspaces_app.models import Role
from workspaces_app.readings import late_because

KIND = "session"
EVENTS = 40
# So many messages at most come with one jump to the first unread.
JUMP = 1000
# As long as a press can still turn out to be in the conversation, or wants a decision.
PRESSES_DAYS = 7


@dataclass(frozen=True, slots=True)
class Rights:
    """What everybody of a variant may do here. `variant` is part of the stream's address."""

    variant: str
    may_send: bool
    may_approve: bool


VARIANTS = {
    "viewer": Rights("viewer", may_send=False, may_approve=False),
    "creator": Rights("creator", may_send=True, may_approve=False),
    "approver": Rights("approver", may_send=True, may_approve=True),
}


def rights_of(role: Role) -> Rights:
    """The variant of a role. Managing the workspace changes nothing on this page."""
    if role.allows(Role.APPROVER):
        return VARIANTS["approver"]
    return VARIANTS["creator" if role.allows(Role.CREATOR) else "viewer"]


@dataclass(frozen=True, slots=True)
class Storyboard:
    """A revision to look at: its pictures, which of them are known to be new in it, and how far its approval is. Its text is in the conversation.

    `earlier` are the numbers of those before it, `coming` as in storyboard.Revision.
    """

    number: int
    position: int
    tiles: Sequence[Tile]
    new: frozenset[UUID]
    earlier: Sequence[int]
    approval: approving.Standing
    coming: int


def stream_address(session: VideoSession, rights: Rights) -> str:
    """Where the page's event stream is, from the version that it was rendered with."""
    return f"/stream/{KIND}/{session.pk}/?since={session.version}&variant={rights.variant}"


def some_messages(session: VideoSession, *, start: int | None, before: int | None) -> dict[str, Any]:
    """The page of messages before a position, for "load older"; or all from `start` on, up to that position.

    A jump to what is unread brings all that lies between, or the list on the page would have a hole; no more than `JUMP`.
    """
    rows = conversation.rows(session)
    if start is not None and before is None:
        messages = list(rows.filter(position__gte=start).order_by("position")[:PAGE])
    else:
        size = PAGE if start is None else JUMP
        span = rows.filter(position__lt=before or 0, position__gte=start or 0)
        messages = list(span.order_by("-position")[:size])[::-1]
    last = messages[-1].position if messages else None
    newer = last + 1 if last is not None and last < session.message_count - 1 else None
    return {
        "session": session,
        "entries": conversation.entries(messages, session=session, tiles=_tiles_of(session, messages)),
        "older_before": _older_before(messages),
        "newer_from": str(newer) if newer else None,
    }


def context(session: VideoSession, rights: Rights, *, since: int | None = None) -> dict[str, Any]:
    """Everything that the page shows of the session, as `for_page` read it. With `since`, only messages that changed after that version."""
    now = session.looked_at
    newest = list(conversation.rows(session).order_by("-position")[:PAGE])[::-1]
    resources = list(Resource.objects.filter(session=session).in_order())
    shown = newest if since is None else _changed(newest, resources, since)
    videos = list(session.videos.order_by("-first_seen_at"))
    files = tiles.files_of(session)
    offered = offers.of(resources)
    by_id = {
        resource.pk: tiles.tile(resource, files[resource.pk], offered.get(resource.pk))
        for resource in resources
    }
    by_remote_id = {resource.resource_id: by_id[resource.pk] for resource in resources}
    portrait = session.settings.get("orientation") == "portrait"
    reviewing = access.is_reviewing(session)
    needs_approver = access.needs_approver(session)
    rule = ApprovalRule.of(session.workspace)
    commands = _commands(session, now)
    presses = conversation.presses(commands, session, now=now)
    answer = answered.answer(session, commands, newest[-1] if newest else None, now=now)
    board = _storyboard(session, newest, resources, by_id, files)
    return {
        "session": session,
        "rights": rights,
        "status": words.status_of(session, stopped=_was_stopped(session, newest)),
        "page_title": words.page_title(session),
        "turn": turn.turn(session, has_storyboard=board is not None, has_video=bool(videos)),
        "is_working": session.group == "working" and session.gone_at is None,
        "is_reviewing": reviewing,
        # Whoever may send nothing now may not approve either: any message may be taken for an approval.
        "may_send_now": rights.may_approve or (rights.may_send and not needs_approver),
        **_opening(session, rule),
        "takes_messages": session.mode == Mode.CHAT and session.gone_at is None,
        "freshness": freshness(session),
        "entries": conversation.entries(shown, session=session, tiles=by_remote_id),
        "newest": newest,
        "older_before": _older_before(newest),
        "presses": presses,
        "mark": meanwhile.mark(session),
        "answer": answer,
        "unclear": next((press for press in presses if press.look == State.UNKNOWN), None),
        "question": None
        if answer.given and answer.free_at is None
        else conversation.question(
            session, newest, with_choices=not (answer.unseen or (reviewing and rule.needed > 1))
        ),
        "storyboard": board,
        "films": [
            tiles.film(
                video,
                files[video.pk],
                portrait=portrait,
                page=heygen_pages.of_video(video, session.workspace),
            )
            for video in videos
        ],
        "at_heygen": heygen_pages.of_session(session) if session.remote_id else "",
        "wished": lengths.wished(session.prompt),
        "tiles": list(by_id.values()),
        "events": [
            (event, words.event_sentence(event))
            for event in Event.objects.of(KIND, session.pk).for_page().order_by("-at", "-id")[:EVENTS]
        ],
        "notes": list(Note.objects.filter(session=session).for_page()) if session.has_notes else [],
        "now": now,
    }


def _opening(session: VideoSession, rule: ApprovalRule) -> dict[str, Any]:
    """The `opening` that goes out before what is said now: everybody's words, or those of the one person `opening_of`."""
    if not access.is_reviewing(session) or rule.lets_one_decide(author=True):
        return {}
    if not rule.lets_one_decide(author=False):
        return {"opening": actions.OPENING}
    return {"opening": actions.OPENING, "opening_of": session.owner_id} if session.owner_id else {}


def _changed(messages: Sequence[Message], resources: Sequence[Resource], since: int) -> list[Message]:
    """Messages that look different from `since`: said or reworded later, or showing what was only described later."""
    moved = {resource.resource_id for resource in resources if resource.version > since}
    return [
        message
        for message in messages
        if message.version > since or not moved.isdisjoint(message.resource_ids)
    ]


def _older_before(messages: Sequence[Message]) -> str | None:
    """The position before which there are messages that these do not show; None where they begin the session."""
    first = messages[0].position if messages else None
    return str(first) if first else None


def _tiles_of(session: VideoSession, messages: Sequence[Message]) -> dict[str, Tile]:
    """What these messages show, by HeyGen's id."""
    ids = {resource_id for message in messages for resource_id in message.resource_ids}
    found = session.resources.filter(resource_id__in=ids).prefetch_related("files")
    offered = offers.of(found)
    return {
        resource.resource_id: tiles.tile(resource, resource.files.all(), offered.get(resource.pk))
        for resource in found
    }


def _commands(session: VideoSession, now: datetime) -> list[Command]:
    recent = now - timedelta(days=PRESSES_DAYS)
    return list(
        Command.objects.for_object(KIND, session.pk)
        .filter(message=None)
        .filter(Q(created_at__gte=recent) | Q(state__in=("queued", "sending", "unknown")))
        .select_related("by", "repeated_by", "message")
    )


def _was_stopped(session: VideoSession, newest: Sequence[Message]) -> bool:
    """Whether it failed after a stop of ours, to which HeyGen has no other answer, and nothing was said since."""
    if session.group != StatusGroup.FAILED:
        return False
    stops = Command.objects.for_object(STOP_KIND, session.pk).filter(state="accepted")
    stopped_at = stops.values_list("attempt_at", flat=True).last()
    said = [
        message.remote_created_at or message.first_seen_at for message in newest if message.role == "user"
    ]
    return stopped_at is not None and all(at <= stopped_at for at in said)


def _storyboard(
    session: VideoSession,
    newest_messages: Sequence[Message],
    resources: Sequence[Resource],
    shown: Mapping[UUID, Tile],
    files: Mapping[UUID, Sequence[MediaFile]],
) -> Storyboard | None:
    """The newest revision. Of messages before the newest, those that decide what a revision is are read as well."""
    if not resources:
        return None
    older: Iterable[Message] = ()
    if newest_messages and (first := newest_messages[0].position) > 0:
        older = Message.objects.filter(session=session, position__lt=first).that_make_revisions()
    found = storyboard.revisions([*older, *newest_messages], resources)
    if not found:
        return None
    newest = found[-1]
    seen = set(tiles.prints([each.pk for revision in found[:-1] for each in revision.resources], files))
    pictures = [each.pk for each in newest.resources]
    return Storyboard(
        number=newest.number,
        position=newest.position,
        tiles=[shown[resource.pk] for resource in newest.resources],
        new=frozenset(
            pk
            for pk, its in zip(pictures, tiles.prints(pictures, files), strict=True)
            if its not in seen and not tiles.awaits_copy(files[pk])
        ),
        earlier=[revision.number for revision in found[:-1]],
        approval=approving.standing(session, newest.position, any_given=session.has_approvals),
        coming=newest.coming,
    )


@dataclass(frozen=True, slots=True)
class Freshness:
    """When we last looked at HeyGen, and why that is too long ago ("" when it is not)."""

    polled_at: datetime | None
    late_because: str


def freshness(session: VideoSession) -> Freshness:
    """One query."""
    known = schedule.freshness(KIND, [session.pk]).get(session.pk)
    if known is None:
        return Freshness(None, "")
    return Freshness(known.polled_at, late_because(known.reason) if known.late else "")


# --- The event stream -----------------------------------------------------------------------------------------------


def allowed(pairs: Iterable[tuple[int, UUID]]) -> set[tuple[int, UUID]]:
    """Who of (user, session) may watch the session: members of its workspace, switched on."""
    asked = set(pairs)
    sessions = VideoSession.objects.filter(pk__in={session_id for _user, session_id in asked})
    return workspaces.members_among(asked, dict(sessions.values_list("pk", "workspace_id")))


def version(session_id: UUID) -> int:
    return VideoSession.objects.filter(pk=session_id).values_list("version", flat=True).first() or 0


def age(session_id: UUID) -> float | None:
    """Seconds since HeyGen was last asked. Who asks for it has the page open: the session counts as watched."""
    schedule.watch(KIND, session_id)
    known = schedule.freshness(KIND, [session_id]).get(session_id)
    return None if known is None else known.age


def fragments(session_id: UUID, since: int | None, language: str, variant: str) -> str:
    """What brings a page that shows version `since` up to date, as `<hx-partial>` blocks."""
    session = VideoSession.objects.for_page().filter(pk=session_id).first()
    if session is None:
        return ""
    rights = VARIANTS.get(variant, VARIANTS["viewer"])
    return render_to_string("sessions_app/detail_stream.html", context(session, rights, since=since))
