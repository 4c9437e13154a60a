"""What the engine must know of a kind of object to keep it fresh. Apps register theirs in `AppConfig.ready()`.

due row -> Claim -> load -> read -> Unchanged                         -> its schedule
                                 -> Changed  -> gather -> merge -> write -> its rows, events, announcements
                                 -> Failed   -> failed                -> its schedule, its health line
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from polling import cadence as cadences
from polling.cadence import Pace
from polling.changes import Announcement

__all__ = [
    "Announcement",
    "Change",
    "Changed",
    "Claim",
    "Failed",
    "Kind",
    "Pace",
    "Reading",
    "Unchanged",
    "kinds_of",
    "lanes",
    "named",
    "register",
]


@dataclass(frozen=True, slots=True)
class Claim:
    """A due object that one drain has leased. Times are aware; `watched` means that a page about it is open."""

    pk: int
    kind: str
    object_id: UUID
    workspace_id: UUID
    fingerprint: str
    sequence: int
    lease_token: UUID
    digest: str
    group: str
    failures: int
    polled_at: datetime | None
    changed_at: datetime | None
    watched: bool
    missing: int = 0
    # Seconds from the last change (or wake) to the claim, by the database's clock.
    age: float = 0.0
    # No answer came since somebody last expected news.
    woken: bool = False


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The answer says what the last one said. `group` moves the cadence all the same; "" keeps it.

    `within` bounds the time to the next poll, in seconds.
    """

    group: str = ""
    within: float | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """The answer says something new: `value` goes to `merge`, `digest` and `group` to the schedule."""

    digest: str
    group: str
    value: Any
    within: float | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """No usable answer. `reason` is a short code, `message` what an operator reads.

    `held` means that the call was not made (budget, closed key): it counts as no failure. `missing` means that the
    remote side says there is no such object. `closes_key` is the reason for which the whole key rests: for
    `retry_after` seconds, or until a person acts when that is None.
    """

    reason: str
    message: str
    retry_after: float | None = None
    closes_key: str = ""
    missing: bool = False


Reading = Unchanged | Changed | Failed


@dataclass(frozen=True, slots=True)
class Change:
    """A changed answer on its way into the database."""

    claim: Claim
    job: Any
    value: Any
    digest: str
    group: str


@dataclass(frozen=True, slots=True)
class Kind:
    """Plain functions about one kind of object; each says in which of the engine's places it runs.

    load    database; one or few queries for the whole batch. An object that is absent from the answer is retired.
    read    network only, in a reader thread; never the database. Compares with `claim.digest` itself.
    gather  database, few queries, before the transaction: what `merge` needs of the changed objects.
    merge   pure: a change and what is stored of it (None when `gather` had nothing) to a plan.
    write   database, in the transaction that moved the fence: stores the plans in set SQL.
    failed  database, after the schedule was written; the number is how often in a row: 404s for a missing object,
            failures for any other.
    stuck   database, after the schedule was written, again and again: objects that should be working and have brought
            nothing new for `cadence.STUCK_AFTER` seconds. May be told of one twice.
    cadence pure: seconds to the next poll, None for never.

    `deadline` bounds one read, in seconds: what takes longer is given up on, and its answer is dropped.
    """

    name: str
    load: Callable[[Sequence[Claim]], Mapping[UUID, Any]]
    read: Callable[[Claim, Any], Reading]
    gather: Callable[[Sequence[Change]], Mapping[UUID, Any]]
    merge: Callable[[Change, Any], Any]
    write: Callable[[Sequence[tuple[Change, Any]]], Sequence[Announcement]]
    failed: Callable[[Sequence[tuple[Claim, Failed, int]]], None] | None = None
    stuck: Callable[[Sequence[Claim]], None] | None = None
    cadence: Callable[[Pace], float | None] = cadences.standard
    lane: str = "polls"
    deadline: float = 75.0


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Makes a kind known to this process; the last registration of a name counts."""
    _kinds[kind.name] = kind


def named(name: str) -> Kind:
    """Raises KeyError for a kind that no app registered."""
    return _kinds[name]


def kinds_of(lane: str) -> list[Kind]:
    return [kind for kind in _kinds.values() if kind.lane == lane]


def lanes() -> list[str]:
    """The lanes that registered kinds use, sorted."""
    return sorted({kind.lane for kind in _kinds.values()})


def lane_of(name: str) -> str:
    """Where objects of a kind queue; also for one that this process does not know (yet)."""
    kind = _kinds.get(name)
    return kind.lane if kind else "polls"
