"""How the mirror is: its processes, its lanes, its keys, and what cannot be read. A fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Min, Q, Window
from django.db.models.functions import RowNumber

from ops.words import span
from polling import budget, heartbeats, kinds
from polling.conf import figure
from polling.models import Heartbeat, KeyState, PollState, Rank
from polling.schedule import NO_KEY
from workspaces_app.models import Workspace

# A wall shows what is worst; the admin shows all.
FAILURES = 8


@dataclass(frozen=True, slots=True)
class Process:
    """A process that gives signs of life. `name` is "beat", or host and process id of a worker."""

    name: str
    is_worker: bool
    seen_at: datetime
    alive: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """One queue of polls. `lag` is how many seconds its oldest due object of an open key has waited."""

    name: str
    due: int
    lag: float
    progress_at: datetime | None

    @property
    def lag_text(self) -> str:
        return span(self.lag)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of polled object. `scheduled` are those with a next poll; `oldest_read_at` is the oldest good answer
    among those where something is expected."""

    name: str
    scheduled: int
    due: int
    failing: int
    oldest_read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the API, by fingerprint. `level` is what its budget holds of `burst` now, None when nobody knows."""

    fingerprint: str
    workspaces: tuple[str, ...]
    due: int
    level: float | None
    burst: float
    closures: tuple[KeyState, ...]
    # The last time that HeyGen answered 429, which closes a key for a while.
    slowed_at: datetime | None
    unreachable: bool

    @property
    def used_percent(self) -> int | None:
        """How much of the burst is used up, 0 to 100."""
        if self.level is None:
            return None
        return round(100 * (1 - min(max(self.level, 0.0), self.burst) / self.burst))


@dataclass(frozen=True, slots=True)
class Failure:
    """Objects of one kind whose reads fail for one reason. `message` is what the latest of them said."""

    kind: str
    reason: str
    count: int
    message: str
    object_id: UUID


@dataclass(frozen=True, slots=True)
class Mirror:
    processes: Sequence[Process]
    ticked_at: datetime | None
    lanes: Sequence[Lane]
    kinds: Sequence[Kind]
    keys: Sequence[Key]
    failures: Sequence[Failure]

    @property
    def live_workers(self) -> int:
        return sum(process.alive and process.is_worker for process in self.processes)

    @property
    def beat_alive(self) -> bool:
        return any(process.alive and not process.is_worker for process in self.processes)

    @property
    def lag(self) -> float:
        """Seconds; of the lane that is furthest behind."""
        return max((lane.lag for lane in self.lanes), default=0.0)

    @property
    def lag_text(self) -> str:
        return span(self.lag)

    @property
    def due(self) -> int:
        return sum(lane.due for lane in self.lanes)


def look(now: datetime) -> Mirror:
    """Everything as of `now`, the database's clock. Five queries and one look into Redis, whatever the number of rows."""
    signs = list(Heartbeat.objects.order_by("name"))
    workspaces: dict[str, list[str]] = defaultdict(list)
    for name, fingerprint in Workspace.objects.values_list("name", "key_fingerprint"):
        workspaces[fingerprint].append(name)
    closed = list(KeyState.objects.order_by("fingerprint", "scope"))
    polls = _polls(now)
    keys = _keys(now, workspaces, closed, signs, polls)
    return Mirror(
        processes=_processes(now, signs),
        ticked_at=next((sign.seen_at for sign in signs if sign.name == heartbeats.TICK), None),
        lanes=_lanes(now, polls, keys, signs),
        kinds=_kinds(polls),
        keys=keys,
        failures=_failures(),
    )


@dataclass(slots=True)
class _Polls:
    """Figures of the schedule for one kind, lane and key."""

    kind: str
    lane: str
    fingerprint: str
    scheduled: int
    due: int
    failing: int
    oldest_due: datetime | None
    oldest_read_at: datetime | None


def _polls(now: datetime) -> list[_Polls]:
    due = Q(next_poll_at__lte=now)
    expected = Q(rank__in=(Rank.WATCHED, Rank.HOT))
    groups = (
        PollState.objects.filter(next_poll_at__isnull=False)
        .order_by("kind", "lane", "key_fingerprint")
        .values("kind", "lane", "key_fingerprint")
        .annotate(
            scheduled=Count("pk"),
            due=Count("pk", filter=due),
            failing=Count("pk", filter=Q(failures__gt=0)),
            oldest_due=Min("next_poll_at", filter=due),
            oldest_read_at=Min("polled_at", filter=expected),
        )
    )
    return [
        _Polls(
            group["kind"],
            group["lane"],
            group["key_fingerprint"],
            group["scheduled"],
            group["due"],
            group["failing"],
            group["oldest_due"],
            group["oldest_read_at"],
        )
        for group in groups
    ]


