"""The kind "session": keeps a VideoSession equal to what HeyGen says of it, its status, title and messages.

A read brings the whole current state; `session_merge` decides what is new; `session_rows` stores a whole batch in set
SQL. All of it runs inside the engine's fence: a late answer never gets here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now

import heygen
from commands.models import Command
from heygen import statuses
from polling import clock
from polling.budget import Priority
from polling.cadence import DAY, GONE_AFTER, HOUR, MINUTE, Pace, standard, within_window
from polling.changes import Announcement, announce
from polling.digests import digest_of
from polling.kinds import Changed, Claim, Failed, Kind, Reading, Unchanged
from sessions_app.mirror.session_merge import KIND, SENDS, SessionReading, gather, merge
from sessions_app.mirror.session_rows import write
from sessions_app.models import VideoSession
from timeline.events import NewEvent, record
from timeline.models import Event, Source
from workspaces_app.connections import Connection, connections_for
from workspaces_app.readings import failed

T = TypeVar("T")

# After HeyGen took a message, reads may still show the status from before it: so long the session counts as working.
REACTION_SECONDS = 60
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


def load(claims: Sequence[Claim]) -> Mapping[UUID, Job]:
    """One query and the connections, for the whole batch."""
    sent = Command.objects.filter(
        object_id=OuterRef("pk"),
        kind__in=SENDS,
        state__in=("sending", "accepted", "unknown"),
        attempt_at__gte=clock.later(-REACTION_SECONDS),
        message=None,
    )
    workspaces = {claim.object_id: claim.workspace_id for claim in claims}
    connections = connections_for(workspaces.values())
    rows = VideoSession.objects.filter(pk__in=workspaces, remote_id__isnull=False).values_list(
        "pk", "remote_id", "dialect", "video_id", "status", "gone_at", Exists(sent)
    )
    return {
        pk: Job(
            connections[workspaces[pk]],
            remote_id or "",
            dialect,
            video_id,
            status,
            awaits_reaction=awaits_reaction,
            gone=gone_at is not None,
        )
        for pk, remote_id, dialect, video_id, status, gone_at, awaits_reaction in rows
        if workspaces[pk] in connections
    }


def read(claim: Claim, job: Job) -> Reading:
    """One GET; another for the videos when the session ended or names another video than before, and where the dialect lists
    resources one for those of messages that the window does not show any more, when it is not the agent's turn."""
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
            listed = _listed(lambda token: client.list_session_videos(job.remote_id, token=token))
            video_ids = tuple(dict.fromkeys([*(video.video_id for video in listed), *video_ids]))
        resource_ids: tuple[str, ...] = ()
        if client.abilities.list_resources and session.window_full and pace not in ("working", "generating"):
            made = _listed(lambda token: client.list_resources(job.remote_id, token=token))
            resource_ids = tuple(resource.resource_id for resource in made)
    except heygen.ApiError as error:
        return failed(error)
    return Changed(
        digest=polled.digest + meaning,
        group=pace,
        value=SessionReading(session, video_ids, resource_ids),
        within=within,
    )


def _listed(fetch: Callable[[str | None], heygen.Page[T]]) -> list[T]:
    """What HeyGen lists of a session, to the end or as far as it does: that it won't says nothing of the session itself."""
    found: list[T] = []
    try:
        for item in heygen.every(fetch):
            found.append(item)
    except (heygen.Unauthorized, heygen.PaymentRequired):
        raise
    except (heygen.Refused, heygen.BadPayload):
        pass
    return found


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


def on_failures(failures: Sequence[tuple[Claim, Failed, int]]) -> None:
    """A third 404 in a row: HeyGen has no such session any more. What we have stays. Told once."""
    denied = [
        claim.object_id for claim, failure, count in failures if failure.missing and count >= GONE_AFTER
    ]
    if not denied:
        return
    gone = set(VideoSession.objects.filter(pk__in=denied, gone_at=None).values_list("pk", flat=True))
    VideoSession.objects.filter(pk__in=gone).update(gone_at=Now(), version=F("version") + 1)
    claims = [claim for claim, _, _ in failures if claim.object_id in gone]
    record(
        [NewEvent(claim.workspace_id, KIND, claim.object_id, "session.gone", Source.POLL) for claim in claims]
    )
    _announce_versions(claims)


def _announce_versions(claims: Sequence[Claim]) -> None:
    """Tells the open pages of these sessions, whose versions the caller has moved."""
    ids = [claim.object_id for claim in claims]
    versions = dict(VideoSession.objects.filter(pk__in=ids).values_list("pk", "version"))
    announce(
        Announcement(claim.workspace_id, KIND, claim.object_id, versions[claim.object_id])
        for claim in claims
        if claim.object_id in versions
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
    _announce_versions(news)


def cadence(pace: Pace) -> float | None:
    """Seconds to the next poll: the standard, with a few late looks at what is gone."""
    late = pace.missing - GONE_AFTER
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
