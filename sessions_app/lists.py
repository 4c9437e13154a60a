"""The lists across sessions: recent work, and the searchable history with its counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

from cachetools import TTLCache, cached
from django.db.models import Count, QuerySet

from sessions_app import keyset, people, search, words
from sessions_app.addresses import address
from sessions_app.models import (
    SessionTag,
    SessionTally,
    StatusGroup,
    VideoSession,
    display_title,
)
from sessions_app.querysets import VideoSessionQuerySet
from workspaces_app.models import User, Workspace

PAGE = 50
RECENT = 8


@dataclass(frozen=True, slots=True)
class Row:
    """A session in a list, with its status in words."""

    session: VideoSession
    status: words.StatusWords


class HistoryRow(NamedTuple):
    """A session in the history; `owner` is "" for one that was made elsewhere."""

    id: str
    address: str
    title: str
    group: str
    word: str
    workspace: str
    owner: str
    message_count: int
    active_at: datetime
    is_late: bool


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[HistoryRow]
    next: str
    counts: Mapping[str, int]
    total: int


def rows_of(sessions: list[VideoSession]) -> list[Row]:
    return [Row(session, words.status_of(session)) for session in sessions]


def recent(workspaces_: Sequence[Workspace]) -> list[Row]:
    """The newest activity in these workspaces, without what waits for a person: that stands above it."""
    ids = [each.pk for each in workspaces_]
    sessions = VideoSession.objects.filter(archived__in=[False]).exclude(group=StatusGroup.NEEDS_YOU)
    if not ids:
        return []
    found, _after = keyset.page(
        sessions, "active_at", "", RECENT, workspaces=ids, read=VideoSessionQuerySet.for_row
    )
    return rows_of(found)


def page(user: User, chosen: Mapping[str, Any], workspaces_: Sequence[Workspace]) -> Page:
    """One page of the history. `chosen` are the valid values of forms.HistoryFilter, `workspaces_` the person's own."""
    ids = [each.pk for each in workspaces_ if chosen["workspace"] in ("", each.slug)]
    owner = people.owner(chosen["person"], user)
    archived = bool(chosen["archived"])
    # "in", because SQLite looks nothing up in an index for the "NOT archived" that Django makes of an equation.
    rows = _history().filter(owner.where(), archived__in=[archived])
    walked: Sequence[UUID] = ids
    if chosen["q"] or chosen["tag"] or not ids:
        # What was found is a short list: it is counted as it is.
        rows, walked = _found(rows.filter(workspace__in=ids), chosen, ids), []
        counts = dict(rows.order_by().values_list("group").annotate(number=Count("*")))
    else:
        tallies = SessionTally.objects.filter(owner.where(), workspace_id__in=ids, archived=archived)
        counts = tallies.numbers("group")
    if chosen["status"]:
        rows = rows.filter(group=chosen["status"])
    found, after = keyset.page(
        rows,
        "active_at",
        chosen["after"],
        PAGE,
        workspaces=walked,
        called=("history", frozenset(ids), owner, archived, chosen["status"]),
    )
    names = {each.pk: each.name for each in workspaces_}
    return Page(list(_history_rows(found, names)), after, counts, sum(counts.values()))


@cached(TTLCache(64, people.KEPT_SECONDS), lock=Lock())
def tag_names(workspace_ids: frozenset[UUID]) -> list[str]:
    """The tags that can be filtered for. Another process learns of a new one as late as of a new colleague."""
    return SessionTag.objects.filter(workspace__in=workspace_ids).names()


@cache
def _history() -> QuerySet[Any, Any]:
    """Every session as a row of the history. Put together once: it takes as long as to narrow it, run it and read it."""
    return VideoSession.objects.as_history_values()


def _history_rows(found: Iterable[Any], workspace_names: Mapping[UUID, str]) -> Iterator[HistoryRow]:
    """`found` are rows of VideoSessionQuerySet.as_history_values."""
    status_words = words.status_words()
    for values in found:
        status = status_words(values.status, values.group, values.gone_at is not None)
        session_id = str(values.pk)
        yield HistoryRow(
            id=session_id,
            address=address("sessions:detail", session_id),
            title=display_title(values.title, values.prompt_start),
            group=status.group,
            word=status.word,
            workspace=workspace_names[values.workspace_id],
            owner=values.owner__name or values.owner__email or "",
            message_count=values.message_count,
            active_at=values.active_at,
            is_late=values.is_late,
        )


def _found(rows: QuerySet[Any, Any], chosen: Mapping[str, Any], ids: Sequence[UUID]) -> QuerySet[Any, Any]:
    """Those of the rows that were searched for, or have the tag."""
    if chosen["q"]:
        rows = rows.filter(pk__in=search.sessions_of(search.find(chosen["q"], ids)))
    if chosen["tag"]:
        tagged = SessionTag.objects.filter(workspace__in=ids, name=chosen["tag"])
        rows = rows.filter(pk__in=tagged.values("session_id"))
    return rows
