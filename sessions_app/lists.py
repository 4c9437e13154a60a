"""The lists across sessions: recent work, and the searchable history with its counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.urls import reverse

from sessions_app import keyset, people, search, words
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


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A session in the history; `owner` is "" for one that was made elsewhere."""

    id: UUID
    address: str
    title: str
    group: str
    word: str
    workspace: str
    owner: str
    message_count: int
    active_at: datetime


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
    sessions = (
        VideoSession.objects.for_history().filter(archived__in=[False]).exclude(group=StatusGroup.NEEDS_YOU)
    )
    if not ids:
        return []
    found, _after = keyset.page(sessions, "active_at", "", RECENT, workspaces=ids)
    return rows_of(found)


def page(user: User, chosen: Mapping[str, Any], workspaces_: Sequence[Workspace]) -> Page:
    """One page of the history. `chosen` are the valid values of forms.HistoryFilter, `workspaces_` the person's own."""
    ids = [each.pk for each in workspaces_ if chosen["workspace"] in ("", each.slug)]
    owner = people.owner(chosen["person"], user, ids).where()
    everything = _filtered(chosen, ids).filter(owner)
    mine = everything.filter(workspace__in=ids)
    if chosen["q"] or chosen["tag"]:
        # What was found is a short list: it is counted as it is.
        counts = dict(mine.order_by().values_list("group").annotate(number=Count("*")))
    else:
        tallies = SessionTally.objects.filter(workspace_id__in=ids, archived=bool(chosen["archived"]))
        counts = tallies.filter(owner).numbers("group")
    if chosen["status"]:
        everything, mine = (rows.filter(group=chosen["status"]) for rows in (everything, mine))
    short = chosen["q"] or chosen["tag"] or not ids
    found, after = keyset.page(
        (mine if short else everything).as_history_values(),
        "active_at",
        chosen["after"],
        PAGE,
        workspaces=[] if short else ids,
    )
    names = {each.pk: each.name for each in workspaces_}
    return Page([_history_row(values, names) for values in found], after, counts, sum(counts.values()))


def _history_row(values: Any, workspace_names: Mapping[UUID, str]) -> HistoryRow:
    """`values` are those of VideoSessionQuerySet.as_history_values."""
    status = words.status_word(values.status, values.group, gone=values.gone_at is not None)
    return HistoryRow(
        id=values.pk,
        address=_address(values.pk),
        title=display_title(values.title, values.prompt_start),
        group=status.group,
        word=status.word,
        workspace=workspace_names[values.workspace_id],
        owner=values.owner__name or values.owner__email or "",
        message_count=values.message_count,
        active_at=values.active_at,
    )


_ANY = UUID(int=0)


def _address(session_id: UUID) -> str:
    """As `VideoSession.get_absolute_url`, at a twentieth of the cost."""
    return _address_of_any().replace(str(_ANY), str(session_id))


@cache
def _address_of_any() -> str:
    return reverse("sessions:detail", args=[_ANY])


def _filtered(chosen: Mapping[str, Any], ids: Sequence[UUID]) -> VideoSessionQuerySet:
    """What was chosen, of whatever workspace and owner."""
    # "in", because SQLite looks nothing up in an index for the "NOT archived" that Django makes of an equation.
    found = VideoSession.objects.filter(archived__in=[bool(chosen["archived"])])
    if chosen["q"]:
        found = found.filter(pk__in=search.sessions_of(search.find(chosen["q"], ids)))
    if chosen["tag"]:
        tagged = SessionTag.objects.filter(workspace__in=ids, name=chosen["tag"])
        found = found.filter(pk__in=tagged.values("session_id"))
    return found
