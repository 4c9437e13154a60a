"""Brings in sessions that were made elsewhere: in HeyGen's own application, or by another program with the same key.

HeyGen's list is newest first and has no status, so it only tells that a session exists; the session's own poll does the
rest. Each visit reads the first page, and one older page while a stretch of unknown sessions reaches further back. How far
it came is a row, so a killed reading goes on where it was.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F, QuerySet

import heygen
from commands.models import Command
from polling import clock, schedule
from polling.budget import Priority
from polling.changes import Announcement
from polling.digests import digest_of
from polling.kinds import Change, Changed, Claim, Kind, Pace, Reading, Unchanged
from sessions_app.models import ListPosition, VideoSession
from timeline.events import NewEvent, record
from timeline.models import Source
from workspaces_app.connections import Connection, connections_for
from workspaces_app.readings import failed

logger = logging.getLogger(__name__)

KIND = "session_list"
PAGE = 100
# How far HeyGen's clock may be from ours, in seconds.
SKEW_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Job:
    connection: Connection
    dialect: str
    cursor: str
    # As in ListPosition; None before the first time.
    newest_read_at: datetime | None
    # Creates of ours are under way: what is left alone for their sake is to be looked at again without them.
    open_creates: bool


@dataclass(frozen=True, slots=True)
class ListReading:
    """Summaries, newest first; `cursor` leads to the page behind the last one read, "" at the end of the list."""

    newest: tuple[heygen.SessionSummary, ...]
    older: tuple[heygen.SessionSummary, ...]
    newest_cursor: str
    older_cursor: str


def cadence(pace: Pace) -> float | None:
    """Every `POLL_LIST_SECONDS`; sooner while older pages wait, at no more than a fifth of the request budget."""
    if pace.failures:
        return max(pace.retry_after or 0, min(settings.POLL_LIST_SECONDS * 2.0**pace.failures, 1800))
    if pace.group == "working":
        # Two calls a visit.
        return max(1.0, 2 / (0.2 * settings.POLL_REQUESTS_PER_SECOND))
    return float(settings.POLL_LIST_SECONDS)


def load(claims: Sequence[Claim]) -> Mapping[UUID, Job]:
    connections = connections_for({claim.workspace_id for claim in claims})
    positions = ListPosition.objects.in_bulk([claim.object_id for claim in claims])
    creating = set(
        open_creates().filter(workspace__in=list(connections)).values_list("workspace_id", flat=True)
    )
    jobs = {}
    for claim in claims:
        connection = connections.get(claim.workspace_id)
        if connection is None or connection.dialect != heygen.Dialect.CURRENT:
            continue  # the old dialect has no list
        position = positions.get(claim.object_id)
        jobs[claim.object_id] = Job(
            connection,
            connection.dialect,
            position.cursor if position else "",
            position.newest_read_at if position else None,
            open_creates=claim.workspace_id in creating,
        )
    return jobs


def read(claim: Claim, job: Job) -> Reading:
    try:
        client = job.connection.client(priority=Priority.BACKGROUND, dialect=job.dialect)
        newest = client.list_sessions(limit=PAGE)
        older = _older(client, job.cursor) if job.cursor else None
    except heygen.ApiError as error:
        return failed(error)
    digest = digest_of([job.open_creates, *([item.session_id, item.title] for item in newest.items)])
    if not job.cursor and digest == claim.digest:
        return Unchanged(group="done")
    value = ListReading(
        newest=tuple(newest.items),
        older=tuple(older.items) if older else (),
        newest_cursor=newest.next_token or "",
        older_cursor=(older.next_token or "") if older else "",
    )
    return Changed(digest=digest, group="working" if job.cursor else "done", value=value)


def _older(client: heygen.Client, cursor: str) -> heygen.Page[heygen.SessionSummary] | None:
    """The page at a stored cursor; None where HeyGen takes it no longer: the way back ends there, new sessions still come."""
    try:
        return client.list_sessions(limit=PAGE, token=cursor)
    except (heygen.Unauthorized, heygen.PaymentRequired, heygen.Forbidden):
        raise
    except heygen.Refused as error:
        logger.warning("HeyGen takes the cursor of the session list no longer: %s", error)
        return None


@dataclass(frozen=True, slots=True)
class Known:
    """Remote ids that are ours already, and since when creates of ours have an unknown outcome (None: none has)."""

    remote_ids: frozenset[str]
    open_since: datetime | None


def gather(changes: Sequence[Change]) -> Mapping[UUID, Known]:
    return {
        change.claim.object_id: known_of(
            change.claim.workspace_id,
            [item.session_id for item in (*change.value.newest, *change.value.older)],
        )
        for change in changes
    }


def known_of(workspace_id: UUID, remote_ids: Iterable[str]) -> Known:
    """What adoption must leave alone."""
    mine = VideoSession.objects.with_remote_ids(workspace_id, remote_ids)
    attempts = open_creates().filter(workspace_id=workspace_id).order_by("attempt_at")
    return Known(frozenset(mine), attempts.values_list("attempt_at", flat=True).first())


def open_creates() -> QuerySet[Command]:
    """Creates whose session may be in the list already: being sent, or looked for in it by a machine.

    Once a person is asked, nobody looks any more, and a question may stay open for days: what is adopted then is taken
    over by the press if the person says that it was its session.
    """
    return Command.objects.filter(
        kind="session.create",
        state__in=("sending", "unknown"),
        attempt_at__isnull=False,
        asks_person_since=None,
    )


def strangers(items: Iterable[heygen.SessionSummary], known: Known) -> list[heygen.SessionSummary]:
    """Those to adopt: not ours, and no candidate for a create of ours whose outcome is still open. Pure."""
    return [
        item
        for item in items
        if item.session_id not in known.remote_ids
        and not (
            known.open_since is not None
            and (
                item.created_at is None
                or item.created_at >= known.open_since - timedelta(seconds=SKEW_SECONDS)
            )
        )
    ]


@dataclass(frozen=True, slots=True)
class Plan:
    adopt: tuple[heygen.SessionSummary, ...]
    cursor: str


def merge(change: Change, known: Known) -> Plan:
    """Adopts strangers, and goes on where more of them may be behind a page; the first visit looks no further."""
    value: ListReading = change.value
    newest = strangers(value.newest, known)
    older = strangers(value.older, known)
    cursor = value.older_cursor if older else ""
    if not cursor and _may_go_on(change.job, value.newest, known):
        cursor = value.newest_cursor
    return Plan(adopt=tuple({item.session_id: item for item in (*newest, *older)}.values()), cursor=cursor)


def _may_go_on(job: Job, newest: Sequence[heygen.SessionSummary], known: Known) -> bool:
    """Whether more strangers may be behind the first page: its oldest was made after the last look, or none of it is known.

    One unknown session that is older than that is history, which a deleted one brought into sight.
    """
    if not newest or job.newest_read_at is None:
        return False
    made_at = newest[-1].created_at
    is_new = made_at is not None and made_at >= job.newest_read_at - timedelta(seconds=SKEW_SECONDS)
    return is_new or known.remote_ids.isdisjoint(item.session_id for item in newest)


def write(plans: Sequence[tuple[Change, Plan]]) -> Sequence[Announcement]:
    now = clock.now()
    for change, plan in plans:
        claim = change.claim
        adopt(
            plan.adopt,
            workspace_id=claim.workspace_id,
            fingerprint=claim.fingerprint,
            dialect=change.job.dialect,
            now=now,
        )
        ListPosition.objects.get_or_create(workspace_id=claim.workspace_id)
        ListPosition.objects.filter(workspace_id=claim.workspace_id).update(
            cursor=plan.cursor, newest_read_at=now, adopted=F("adopted") + len(plan.adopt)
        )
    return [
        Announcement(change.claim.workspace_id, KIND, change.claim.object_id, change.claim.sequence)
        for change, plan in plans
        if plan.adopt
    ]


def adopt(
    items: Sequence[heygen.SessionSummary],
    *,
    workspace_id: UUID,
    fingerprint: str,
    dialect: str,
    now: datetime,
) -> int:
    """Rows and polls for sessions made elsewhere; those that exist stay as they are. Returns how many are new."""
    rows = [
        VideoSession(
            workspace_id=workspace_id,
            remote_id=item.session_id,
            dialect=dialect,
            title=(item.title or "")[:500],
            remote_created_at=item.created_at,
            # A clock that is ahead must not put it on top of the history for good.
            active_at=min(item.created_at or now, now),
            status_since=min(item.created_at or now, now),
        )
        for item in items
    ]
    VideoSession.objects.bulk_create(rows, ignore_conflicts=True)
    made = list(VideoSession.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    schedule.enroll("session", made, workspace_id=workspace_id, fingerprint=fingerprint)
    record([NewEvent(workspace_id, "session", pk, "session.adopted", Source.POLL) for pk in made])
    return len(made)


SESSION_LIST = Kind(name=KIND, load=load, read=read, gather=gather, merge=merge, write=write, cadence=cadence)
