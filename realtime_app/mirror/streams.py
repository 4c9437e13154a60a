"""Keeps a Stream equal to what HeyGen says of it: status, the playlist's address, how it ended.

Source: GET /v3/avatar-realtime/{stream_id}, heygen-api.md section 9.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.db.models.functions import Now

import heygen
from polling import cadence as cadences
from polling import clock, schedule
from polling.budget import Priority
from polling.changes import Announcement, announce
from polling.digests import digest_of
from polling.kinds import Change, Changed, Claim, Failed, Kind, Pace, Reading, Unchanged
from realtime_app.mirror import words
from realtime_app.mirror.trouble import pause_after_trouble
from realtime_app.models import Stream, StreamGroup
from timeline.events import NewEvent, record
from timeline.models import Source
from workspaces_app import wire
from workspaces_app.connections import Connection, connections_for
from workspaces_app.readings import failed

KIND = "stream"
# An address is signed for a while only: one that is older is replaced by what a read brings, though all else is the same.
ADDRESS_SECONDS = 300

# The engine's word for each of our groups.
PACES: Mapping[str, str] = {
    StreamGroup.PENDING: "working",
    StreamGroup.STREAMING: "generating",
    StreamGroup.COMPLETED: "done",
    StreamGroup.ERROR: "failed",
    StreamGroup.UNKNOWN: "unknown",
}

# Seconds. A person waits for the picture: the first seconds of `pending` are asked for most often.
PENDING_FIRST, PENDING_LATER, PENDING_STUCK = 1.0, 2.0, 10.0
STREAMING, STREAMING_WATCHED, AFTER_PRESS = 10.0, 3.0, 1.0


@dataclass(frozen=True, slots=True)
class Job:
    connection: Connection
    stream_id: str
    hls_url: str
    address_is_old: bool


def group_of(status: str) -> StreamGroup:
    """The group of a status as `heygen.RemoteStream` normalises it; a word never seen before is unknown."""
    return StreamGroup(status) if status in StreamGroup.values else StreamGroup.UNKNOWN


def cadence(pace: Pace) -> float | None:
    """Seconds to the next poll; none once it ended."""
    if pace.missing or pace.failures:
        return pause_after_trouble(pace)
    match pace.group:
        case "working":
            if pace.since_change < 60:
                return PENDING_FIRST
            return PENDING_LATER if pace.since_change < 300 else PENDING_STUCK
        case "generating":
            if pace.woken and not pace.changed:
                return AFTER_PRESS
            return STREAMING_WATCHED if pace.watched else STREAMING
        case "done" | "failed" | "gone":
            return None
        case _:
            return cadences.standard(pace)


def load(claims: Sequence[Claim]) -> Mapping[UUID, Job]:
    connections = connections_for({claim.workspace_id for claim in claims})
    is_old = Q(hls_read_at=None) | Q(hls_read_at__lt=clock.later(-ADDRESS_SECONDS))
    rows = Stream.objects.filter(pk__in=[claim.object_id for claim in claims], stream_id__isnull=False)
    columns = rows.annotate(is_old=is_old).values_list("pk", "workspace_id", "stream_id", "hls_url", "is_old")
    return {
        pk: Job(connections[workspace_id], stream_id or "", hls_url, bool(is_old))
        for pk, workspace_id, stream_id, hls_url, is_old in columns
        if workspace_id in connections
    }


def read(claim: Claim, job: Job) -> Reading:
    priority = Priority.WATCHED if claim.watched else Priority.BACKGROUND
    try:
        stream = job.connection.client(priority=priority).read_stream(job.stream_id)
    except heygen.ApiError as error:
        return failed(error)
    digest = digest_of(stream.raw)
    pace = PACES[group_of(stream.status)]
    fresh_address = stream.hls_url is not None and job.address_is_old and stream.hls_url != job.hls_url
    if digest == claim.digest and not fresh_address:
        return Unchanged(group=pace)
    return Changed(digest=digest, group=pace, value=stream)


def gather(changes: Sequence[Change]) -> Mapping[UUID, Stream]:
    return Stream.objects.in_bulk([change.claim.object_id for change in changes])


def merge(change: Change, stored: Stream | None) -> dict[str, Any] | None:
    """The columns that HeyGen's answer sets; None when the stream is not ours any more.

    What it leaves out (the address and the reasons come only with their status) keeps the value that it had.
    """
    if stored is None:
        return None
    remote: heygen.RemoteStream = change.value
    columns: dict[str, Any] = {"status": remote.raw_status[:64], "group": group_of(remote.status)}
    if remote.hls_url:
        columns["hls_url"] = remote.hls_url
    if remote.end_reason:
        columns["end_reason"] = remote.end_reason[:64]
    if remote.error_message:
        columns["error_message"] = remote.error_message
    return columns


def write(plans: Sequence[tuple[Change, dict[str, Any] | None]]) -> Sequence[Announcement]:
    now = clock.now()
    work = [(change, columns) for change, columns in plans if columns is not None]
    ids = [change.claim.object_id for change, _ in work]
    Stream.objects.filter(pk__in=ids).update(version=F("version") + 1)
    streams = Stream.objects.in_bulk(ids)
    events: list[NewEvent] = []
    for change, columns in work:
        stream = streams.get(change.claim.object_id)
        if stream is None:
            continue
        if columns["status"] != stream.status:
            data = {"from": stream.status, "to": columns["status"]}
            events.append(NewEvent(stream.workspace_id, KIND, stream.pk, "stream.status", Source.POLL, data))
        for name, value in columns.items():
            setattr(stream, name, value)
        _stamp(stream, columns, now)
        _follow_words(change.claim, stream)
    Stream.objects.bulk_update(
        streams.values(),
        [
            "status", "group", "hls_url", "hls_read_at", "end_reason", "error_message",
            "started_at", "ended_at", "gone_at",
        ],
    )  # fmt: skip
    record(events)
    wire.keep_polls("read stream", [(change, change.value.raw) for change, _ in work])
    return [Announcement(stream.workspace_id, KIND, stream.pk, stream.version) for stream in streams.values()]


def _stamp(stream: Stream, columns: Mapping[str, Any], now: datetime) -> None:
    """The times that HeyGen does not tell: when each state was first seen."""
    stream.gone_at = None
    if "hls_url" in columns:
        stream.hls_read_at = now
    if stream.group == StreamGroup.STREAMING:
        stream.started_at = stream.started_at or now
    stream.ended_at = (stream.ended_at or now) if stream.ended else None


def _follow_words(claim: Claim, stream: Stream) -> None:
    """From the first word on, and once more at the end: an ended stream's words are served from a stored copy."""
    if stream.started_at is None and not stream.ended:
        return
    schedule.enroll(words.KIND, [stream.pk], workspace_id=stream.workspace_id, fingerprint=claim.fingerprint)
    if stream.ended and not stream.words_ended:
        schedule.wake(words.KIND, [stream.pk])


def on_failures(failures: Sequence[tuple[Claim, Failed, int]]) -> None:
    """A third 404 in a row: HeyGen has no such stream any more. What we have stays. Told once."""
    denied = [
        claim.object_id
        for claim, failure, count in failures
        if failure.missing and count >= cadences.GONE_AFTER
    ]
    gone = list(Stream.objects.filter(pk__in=denied, gone_at=None).values_list("pk", flat=True))
    if not gone:
        return
    Stream.objects.filter(pk__in=gone).update(gone_at=Now(), version=F("version") + 1)
    schedule.retire(words.KIND, gone)
    streams = Stream.objects.in_bulk(gone).values()
    record([NewEvent(each.workspace_id, KIND, each.pk, "stream.gone", Source.POLL) for each in streams])
    announce(Announcement(each.workspace_id, KIND, each.pk, each.version) for each in streams)


STREAM = Kind(
    name=KIND,
    load=load,
    read=read,
    gather=gather,
    merge=merge,
    write=write,
    failed=on_failures,
    cadence=cadence,
)
