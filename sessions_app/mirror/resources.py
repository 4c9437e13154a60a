"""Finds out what an announced resource id stands for: read once, again while it is missing or its links expired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F

import heygen
from polling import clock
from polling.budget import Priority
from polling.changes import Announcement
from polling.digests import digest_of
from polling.kinds import Change, Changed, Claim, Failed, Kind, Pace, Reading, Unchanged
from sessions_app.mirror.media import Link, wanting_links, write_links
from sessions_app.models import MediaRole, Resource, VideoSession
from workspaces_app import wire
from workspaces_app.connections import Connection, connections_for
from workspaces_app.readings import failed

KIND = "resource"
# An id may be announced before the object can be read: denied so often, over about an hour, it is taken for missing.
TRIES = 12
LONGEST_PAUSE, LATER_PAUSE = 600.0, 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Job:
    connection: Connection
    dialect: str
    session_id: UUID
    remote_session_id: str
    resource_id: str
    wants_links: bool


def cadence(pace: Pace) -> float | None:
    """Seconds to the next read: none after one that succeeded, nor for one that HeyGen keeps denying.

    Any other failure says nothing of the resource: it is asked for until there is an answer, hourly in the end.
    """
    if pace.failures == 0 or pace.missing >= TRIES:
        return None
    pause = LATER_PAUSE if pace.failures > 2 * TRIES else min(2.0**pace.failures, LONGEST_PAUSE)
    return max(pace.retry_after or 0, pause)


def load(claims: Sequence[Claim]) -> Mapping[UUID, Job]:
    connections = connections_for({claim.workspace_id for claim in claims})
    rows = Resource.objects.filter(
        pk__in=[claim.object_id for claim in claims], session__remote_id__isnull=False
    ).values_list("pk", "workspace_id", "session_id", "session__dialect", "session__remote_id", "resource_id")
    wanting = wanting_links("resource", [claim.object_id for claim in claims])
    return {
        pk: Job(connections[workspace_id], dialect, session_id, remote_id or "", resource_id, pk in wanting)
        for pk, workspace_id, session_id, dialect, remote_id, resource_id in rows
        if workspace_id in connections
    }


def read(claim: Claim, job: Job) -> Reading:
    priority = Priority.WATCHED if claim.watched else Priority.BACKGROUND
    try:
        client = job.connection.client(priority=priority, dialect=job.dialect)
        resource = client.read_resource(job.remote_session_id, job.resource_id)
    except heygen.ApiError as error:
        return failed(error)
    digest = digest_of(resource.raw)
    if digest == claim.digest and not job.wants_links:
        return Unchanged()
    return Changed(digest=digest, group="done", value=resource)


def gather(changes: Sequence[Change]) -> Mapping[UUID, None]:
    return {}


def merge(change: Change, stored: None) -> dict[str, Any]:
    """The columns of the row."""
    remote: heygen.RemoteResource = change.value
    return {
        "type": remote.resource_type[:64],
        "source": (remote.source_type or "")[:64],
        "url": remote.url or "",
        "thumbnail_url": remote.thumbnail_url or "",
        "preview_url": remote.preview_url or "",
        "metadata": dict(remote.metadata or {}),
        "remote_created_at": remote.created_at,
        "missing": False,
    }


def write(plans: Sequence[tuple[Change, dict[str, Any]]]) -> Sequence[Announcement]:
    now = clock.now()
    rows = Resource.objects.in_bulk([change.claim.object_id for change, _ in plans])
    session_ids = {change.job.session_id for change, _ in plans}
    # A session's page shows its resources: they move its version.
    VideoSession.objects.filter(pk__in=session_ids).update(version=F("version") + 1)
    versions = dict(VideoSession.objects.filter(pk__in=session_ids).values_list("pk", "version"))
    links: list[Link] = []
    for change, columns in plans:
        row = rows.get(change.claim.object_id)
        if row is None:
            continue
        for name, value in columns.items():
            setattr(row, name, value)
        row.read_at = now
        row.version = versions.get(row.session_id, row.version)
        roles = (
            (MediaRole.MAIN, row.url),
            (MediaRole.THUMBNAIL, row.thumbnail_url),
            (MediaRole.PREVIEW, row.preview_url),
        )
        links += [Link(row.workspace_id, role, url, resource_id=row.pk) for role, url in roles if url]
    Resource.objects.bulk_update(
        rows.values(),
        [
            "type", "source", "url", "thumbnail_url", "preview_url", "metadata", "remote_created_at",
            "missing", "read_at", "version",
        ],
    )  # fmt: skip
    write_links(links, now=now)
    wire.keep_polls("read resource", [(change, change.value.raw) for change, _ in plans])
    workspaces = {change.job.session_id: change.claim.workspace_id for change, _ in plans}
    return [
        Announcement(workspaces[session_id], "session", session_id, version)
        for session_id, version in versions.items()
    ]


def on_failures(failures: Sequence[tuple[Claim, Failed, int]]) -> None:
    """Marks what HeyGen keeps denying; it stays listed, without a picture."""
    missing = [claim.object_id for claim, failure, count in failures if failure.missing and count >= TRIES]
    Resource.objects.filter(pk__in=missing).update(missing=True)


RESOURCE = Kind(
    name=KIND,
    load=load,
    read=read,
    gather=gather,
    merge=merge,
    write=write,
    failed=on_failures,
    cadence=cadence,
)
