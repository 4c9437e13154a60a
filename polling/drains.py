"""One drain: claims what is due, has it read, and writes in waves what came back, until nothing comes due or its time is over.

    claim ---> load ---> readers (threads) ---> results ---> wave ---> one write
      ^                      |                    |
      |                      +--- held a moment <-+     (the budget said "in 0.2 s")
      +--- whenever the readers have room

A slow read keeps its own thread and its own lease, and nothing else waits for it. Between two polls a drain waits for the
next one, up to a second: else each would wait for the next tick, and all of a second would come in one crowd.
"""

from __future__ import annotations

import heapq
import logging
import math
import queue
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.db import close_old_connections

from polling import budget, claims, heartbeats, hints, kinds, readers, schedule
from polling.conf import figure
from polling.kinds import Claim, Failed, Kind, Reading
from polling.writing import Read, Writer, twice

logger = logging.getLogger(__name__)

# A drain claims for so long, then hands over to the next one and only finishes what it began.
CLAIMING_SECONDS = 20.0
# Which keys have something due is looked up so often; a claim asks for what their budgets allow in the meantime. What comes
# due waits half of it on average, and is then read in one go.
KEYS_SECONDS = 0.1
# A pause is at least so long.
LEAST_SECONDS = 0.01
# A pause when nothing may be claimed although something is due.
PAUSE_SECONDS = 0.25
HEADROOM_SECONDS = 0.5
# A wave is written when it has so many readings, or its first has waited so long for company.
WAVE = 100
WAVE_SECONDS = 0.05
# Meanwhile it is looked so often whether they are all there.
COMPANY_SECONDS = 0.01
# A read that the budget held up is tried again within the drain, if that is soon.
PATIENCE_SECONDS = 3.0


@dataclass(slots=True, eq=False)
class _Flight:
    """A claimed object between its claim and its write."""

    claim: Claim
    kind: Kind
    job: Any
    # Monotonic; None until a thread takes it on.
    begun: float | None = None
    # Given up on: the answer, should there ever be one, is dropped.
    abandoned: bool = False


def drain(lane: str, *, claiming_seconds: float = CLAIMING_SECONDS, ahead: float = 0.0) -> int:
    """Drains a lane in this thread; returns how many objects it read. Ends at once when this process is at it already.

    It stays for what comes due within `ahead` seconds. While there is more to do when its time is over, it hints the next
    drain.
    """
    lane_readers = readers.of(lane)
    lane_readers.called.set()
    if not lane_readers.claiming.acquire(blocking=False):
        return 0
    close_old_connections()
    try:
        return Drain(lane, lane_readers, claiming_seconds, ahead).run()
    finally:
        close_old_connections()


def end() -> None:
    """This process stops: its drains claim nothing more, and end when what they claimed is written."""
    _ending.set()
    readers.call()


