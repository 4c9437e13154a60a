"""What waits for a person, across sessions: reviews, questions, unclear presses, what failed, what is stuck.

A session that somebody just answered waits for nobody until the agent has reacted. Putting one off is of one person
(`Snooze`): a team's snooze would hide a review from everybody who could do it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Subquery

from commands.models import Command
from commands.querysets import CommandQuerySet
from polling import clock
from sessions_app import access, approving, conversation, meanwhile, storyboard_page, turn, words
from sessions_app.addresses import address
from sessions_app.models import MediaFile, MediaState, Mode, Snooze, VideoSession
from sessions_app.querysets import VideoSessionQuerySet
from sessions_app.session_page import Rights
from workspaces_app import access as workspaces
from workspaces_app.models import Role, User

MOST = 100
# What failed or hangs for longer is history, not work.
FAILED_DAYS = 14
MORNING = time(9, 0)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that waits. `why`: "review", "question", "unclear", "failed", "stuck"; `text` is that of a press.
    `whose`: the role it takes, where the person may only look on; "" where they may act."""

    why: str
    session: VideoSession
    since: datetime
    status: words.StatusWords
    picture: str = ""
    text: str = ""
    whose: str = ""

    @property
    def pane_address(self) -> str:
        return address("sessions:inbox-pane", self.session.pk)

    @property
    def snooze_address(self) -> str:
        return address("sessions:inbox-snooze", self.session.pk)


def waiting(user: User, *, workspace: str = "", pictures: bool = True) -> list[Item]:
    """Everything that waits for this person, the longest waiting first. `workspace` (its short name) narrows it.

    Six queries at most, however much waits.
    """
    found = []
    for rows in _sessions(user, workspace):
        shown = (_with_picture(rows) if pictures else rows).for_row()
        shown = shown.annotate(role_here=workspaces.role_of(user))  # type: ignore[no-redef]  # the model declares it
        found += [
            Item(
                _why(session),
                session,
                _since(session),
                words.status_of(session),
                _picture_of(session),
                whose=_whose(session),
            )
            for session in shown[:MOST]
        ]
    presses = list(_unclear(user, workspace).select_related("by")[:MOST])
    sessions = VideoSession.objects.visible_to(user).for_row()
    by_id = sessions.in_bulk([press.object_id for press in presses]) if presses else {}
    found += [
        Item(
            "unclear",
            by_id[press.object_id],
            press.asks_person_since or press.created_at,
            words.status_of(by_id[press.object_id]),
            text=str(press.payload.get("message") or press.payload.get("prompt") or ""),
        )
        for press in presses
        if press.object_id in by_id
    ]
    # What somebody approved waits for the others, no longer for them.
    reviews = [item.session for item in found if item.why == "review"]
    others = approving.waiting_for_others(reviews, user)
    found = [item for item in found if item.why != "review" or item.session.pk not in others]
    # A session that waits for several reasons is one item: the press first, because it may have cost something.
    first: dict[UUID, Item] = {}
    for item in sorted(found, key=lambda item: item.why != "unclear"):
        first.setdefault(item.session.pk, item)
    return sorted(first.values(), key=lambda item: (item.since, item.session.pk))[:MOST]


def for_them(items: Sequence[Item]) -> list[Item]:
    """Those that wait for whoever asked: what others have to decide is no turn of theirs."""
    return [item for item in items if not item.whose]


def beyond(items: Sequence[Item], user: User, *, workspace: str = "") -> int:
    """How many wait that are not among these, which `waiting` gave."""
    return max(0, count(user, workspace=workspace) - len(items)) if len(items) == MOST else 0


def count(user: User, *, workspace: str = "") -> int:
    """How many that are, without reading them; a session with an unclear press may count twice."""
    return sum(rows.count() for rows in _sessions(user, workspace)) + _unclear(user, workspace).count()


def _sessions(user: User, workspace: str) -> list[VideoSessionQuerySet]:
    """Each kind for itself: every one of them has an index to walk."""
    mine = VideoSession.objects.visible_to(user).not_snoozed_by(user)
    if workspace:
        mine = mine.filter(workspace__slug=workspace)
    answers = meanwhile.under_way().filter(object_id=OuterRef("pk"))
    since = clock.later(-FAILED_DAYS * 86400)
    thinking, rendering = (
        clock.later(-limit.total_seconds()) for limit in (turn.STUCK, turn.RENDERING_STUCK)
    )
    return [
        mine.waiting_for_a_person().exclude(Exists(answers)),
        mine.failed_here(since),
        mine.stuck(thinking=thinking, rendering=rendering, since=since),
    ]


