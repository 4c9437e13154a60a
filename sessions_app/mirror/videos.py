"""Follows a rendered video until its file is there. `completed` on the session does not mean that it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, Q

import heygen
from heygen import statuses
from polling import clock
from polling.budget import Priority
from polling.cadence import GONE_AFTER, standard
from polling.changes import Announcement, announce
from polling.digests import digest_of
from polling.kinds import Change, Changed, Claim, Failed, Kind, Pace, Reading, Unchanged
from sessions_app.mirror.media import Link, wanting_links, write_links
from sessions_app.models import MediaRole, StatusGroup, Video, VideoSession
from timeline.events import NewEvent, record
from timeline.models import Source
from workspaces_app import wire
from workspaces_app.connections import Connection, connections_for
from workspaces_app.readings import failed

KIND = "video"
# HeyGen's own word in its bulk list, for one that it does not know.
NOT_FOUND = "not_found"
# A session may name its video long before that can be read: denied so often, over more than two hours, it is missing.
TRIES = 24
LONGEST_PAUSE = 600.0  # seconds


@dataclass(frozen=True, slots=True)
class Job:
    connection: Connection
    session_id: UUID
    video_id: str
    wants_links: bool
    # Counted as not there: an answer is news, even the one from before.
    denied: bool = False


def cadence(pace: Pace) -> float | None:
    """Seconds to the next read: the standard, but a film that is still to come is asked for longer than one that is gone."""
    if pace.missing and pace.group in ("working", "unknown"):
        return min(2.0**pace.missing, LONGEST_PAUSE) if pace.missing < TRIES else None
    return standard(pace)


def load(claims: Sequence[Claim]) -> Mapping[UUID, Job]:
    connections = connections_for({claim.workspace_id for claim in claims})
    ids = [claim.object_id for claim in claims]
    wanting = wanting_links("video", ids)
    rows = Video.objects.filter(pk__in=ids).values_list(
        "pk", "workspace_id", "session_id", "video_id", "status"
    )
    return {
        pk: Job(connections[workspace_id], session_id, video_id, pk in wanting, denied=status == NOT_FOUND)
        for pk, workspace_id, session_id, video_id, status in rows
        if workspace_id in connections
    }


def read(claim: Claim, job: Job) -> Reading:
    try:
        client = job.connection.client(priority=Priority.WATCHED if claim.watched else Priority.BACKGROUND)
        video = client.read_video(job.video_id)
    except heygen.ApiError as error:
        return failed(error)
    digest = digest_of(video.raw)
    group = statuses.video_group(video.status)
    if group == "done" and not video.video_url:
        # HeyGen says that it is ready, and has no file yet.
        group = "unknown"
    if digest == claim.digest and not (job.wants_links or job.denied):
        return Unchanged(group=group)
    return Changed(digest=digest, group=group, value=video)


def gather(changes: Sequence[Change]) -> Mapping[UUID, Video]:
    return Video.objects.in_bulk([change.claim.object_id for change in changes])


def merge(change: Change, stored: Video | None) -> dict[str, Any] | None:
    """The columns of the row; None when it is not ours any more."""
    if stored is None:
        return None
    remote: heygen.RemoteVideo = change.value
    return {
        "title": (remote.title or "")[:500],
        "status": remote.status[:64],
        "group": StatusGroup(statuses.video_group(remote.status)),
        "duration": remote.duration,
        "failure_code": (remote.failure_code or "")[:255],
        "failure_message": remote.failure_message or "",
        "page_url": remote.video_page_url or "",
        "remote_created_at": remote.created_at,
        "remote_completed_at": remote.completed_at,
    }


def write(plans: Sequence[tuple[Change, dict[str, Any] | None]]) -> Sequence[Announcement]:
    now = clock.now()
    rows = Video.objects.in_bulk([change.claim.object_id for change, columns in plans if columns is not None])
    session_ids = {video.session_id for video in rows.values()}
    VideoSession.objects.filter(pk__in=session_ids).update(version=F("version") + 1)
    # A first look tells how it stands, not that something happened.
    moved = {
        rows[change.claim.object_id].session_id
        for change, columns in plans
        if columns is not None
        and change.claim.object_id in rows
        and rows[change.claim.object_id].status not in ("", columns["status"])
    }
    VideoSession.objects.filter(pk__in=moved).update(active_at=now)
    versions = dict(VideoSession.objects.filter(pk__in=session_ids).values_list("pk", "version"))
    links: list[Link] = []
    events: list[NewEvent] = []
    for change, columns in plans:
        row = rows.get(change.claim.object_id)
        if row is None or columns is None:
            continue
        if columns["status"] != row.status:
            events.append(
                NewEvent(
                    workspace_id=row.workspace_id,
                    object_kind="session",
                    object_id=row.session_id,
                    what="video.status",
                    data={"video": str(row.pk), "from": row.status, "to": columns["status"]},
                    source=Source.POLL,
                )
            )
        for name, value in columns.items():
            setattr(row, name, value)
        row.read_at = now
        row.version = versions.get(row.session_id, row.version)
        remote: heygen.RemoteVideo = change.value
        roles = (
            (MediaRole.VIDEO, remote.video_url),
            (MediaRole.CAPTIONED, remote.captioned_video_url),
            (MediaRole.SUBTITLES, remote.subtitle_url),
            (MediaRole.THUMBNAIL, remote.thumbnail_url),
            (MediaRole.GIF, remote.gif_url),
        )
        links += [Link(row.workspace_id, role, url, video_id=row.pk) for role, url in roles if url]
    Video.objects.bulk_update(
        rows.values(),
        [
            "title", "status", "group", "duration", "failure_code", "failure_message", "page_url",
            "remote_created_at", "remote_completed_at", "read_at", "version",
        ],
    )  # fmt: skip
    write_links(links, now=now)
    record(events)
    wire.keep_polls("read video", [(change, change.value.raw) for change, _ in plans])
    return [
        Announcement(row.workspace_id, "session", row.session_id, versions[row.session_id])
        for row in rows.values()
    ]


def on_failures(failures: Sequence[tuple[Claim, Failed, int]]) -> None:
    """Marks what HeyGen keeps denying, or it would look as if it were still being made. A film that we know stays.

    As long as its session may still bring it, it is only late.
    """
    denied = {
        claim.object_id: count
        for claim, failure, count in failures
        if failure.missing and count >= GONE_AFTER
    }
    given_up = [pk for pk, count in denied.items() if count >= TRIES]
    expected = (
        Video.objects.filter(pk__in=denied, group__in=(StatusGroup.WORKING, StatusGroup.UNKNOWN))
        .filter(Q(pk__in=given_up) | Q(session__group=StatusGroup.FAILED) | Q(session__gone_at__isnull=False))
        .exclude(status=NOT_FOUND)
    )
    session_ids = set(expected.values_list("session", flat=True))
    if not session_ids:
        return
    VideoSession.objects.filter(pk__in=session_ids).update(version=F("version") + 1)
    sessions = VideoSession.objects.in_bulk(session_ids)
    for video in expected:
        video.status, video.group = NOT_FOUND, StatusGroup.FAILED
        video.version = sessions[video.session_id].version
        video.save(update_fields=["status", "group", "version"])
    announce(Announcement(each.workspace_id, "session", each.pk, each.version) for each in sessions.values())


VIDEO = Kind(
    name=KIND,
    load=load,
    read=read,
    gather=gather,
    merge=merge,
    write=write,
    failed=on_failures,
    cadence=cadence,
)