@dataclass(slots=True)
class Drain:
    """The state of one drain; `run` is called once, with the readers' `claiming` lock held, and gives it back."""

    lane: str
    readers: readers.Readers
    claiming_seconds: float = CLAIMING_SECONDS
    ahead: float = 0.0
    token: UUID = field(default_factory=uuid4)
    _flights: dict[int, _Flight] = field(default_factory=dict)
    # Counted by the readers, but not in flight yet.
    _unstarted: dict[int, Claim] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _results: queue.SimpleQueue[tuple[_Flight, Reading]] = field(default_factory=queue.SimpleQueue)
    # (monotonic time, tie-break, flight), soonest first.
    _held: list[tuple[float, int, _Flight]] = field(default_factory=list)
    _held_by_key: Counter[str] = field(default_factory=Counter)
    _quotas: dict[str, int] = field(default_factory=dict)
    # Something is due that was not claimed, as far as we looked.
    _more: bool = False
    # The lane has one key: it may use every thread.
    _alone: bool = False
    _keys_at: float = -math.inf
    # When something is due next, as far as we looked.
    _due_at: float = math.inf
    _claimed_at: float = -math.inf
    _written_at: float = -math.inf
    _renewed_at: float = 0.0
    _read: int = 0
    _ordinal: int = 0

    def run(self) -> int:
        stop_at = time.monotonic() + self.claiming_seconds
        self._renewed_at = time.monotonic()
        writer = Writer(self.token, self._renew)
        claiming = True
        try:
            while claiming or self._flights:
                if claiming:
                    self.readers.called.clear()
                    claimed = self._claim()
                    over = time.monotonic() >= stop_at or _ending.is_set()
                    claiming = not over and bool(claimed or self._flights or self._comes_more())
                    if not claiming:
                        self.readers.claiming.release()
                    if over and claimed:
                        hints.drain(self.lane)
                    if claiming and not claimed and not self._flights:
                        self._rest()
                wave = self._wave()
                if wave:
                    writer.write(wave)
                    self._written_at = time.monotonic()
                    self._note(wave)
                self._renew()
        except BaseException:
            if claiming:
                self.readers.claiming.release()
            raise
        finally:
            self._abandon()
        return self._read

    # --- claiming

    def _claim(self) -> int:
        """Claims what there is room and budget for, and hands it to the readers. Returns how many."""
        room = self.readers.room
        # By the handful: a claim costs the same for one row as for fifty.
        handful = self.readers.capacity // 4 if self._flights else 1
        if not room or (room < handful and time.monotonic() - self._claimed_at < KEYS_SECONDS):
            return 0
        self._claimed_at = time.monotonic()
        self._look_at_keys()
        shares = self.readers.shares(self._quotas, alone=self._alone)
        limit = min(claims.BATCH, room)
        found = twice(lambda: claims.claim(self.lane, shares, token=self.token, limit=limit))
        for claim in found:
            self._quotas[claim.fingerprint] -= 1
        if len(found) < min(limit, sum(shares.values())):
            # That was all; no claim until the keys are looked at again.
            self._quotas = {}
            self._more = False
        self._start(found)
        return len(found)

    def _comes_more(self) -> bool:
        """Nothing is under way: whether something is due all the same, will be soon, or somebody called."""
        if self.ahead and not self._more and self._keys_at <= self._written_at:
            self._keys_at = -math.inf
            self._look_at_keys()
        soon = self._due_at - time.monotonic() <= self.ahead
        return self._more or soon or self.readers.called.is_set()

    def _rest(self) -> None:
        """Until something is due, or somebody calls; a moment where more is due than may be claimed now."""
        if not self._more:
            left = self._due_at - time.monotonic()
        else:
            # Due since we claimed, or no thread is free for it; without a quota the budget is used up.
            left = KEYS_SECONDS if any(quota > 0 for quota in self._quotas.values()) else PAUSE_SECONDS
        # At least a little: what is due and cannot be claimed is held by somebody's transaction.
        self.readers.called.wait(max(LEAST_SECONDS, left))
        self._keys_at = -math.inf

    def _look_at_keys(self) -> None:
        now = time.monotonic()
        if now - self._keys_at < KEYS_SECONDS:
            return
        self._keys_at = now
        known = twice(lambda: claims.open_keys(self.lane))
        self._due_at = now + min(known.values(), default=math.inf)
        keys = [key for key, seconds in known.items() if not seconds]
        self._alone = len(known) == 1
        headroom = budget.headroom(keys, seconds=HEADROOM_SECONDS)
        # What needs no key is only bounded by the readers; what is held up already uses the budget to come.
        self._quotas = {
            key: headroom[key] - self._held_by_key[key] if key else self.readers.capacity for key in keys
        }
        self._more = bool(keys)

    def _start(self, found: Sequence[Claim]) -> None:
        by_kind: dict[str, list[Claim]] = defaultdict(list)
        for claim in found:
            by_kind[claim.kind].append(claim)
        for name, batch in by_kind.items():
            self.readers.hold(claim.fingerprint for claim in batch)
            self._unstarted.update((claim.pk, claim) for claim in batch)
            try:
                kind = kinds.named(name)
            except KeyError:
                self._not_started(
                    batch, Failed("unknown_kind", f"no app of this process registered {name!r}")
                )
                continue
            for claim, job in self._loaded(kind, batch):
                self._submit(_Flight(claim, kind, job))

    def _loaded(self, kind: Kind, batch: Sequence[Claim]) -> list[tuple[Claim, Any]]:
        """Jobs for the claims of one kind; those without one are retired, those that break the load fail alone."""
        try:
            jobs: Mapping[UUID, Any] = twice(lambda: kind.load(batch))
        except Exception as exc:
            if len(batch) == 1:
                logger.exception("%s %s cannot be loaded", kind.name, batch[0].object_id)
                self._not_started(batch, Failed("not_loaded", f"{type(exc).__name__}: {exc}"))
                return []
            return [pair for claim in batch for pair in self._loaded(kind, [claim])]
        self._not_started([claim for claim in batch if claim.object_id not in jobs], None)
        return [(claim, jobs[claim.object_id]) for claim in batch if claim.object_id in jobs]

    def _not_started(self, batch: Sequence[Claim], reading: Failed | None) -> None:
        """Writes claims off that will not be read. `reading` None: they are no more."""
        if not batch:
            return
        Writer(self.token).write([Read(claim, None, reading) for claim in batch])
        for claim in batch:
            del self._unstarted[claim.pk]
            self.readers.release(claim.fingerprint)

    # --- reading

    def _submit(self, flight: _Flight) -> None:
        self._flights[flight.claim.pk] = flight
        self._unstarted.pop(flight.claim.pk, None)
        self.readers.submit(lambda: self._in_thread(flight))

    def _in_thread(self, flight: _Flight) -> None:
        """Runs in a reader. Whatever happens, one result arrives."""
        if flight.abandoned:
            self.readers.release(flight.claim.fingerprint)
            return
        flight.begun = time.monotonic()
        try:
            reading = flight.kind.read(flight.claim, flight.job)
        except budget.Closed as closed:
            reading = Failed("held", str(closed), retry_after=closed.retry_after)
        except Exception as exc:
            logger.exception("reading %s %s", flight.kind.name, flight.claim.object_id)
            reading = Failed("broken", f"{type(exc).__name__}: {exc}")
        with self._lock:
            if not flight.abandoned:
                self._results.put((flight, reading))
                return
        self.readers.release(flight.claim.fingerprint)

    def _wave(self) -> list[Read]:
        """Readings that are ready to be written; waits for the first a little, and for its company less."""
        wave: list[Read] = []
        deadline = time.monotonic() + self._patience()
        while len(wave) < WAVE and self._flights:
            left = deadline - time.monotonic()
            try:
                # Only the first wakes us: each that did would have to wait for the interpreter, and the readers for us.
                waits = left > 0 and not wave
                flight, reading = self._results.get(timeout=left) if waits else self._results.get_nowait()
            except queue.Empty:
                if waits or left <= 0:
                    break
                time.sleep(min(left, COMPANY_SECONDS))
                continue
            if self._flights.get(flight.claim.pk) is not flight:
                self.readers.release(flight.claim.fingerprint)
                continue
            if self._hold_up(flight, reading):
                continue
            if not wave:
                deadline = time.monotonic() + WAVE_SECONDS
            del self._flights[flight.claim.pk]
            self.readers.release(flight.claim.fingerprint)
            wave.append(Read(flight.claim, flight.job, reading))
        self._try_held_again()
        wave += self._give_up_on_slow()
        return wave

    def _patience(self) -> float:
        """Seconds that may pass until something else than a result needs attention."""
        pause = KEYS_SECONDS
        if self._held:
            pause = min(pause, max(0.0, self._held[0][0] - time.monotonic()))
        return pause

    def _hold_up(self, flight: _Flight, reading: Reading) -> bool:
        """Keeps a read for later whose request was not admitted yet; those of one key queue up behind each other."""
        if not isinstance(reading, Failed) or reading.reason != "held" or reading.retry_after is None:
            return False
        key = flight.claim.fingerprint
        pause = reading.retry_after + self._held_by_key[key] / figure("POLL_REQUESTS_PER_SECOND")
        if pause > PATIENCE_SECONDS:
            return False
        self._ordinal += 1
        self._held_by_key[key] += 1
        flight.begun = None
        heapq.heappush(self._held, (time.monotonic() + pause, self._ordinal, flight))
        return True

    def _try_held_again(self) -> None:
        while self._held and self._held[0][0] <= time.monotonic():
            _, _, flight = heapq.heappop(self._held)
            self._held_by_key[flight.claim.fingerprint] -= 1
            self._submit(flight)

    def _give_up_on_slow(self) -> list[Read]:
        """Fails reads that are past their deadline. Their threads are theirs until they end."""
        now = time.monotonic()
        late = [
            flight
            for flight in self._flights.values()
            if flight.begun is not None and now - flight.begun > flight.kind.deadline
        ]
        with self._lock:
            for flight in late:
                flight.abandoned = True
                del self._flights[flight.claim.pk]
        return [
            Read(flight.claim, flight.job, Failed("deadline", f"no answer within {flight.kind.deadline:g} s"))
            for flight in late
        ]

    # --- keeping house

    def _renew(self) -> None:
        """Every two seconds: keeps the leases of what is under way."""
        now = time.monotonic()
        if now - self._renewed_at < claims.RENEW_SECONDS:
            return
        self._renewed_at = now
        twice(lambda: claims.renew(self.token, list(self._flights)))

    def _note(self, wave: Sequence[Read]) -> None:
        """Counts, and says as a row that this lane gets on and what each key saw of the other side."""
        self._read += len(wave)
        _signs.write(heartbeats.PROGRESS + self.lane)
        back, seen = set(), set()
        for read in wave:
            key, reading = read.claim.fingerprint, read.reading
            if not key or reading is None:
                continue
            if not isinstance(reading, Failed) or reading.missing:
                seen.add(key)
                if _remotes.answered(key):
                    back.add(key)
            elif reading.reason in schedule.AWAY:
                seen.add(key)
                _remotes.silent(key, read.claim.object_id, reading.reason)
        _remotes.write(seen)
        for key in sorted(back):
            twice(lambda key=key: schedule.recover(key))  # type: ignore[misc]
            self._keys_at = -math.inf

    def _abandon(self) -> None:
        """At the end, in order or by an error: leases end by themselves, threads find that nobody waits for them."""
        with self._lock:
            for flight in self._flights.values():
                flight.abandoned = True
        # What no thread will release: waiting for the budget, never begun, or already answered.
        left = [flight.claim for _, _, flight in self._held] + list(self._unstarted.values())
        while not self._results.empty():
            left.append(self._results.get_nowait()[0].claim)
        for claim in left:
            self.readers.release(claim.fingerprint)


_ending = threading.Event()
_signs = heartbeats.Sometimes()
_remotes = heartbeats.Remotes()