def _processes(now: datetime, signs: Iterable[Heartbeat]) -> list[Process]:
    found = []
    for sign in signs:
        is_worker = sign.name.startswith(heartbeats.WORKER)
        if is_worker or sign.name == heartbeats.BEAT:
            alive = (now - sign.seen_at).total_seconds() < heartbeats.GONE_SECONDS
            name = sign.name.removeprefix(heartbeats.WORKER)
            found.append(Process(name, is_worker, sign.seen_at, alive))
    return found


def _keys(
    now: datetime,
    workspaces: dict[str, list[str]],
    closed: Iterable[KeyState],
    signs: Iterable[Heartbeat],
    polls: Iterable[_Polls],
) -> list[Key]:
    fingerprints = sorted({*workspaces, *(row.fingerprint for row in closed)} - {""})
    levels = budget.levels(fingerprints)
    closures: dict[str, list[KeyState]] = defaultdict(list)
    slowed: dict[str, datetime] = {}
    for row in closed:
        if row.reason == "rate_limited":
            slowed[row.fingerprint] = row.since
        if row.remaining(now) != 0.0:
            closures[row.fingerprint].append(row)
    silent = {
        sign.name.removeprefix(heartbeats.REMOTE)
        for sign in signs
        if sign.name.startswith(heartbeats.REMOTE) and sign.data.get("reason")
    }
    due: dict[str, int] = defaultdict(int)
    for group in polls:
        due[group.fingerprint] += group.due
    return [
        Key(
            fingerprint=fingerprint,
            workspaces=tuple(sorted(workspaces.get(fingerprint, ()))),
            due=due[fingerprint],
            level=levels.get(fingerprint),
            burst=max(1.0, figure("POLL_BURST")),
            closures=tuple(closures[fingerprint]),
            slowed_at=slowed.get(fingerprint),
            unreachable=fingerprint in silent,
        )
        for fingerprint in fingerprints
    ]


def _lanes(
    now: datetime, polls: Sequence[_Polls], keys: Iterable[Key], signs: Iterable[Heartbeat]
) -> list[Lane]:
    """What waits for a closed or a missing key is not late: it isn't counted here."""
    resting = {key.fingerprint for key in keys for closure in key.closures if closure.scope == "all"}
    progress = {
        sign.name.removeprefix(heartbeats.PROGRESS): sign.seen_at
        for sign in signs
        if sign.name.startswith(heartbeats.PROGRESS)
    }
    found = []
    for name in sorted({*kinds.lanes(), *(group.lane for group in polls)}):
        mine = [
            group
            for group in polls
            if group.lane == name and group.fingerprint != NO_KEY and group.fingerprint not in resting
        ]
        oldest = min((group.oldest_due for group in mine if group.oldest_due is not None), default=None)
        found.append(
            Lane(
                name=name,
                due=sum(group.due for group in mine),
                lag=max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0,
                progress_at=progress.get(name),
            )
        )
    return found


def _kinds(polls: Sequence[_Polls]) -> list[Kind]:
    by_name: dict[str, list[_Polls]] = defaultdict(list)
    for group in polls:
        by_name[group.kind].append(group)
    return [
        Kind(
            name=name,
            scheduled=sum(group.scheduled for group in groups),
            due=sum(group.due for group in groups),
            failing=sum(group.failing for group in groups),
            oldest_read_at=min(
                (group.oldest_read_at for group in groups if group.oldest_read_at is not None), default=None
            ),
        )
        for name, groups in sorted(by_name.items())
    ]


def _failures() -> list[Failure]:
    """The most frequent first. The latest failure is told by the next try, which each failure puts further away."""
    same: list[Any] = [F("kind"), F("reason")]
    rows = (
        PollState.objects.filter(next_poll_at__isnull=False, failures__gt=0)
        .annotate(
            number=Window(Count("pk"), partition_by=same),
            place=Window(RowNumber(), partition_by=same, order_by=[F("next_poll_at").desc(), F("pk").desc()]),
        )
        .filter(place=1)
        .order_by("-number", "kind", "reason")
        .values_list("kind", "reason", "number", "message", "object_id")
    )
    return [Failure(*row) for row in rows[:FAILURES]]
