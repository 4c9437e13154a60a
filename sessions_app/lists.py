"""The lists across sessions: the inbox, recent work, the searchable history with its counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Subquery
from django.urls import reverse

from commands.models import Command
from commands.querysets import CommandQuerySet
from sessions_app import keyset, search, words
from sessions_app.models import MediaFile, MediaState, StatusGroup, VideoSession
from sessions_app.querysets import VideoSessionQuerySet
from workspaces_app import access as workspaces
from workspaces_app.models import User

PAGE = 50
RECENT = 8
INBOX = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A session in a list, with its status in words; `picture` is the address of its newest one, or ""."""

    session: VideoSession
    status: words.StatusWords
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    next: str
    counts: Mapping[str, int]
    total: int


def rows_of(sessions: list[VideoSession]) -> list[Row]:
    return [Row(session, words.status_of(session)) for session in sessions]


def waiting(user: User) -> list[Row]:
    """What waits for a person, oldest first, each with a picture where there is one."""
    picture = (
        MediaFile.objects.filter(
            resource__session=OuterRef("pk"), state=MediaState.STORED, content_type__startswith="image/"
        )
        # By role: the thumbnail before the preview before the whole picture.
        .order_by("-resource__message_position", "resource__place", "-role")
        .values("pk")[:1]
    )
    sessions = (
        VideoSession.objects.visible_to(user).waiting_for_a_person().annotate(picture=Subquery(picture))
    )
    return [
        Row(
            session,
            words.status_of(session),
            reverse("files:file", args=[found]) if (found := session.picture) else "",  # type: ignore[attr-defined]
        )
        for session in sessions[:INBOX]
    ]


def waiting_count(user: User) -> int:
    return VideoSession.objects.visible_to(user).waiting_for_a_person().count() + _unclear(user).count()


@dataclass(frozen=True, slots=True)
class Unclear:
    """A press that asks a person how it ended; `text` is what was to be sent, "" for a stop."""

    command: Command
    text: str


def unclear(user: User) -> list[Unclear]:
    """Presses whose end only a person can find out, the longest waiting first."""
    return [
        Unclear(command, str(command.payload.get("message") or command.payload.get("prompt") or ""))
        for command in _unclear(user).select_related("by")[:INBOX]
    ]


def _unclear(user: User) -> CommandQuerySet:
    mine = user.memberships.values("workspace_id")
    return Command.objects.asking_a_person().filter(workspace__in=mine, kind__startswith="session.")


def recent(user: User) -> list[Row]:
    """The newest activity, without what waits for a person: that stands above it."""
    ids = list(workspaces.visible_workspaces(user).values_list("pk", flat=True))
    sessions = (
        VideoSession.objects.for_history().filter(archived__in=[False]).exclude(group=StatusGroup.NEEDS_YOU)
    )
    if not ids:
        return []
    found, _after = keyset.page(sessions, "active_at", "", RECENT, workspaces=ids)
    return rows_of(found)


def page(user: User, chosen: Mapping[str, Any]) -> Page:
    """One page of the history. `chosen` are the valid values of forms.HistoryFilter."""
    ids = _workspaces(user, chosen)
    everything = _filtered(user, chosen, ids)
    mine = everything.filter(workspace__in=ids)
    counts = dict(mine.order_by().values_list("group").annotate(number=Count("*")))
    if chosen["status"]:
        everything, mine = (rows.filter(group=chosen["status"]) for rows in (everything, mine))
    if chosen["q"] or not ids:
        # What a search found is a short list already.
        found, after = keyset.page(mine.for_history(), "active_at", chosen["after"], PAGE)
    else:
        found, after = keyset.page(
            everything.for_history(), "active_at", chosen["after"], PAGE, workspaces=ids
        )
    return Page(rows_of(found), after, counts, sum(counts.values()))


def _workspaces(user: User, chosen: Mapping[str, Any]) -> list[UUID]:
    mine = workspaces.visible_workspaces(user)
    if chosen["workspace"]:
        mine = mine.filter(slug=chosen["workspace"])
    return list(mine.values_list("pk", flat=True))


def _filtered(user: User, chosen: Mapping[str, Any], ids: Sequence[UUID]) -> VideoSessionQuerySet:
    """What was chosen, of whatever workspace."""
    # "in", because SQLite looks nothing up in an index for the "NOT archived" that Django makes of an equation.
    found = VideoSession.objects.filter(archived__in=[bool(chosen["archived"])])
    if chosen["q"]:
        found = found.filter(pk__in=search.sessions_of(search.find(chosen["q"], ids)))
    if chosen["person"] == "me":
        found = found.filter(owner=user)
    elif chosen["person"] == "none":
        found = found.filter(owner=None)
    return found
