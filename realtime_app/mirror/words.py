"""Collects the words of a stream as they are spoken.

HeyGen sends them over a subscription that begins with the whole history each time. One poll is a subscription of a few
seconds: it replays what is known, follows what is being said, and ends. So a worker that dies loses nothing, and rows
are found again by their index. In a lane of its own: a subscription keeps a reader thread busy for its whole length.

Source: GET /v3/avatar-realtime/{stream_id}/words, heygen-api.md section 9.5.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F

import heygen
from polling.budget import Priority
from polling.changes import Announcement
from polling.digests import digest_of
from polling.kinds import Change, Changed, Claim, Kind, Pace, Reading, Unchanged
from realtime_app.mirror.trouble import pause_after_trouble
from realtime_app.models import Stream, Word
from workspaces_app.connections import Connection, connections_for
from workspaces_app.readings import failed

KIND = "words"
LANE = "words"

# Seconds that one poll listens.
LISTEN = 3.0
# Seconds between two polls: a page is open, nobody looks.
WATCHED, UNWATCHED = 0.5, 15.0
# The stream has ended, but its words have not: how often, and for how long, it is asked for the rest.
LAST_WORDS, LAST_WORDS_FOR = 5.0, 120.0

# The engine's words for: more may come; the stream ended and the rest is being fetched; all were fetched.
SPEAKING, CLOSING, SPOKEN = "working", "generating", "done"

Row = tuple[str, float, float]


@dataclass(frozen=True, slots=True)
class Job:
    connection: Connection
    stream_id: str
    stream_ended: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """What one subscription brought, from the first word on. `ended`: HeyGen said that there will be no more."""

    words: tuple[Row, ...]
    ended: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Words to write by their index. None of those that are stored is ever removed."""

    rows: Mapping[int, Row]
    ended: bool


def cadence(pace: Pace) -> float | None:
    if pace.missing or pace.failures:
        return pause_after_trouble(pace)
    match pace.group:
        case "done":
            return None
        case "generating":
            return LAST_WORDS if pace.since_change < LAST_WORDS_FOR else None
        case _:
            return WATCHED if pace.watched else UNWATCHED


def load(claims: Sequence[Claim]) -> Mapping[UUID, Job]:
    connections = connections_for({claim.workspace_id for claim in claims})
    streams = Stream.objects.filter(
        pk__in=[claim.object_id for claim in claims], stream_id__isnull=False, words_ended=False
    )
    return {
        stream.pk: Job(connections[stream.workspace_id], stream.stream_id or "", stream.ended)
        for stream in streams
        if stream.workspace_id in connections
    }


def read(claim: Claim, job: Job) -> Reading:
    priority = Priority.WATCHED if claim.watched else Priority.BACKGROUND
    found: list[Row] = []
    ended = False
    try:
        client = job.connection.client(priority=priority)
        with client.words(job.stream_id, max_seconds=LISTEN, idle_seconds=LISTEN) as subscription:
            for item in subscription:
                if isinstance(item, heygen.EndOfWords):
                    ended = True
                else:
                    found += [(word.word[:255], word.start, word.end) for word in item.words]
    except heygen.ApiError as error:
        if not found:
            return failed(error)
        # What came before the break counts; the next subscription replays all of it.
    group = SPOKEN if ended else CLOSING if job.stream_ended else SPEAKING
    digest = digest_of([found, ended])
    if digest == claim.digest:
        return Unchanged(group=group)
    return Changed(digest=digest, group=group, value=Heard(tuple(found), ended))


def gather(changes: Sequence[Change]) -> Mapping[UUID, Mapping[int, Row]]:
    stored: dict[UUID, dict[int, Row]] = defaultdict(dict)
    for word in Word.objects.filter(stream__in=[change.claim.object_id for change in changes]):
        stored[word.stream_id][word.index] = (word.word, word.start, word.end)
    return stored


def merge(change: Change, stored: Mapping[int, Row] | None) -> Plan:
    heard: Heard = change.value
    known = stored or {}
    fresh = {index: row for index, row in enumerate(heard.words) if known.get(index) != row}
    return Plan(fresh, heard.ended)


def write(plans: Sequence[tuple[Change, Plan]]) -> Sequence[Announcement]:
    news = {change.claim.object_id: plan for change, plan in plans if plan.rows or plan.ended}
    Stream.objects.filter(pk__in=news).update(version=F("version") + 1)
    Stream.objects.filter(pk__in=[pk for pk, plan in news.items() if plan.ended]).update(words_ended=True)
    streams = Stream.objects.in_bulk(list(news))
    Word.objects.bulk_create(
        [
            Word(stream=stream, index=index, word=word, start=start, end=end, version=stream.version)
            for stream in streams.values()
            for index, (word, start, end) in sorted(news[stream.pk].rows.items())
        ],
        update_conflicts=True,
        unique_fields=["stream", "index"],
        update_fields=["word", "start", "end", "version"],
    )
    return [
        Announcement(stream.workspace_id, "stream", stream.pk, stream.version) for stream in streams.values()
    ]


WORDS = Kind(
    name=KIND,
    lane=LANE,
    load=load,
    read=read,
    gather=gather,
    merge=merge,
    write=write,
    cadence=cadence,
    deadline=15.0,
)