def _unclear(user: User, workspace: str) -> CommandQuerySet:
    mine = user.memberships.values("workspace_id")
    found = Command.objects.asking_a_person().filter(workspace__in=mine, kind__startswith="session.")
    if workspace:
        found = found.filter(workspace__slug=workspace)
    return found.exclude(object_id__in=user.snoozes.in_force().order_by().values("session_id"))


def _with_picture(rows: VideoSessionQuerySet) -> VideoSessionQuerySet:
    picture = (
        MediaFile.objects.filter(
            resource__session=OuterRef("pk"), state=MediaState.STORED, content_type__startswith="image/"
        )
        # By role: the thumbnail before the preview before the whole picture.
        .order_by(F("resource__message_position").desc(nulls_last=True), "resource__place", "-role")
        .values("pk")[:1]
    )
    return rows.annotate(picture=Subquery(picture))


def _picture_of(session: VideoSession) -> str:
    found = getattr(session, "picture", None)
    return address("files:file", found) if found else ""


def _why(session: VideoSession) -> str:
    if session.group == "failed":
        return "failed"
    if session.group == "working":
        return "stuck"
    return "review" if access.is_reviewing(session) else "question"


def _whose(session: VideoSession) -> str:
    role = Role(session.role_here)
    if access.is_reviewing(session):
        return "" if access.may_give_verdict(role, session) else "approver"
    return "creator" if role == Role.VIEWER and session.group == "needs_you" else ""


def _since(session: VideoSession) -> datetime:
    return session.active_at if session.group == "working" else session.status_since


# --- Putting off ------------------------------------------------------------------------------------------------------


def until(choice: str, user: User, now: datetime) -> datetime | None:
    """When a session that was put off comes back by itself. "change": only when something happens in it."""
    if choice == "hour":
        return now + timedelta(hours=1)
    if choice == "change":
        return None
    today = now.astimezone(user.zone)
    days = 7 - today.weekday() if choice == "week" else 1
    return datetime.combine(today.date() + timedelta(days=days), MORNING, today.tzinfo)


def snooze(session: VideoSession, *, by: User, until: datetime | None) -> None:
    """Hides it from this person's inbox until then, or until anything happens in it."""
    Snooze.objects.update_or_create(
        session=session, user=by, defaults={"until": until, "active_at": session.active_at}
    )


def wake(session: VideoSession, *, by: User) -> None:
    """Brings it back at once."""
    Snooze.objects.filter(session=session, user=by).delete()


def snoozed(user: User) -> list[Snooze]:
    """What this person put off, the next to come back first."""
    mine = Snooze.objects.filter(user=user, session__workspace__in=user.memberships.values("workspace_id"))
    return list(mine.in_force().select_related("session", "session__workspace")[:MOST])


# --- One of them, closely -----------------------------------------------------------------------------------------------


def pane(session: VideoSession, rights: Rights, user: User) -> dict[str, Any]:
    """What is shown of one session beside the list: enough to judge it, with what may be pressed."""
    found = storyboard_page.revisions_of(session)
    board = storyboard_page.board(session, found, number=None)
    newest = list(session.messages.order_by("-position")[:10])[::-1]
    verdict = storyboard_page.verdict(session, rights, found, board.number if board is not None else 0)
    presses = Command.objects.asking_a_person().filter(object_id=session.pk, kind__startswith="session.")
    undecided = access.is_undecided(user, session)
    why = _why_now(session)
    return {
        **verdict,
        "why": why,
        "board": board if verdict["is_reviewing"] else None,
        "question": conversation.question(
            session, newest, with_choices=not (undecided or verdict["answer"].unseen)
        ),
        "last": next((message for message in reversed(newest) if message.content), None),
        "may_send": rights.may_send,
        "may_write": rights.may_send and session.mode == Mode.CHAT,
        "may_reply": verdict["may_note"]
        and not verdict["answer"].goes_on
        and why not in ("failed", "stuck", "working"),
        "seen": str(meanwhile.mark(session)),
        "opening": undecided,
        "unclear": list(presses.select_related("by")),
        "refusals": _refusals(session),
    }


def _why_now(session: VideoSession) -> str:
    """Why an open session waits, or "working"; "" for one that does neither any more."""
    if session.group not in ("needs_you", "working", "failed"):
        return ""
    works = session.group == "working" and session.looked_at < turn.stuck_at(session)
    return "working" if works else _why(session)


def _refusals(session: VideoSession) -> Sequence[str]:
    """Why HeyGen did not start it, where that is what failed."""
    if session.status or session.group != "failed":
        return ()
    refused = Command.objects.for_object("session.create", session.pk).filter(state="refused").last()
    return [words.refusal(refused)] if refused is not None else ()
