"""From readings to rows: schedules in one statement for all, news in short transactions behind the fence.

fence    the schedule's UPDATE names lease and sequence, and returns the rows that were still ours
write    only those rows' plans are stored, in the same transaction
alone    if a set fails, each is tried by itself, and the one that cannot be stored is a failure of its own
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction

from polling import cadence, changes, claims, keys, kinds
from polling.kinds import Announcement, Change, Changed, Claim, Failed, Kind, Reading, Unchanged
from polling.outcomes import outcome_of, retired
from polling.turns import Turns

logger = logging.getLogger(__name__)
T = TypeVar("T")

# A transaction longer than this holds up those who write beside us: so many objects make a set as fit into it. On SQLite
# that is everybody, on PostgreSQL whoever wants one of the same rows.
TRANSACTION_SECONDS = {"sqlite": 0.030, "postgresql": 0.050}
# Of a kind that this process has not written yet.
FIRST_SET = 8


@dataclass(frozen=True, slots=True)
class Read:
    """A finished read. `reading` None: the object is no more."""

    claim: Claim
    job: Any
    reading: Reading | None


# A read, the change in it, and what its kind wants to write of that.
Planned = tuple[Read, Change, Any]


def twice(work: Callable[[], T]) -> T:
    """Repeats work once on a new connection when the old one turned out to be dead, or the database was busy."""
    try:
        return work()
    except (OperationalError, InterfaceError) as exc:
        if connection.in_atomic_block:
            raise
        logger.warning("the database did not take it, once more: %s", exc)
        connection.close()
        return work()


# How many objects of a kind fitted into a transaction, as this process saw it last.
_fitting: dict[str, int] = {}


class Writer:
    """Writes what one drain has read. `breathe` is called between transactions: it renews leases."""

    def __init__(self, token: UUID, breathe: Callable[[], None] = lambda: None) -> None:
        self._token = token
        self._breathe = breathe
        self._turns = Turns()

    def write(self, reads: Sequence[Read]) -> None:
        """Stores a wave of readings. What the database refuses twice is left to the end of its lease."""
        plain = [read for read in reads if not isinstance(read.reading, Changed)]
        changed: dict[str, list[Read]] = defaultdict(list)
        for read in reads:
            if isinstance(read.reading, Changed):
                changed[read.claim.kind].append(read)
        for name, news in changed.items():
            self._write_news(kinds.named(name), news)
        self._write_schedules(plain)

    def _write_schedules(self, reads: Sequence[Read]) -> None:
        """One statement for all that brought no news, and what kinds do about failures.

        In one transaction: a process that dies in between has done neither, and the next poll does both.
        """
        if not reads:
            return
        outcomes = [
            retired(read.claim)
            if read.reading is None
            else outcome_of(_kind(read.claim), read.claim, read.reading)
            for read in reads
        ]
        for read in reads:
            if isinstance(read.reading, Failed) and read.reading.closes_key and read.claim.fingerprint:
                _close_key(read.claim, read.reading)
        twice(lambda: self._finish(reads, outcomes))
        self._turns.pause()

    def _finish(self, reads: Sequence[Read], outcomes: Sequence[claims.Outcome]) -> None:
        failures: dict[str, list[tuple[Claim, Failed, int]]] = defaultdict(list)
        stuck: dict[str, list[Claim]] = defaultdict(list)
        with transaction.atomic():
            ours = claims.finish(self._token, outcomes)
            for read, outcome in zip(reads, outcomes, strict=True):
                if outcome.pk not in ours:
                    continue
                claim, reading = read.claim, read.reading
                if isinstance(reading, Failed):
                    if outcome.failures > claim.failures:
                        count = outcome.missing if reading.missing else outcome.failures
                        failures[claim.kind].append((claim, reading, count))
                elif reading is not None and outcome.group == "working" and claim.age >= cadence.STUCK_AFTER:
                    stuck[claim.kind].append(claim)
            for name, failed in failures.items():
                _tell_failed(name, failed)
            for name, found in stuck.items():
                _tell_stuck(name, found)

    def _write_news(self, kind: Kind, reads: Sequence[Read]) -> None:
        planned = self._planned(kind, reads)
        while planned:
            size = _fitting.get(kind.name, FIRST_SET)
            batch, planned = planned[:size], planned[size:]
            self._write_set(kind, batch)
            self._turns.pause()
            self._breathe()

    def _planned(self, kind: Kind, reads: Sequence[Read]) -> list[Planned]:
        """The plans of a whole wave: what the fence lets through is as true in the last set as in the first."""
        try:
            return _plans(kind, reads)
        except (OperationalError, InterfaceError):
            raise
        except Exception as exc:
            if len(reads) == 1:
                self._not_stored(kind, reads[0], exc)
                return []
            logger.warning("a wave of %d x %s failed, each is tried alone: %r", len(reads), kind.name, exc)
            return [planned for read in reads for planned in self._planned(kind, [read])]

    def _write_set(self, kind: Kind, planned: Sequence[Planned]) -> None:
        try:
            seconds = twice(lambda: self._commit(kind, planned))
        except (OperationalError, InterfaceError):
            raise
        except Exception as exc:
            if len(planned) == 1:
                self._not_stored(kind, planned[0][0], exc)
                return
            logger.warning("a set of %d x %s failed, each is tried alone: %r", len(planned), kind.name, exc)
            for each in planned:
                self._write_set(kind, [each])
            return
        fitting = int(len(planned) * TRANSACTION_SECONDS[connection.vendor] / max(seconds, 1e-6))
        if fitting < len(planned):
            _fitting[kind.name] = max(1, fitting)
        elif len(planned) == _fitting.get(kind.name, FIRST_SET):
            # A session with a long conversation may come next: no more than twice as many.
            _fitting[kind.name] = min(fitting, 2 * len(planned), claims.BATCH)

    def _not_stored(self, kind: Kind, read: Read, exc: Exception) -> None:
        logger.error("%s %s cannot be stored", kind.name, read.claim.object_id, exc_info=exc)
        failed = Failed(reason="not_stored", message=f"{type(exc).__name__}: {exc}")
        self._write_schedules([Read(read.claim, read.job, failed)])

    def _commit(self, kind: Kind, plans: Sequence[Planned]) -> float:
        """Seconds that the transaction took, without waiting for its begin."""
        outcomes = [outcome_of(kind, read.claim, _reading(read)) for read, _, _ in plans]
        with transaction.atomic():
            begun = time.monotonic()
            ours = claims.finish(self._token, outcomes)
            mine = [(change, plan) for _, change, plan in plans if change.claim.pk in ours]
            announcements: Sequence[Announcement] = kind.write(mine) if mine else ()
            changes.announce(announcements)
        for change, _ in mine:
            logger.info("%s %s changed (poll %d)", kind.name, change.claim.object_id, change.claim.sequence)
        return time.monotonic() - begun


def _reading(read: Read) -> Reading:
    assert read.reading is not None  # noqa: S101
    return read.reading


def _kind(claim: Claim) -> Kind | None:
    try:
        return kinds.named(claim.kind)
    except KeyError:
        return None


def _plans(kind: Kind, reads: Sequence[Read]) -> list[Planned]:
    """Gathers and merges: what is to be written, before a transaction is open."""
    found = []
    for read in reads:
        reading = read.reading
        if isinstance(reading, Changed):
            group = reading.group or read.claim.group
            found.append((read, Change(read.claim, read.job, reading.value, reading.digest, group)))
    stored: Mapping[UUID, Any] = twice(lambda: kind.gather([change for _, change in found]))
    return [(read, change, kind.merge(change, stored.get(change.claim.object_id))) for read, change in found]


def _close_key(claim: Claim, failed: Failed) -> None:
    keys.close(claim.fingerprint, seconds=failed.retry_after, reason=failed.closes_key)


def _tell_failed(name: str, failures: Sequence[tuple[Claim, Failed, int]]) -> None:
    for claim, failed, count in failures:
        logger.info("%s %s: %s, %d in a row", name, claim.object_id, failed.reason, count)
    _tell(name, lambda kind: kind.failed and kind.failed(failures))


def _tell_stuck(name: str, claims: Sequence[Claim]) -> None:
    _tell(name, lambda kind: kind.stuck and kind.stuck(claims))


def _tell(name: str, hook: Callable[[Kind], object]) -> None:
    """Lets the kind do its part. What it cannot do is logged, and holds up no schedule."""
    try:
        with transaction.atomic():
            hook(kinds.named(name))
    except KeyError:
        logger.debug("no app of this process registered %s", name)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("what %s does about it failed", name)


__all__ = ["Read", "Unchanged", "Writer", "twice"]
