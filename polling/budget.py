"""The request budget of a key, shared by all processes: every attempt of a call asks here first.

GCRA ("leaky bucket as a meter") in one Lua script with Redis's clock: one number per key, the time at which the bucket
would be empty again. Lower priorities leave a part of the burst to higher ones, and have a small rate of their own, so
that none starves. The same script knows whether the key rests, so a closed key costs no second look.

    burst   |#########################|      COMMAND may take all of it
            |#####################....|      WATCHED leaves a fifth
            |################.........|      BACKGROUND leaves two fifths

A key that may make hundreds of requests a second has several admitted at once, for ten milliseconds: asking Redis costs a
fifth of a poll. At a hundred a second or less, each request asks by itself.

What Redis holds is a copy: a missing hash (first use, FLUSHALL) makes the next caller read `KeyState`, and the bucket
then starts almost empty, so that a wipe is no second burst. A copy that says "closed" is compared with the row, and what
Redis was not told because it was away for a moment, it is told later. Without Redis each process limits itself to its
share, the rate divided by the processes that live, and reads `KeyState` from the database.
"""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import redis
from django.db import Error, OperationalError
from django.db.models.functions import Now
from redis.commands.core import Script

from polling import connection
from polling.conf import figure
from polling.connection import RedisAway
from polling.models import KeyState


class Priority(enum.IntEnum):
    """Who goes first when the budget of a key is short."""

    COMMAND = 0
    WATCHED = 1
    BACKGROUND = 2


# The part of the burst that is left to higher priorities, and the part of the rate that is theirs in any case.
RESERVE = {Priority.COMMAND: 0.0, Priority.WATCHED: 0.2, Priority.BACKGROUND: 0.4}
FLOOR = {Priority.COMMAND: 1.0, Priority.WATCHED: 0.2, Priority.BACKGROUND: 0.1}
# So long before its use a request may be admitted, together with others.
AHEAD_SECONDS = 0.01
# An unused hash goes after a day; whoever needs it then reads the row again.
KEEP_SECONDS = 86_400
# How long a process believes a row that it read itself, while Redis is away.
BELIEVE_SECONDS = 1.0


class Closed(Exception):
    """The call must not be made now. `retry_after` in seconds; None: not before a person acts.

    `reason` is "budget", or why the key rests.
    """

    def __init__(self, reason: str, retry_after: float | None) -> None:
        super().__init__(
            f"{reason}: " + (f"{retry_after:.1f} s" if retry_after is not None else "a person must act")
        )
        self.reason = reason
        self.retry_after = retry_after


# Answers {0, how many, ""} admitted · {1, microseconds, reason} not now · {2, 0, reason} not before a person acts
# · {3, 0, ""} nothing is known of this key. Times are microseconds, kept as decimal text.
_ADMIT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local reserve, floor_interval = tonumber(ARGV[3]), tonumber(ARGV[4])
local class, paid = ARGV[5], ARGV[6] == '1'
local f = redis.call('HMGET', KEYS[1], 'tat', 'all', 'all_reason', 'paid', 'paid_reason', 'floor' .. class)
if not f[1] then return {3, 0, ''} end
for scope = 1, paid and 2 or 1 do
    local till = tonumber(f[scope * 2])
    if till == -1 then return {2, 0, f[scope * 2 + 1]} end
    if till and till > now then return {1, till - now, f[scope * 2 + 1]} end
end
local tat = math.max(tonumber(f[1]), now)
local level = burst - (tat - now) / interval
local floor = tonumber(f[6]) or 0
-- A hair of tolerance: the level is a quotient of large numbers.
local admitted = 1
if level - 1 >= reserve - 1e-6 then
    admitted = math.max(1, math.min(tonumber(ARGV[8]), math.floor(level - reserve)))
    redis.call('HSET', KEYS[1], 'tat', string.format('%.0f', tat + admitted * interval))
elseif level >= 1 - 1e-6 and floor <= now then
    redis.call('HSET', KEYS[1], 'tat', string.format('%.0f', tat + interval),
               'floor' .. class, string.format('%.0f', now + floor_interval))
else
    local wait = (reserve + 1 - level) * interval
    local floor_wait = math.max(floor - now, (1 - level) * interval)
    return {1, math.ceil(math.max(1, math.min(wait, floor_wait))), 'budget'}
end
redis.call('EXPIRE', KEYS[1], ARGV[7])
return {0, admitted, ''}
"""

# Puts what the row says beside the budget. A key that was unknown starts with one request in its bucket.
_LEARN = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if redis.call('HEXISTS', KEYS[1], 'tat') == 0 then
    redis.call('HSET', KEYS[1], 'tat', string.format('%.0f', now + (tonumber(ARGV[2]) - 1) * tonumber(ARGV[1])))
end
for i, scope in ipairs({'all', 'paid'}) do
    local left, reason = tonumber(ARGV[i * 2 + 1]), ARGV[i * 2 + 2]
    local till = left < 0 and '-1' or string.format('%.0f', left > 0 and now + left or 0)
    redis.call('HSET', KEYS[1], scope, till, scope .. '_reason', reason)
end
redis.call('EXPIRE', KEYS[1], ARGV[7])
"""


def admit(fingerprint: str, priority: Priority, *, paid: bool = False) -> None:
    """Takes one request from the budget of a key. Raises Closed when it must not be made now; never waits.

    `paid`: the call costs money, so a key without credit refuses it as well. "" needs no key and no budget.
    """
    if not fingerprint:
        return
    most = int(figure("POLL_REQUESTS_PER_SECOND") * AHEAD_SECONDS)
    if most > 1 and not paid and priority is not Priority.COMMAND:
        _ahead.take(fingerprint, priority, most)
    else:
        _admit(fingerprint, priority, paid=paid)


def _admit(fingerprint: str, priority: Priority, *, paid: bool = False, count: int = 1) -> int:
    """How many of `count` requests are admitted, at least one; or Closed."""
    try:
        outcome, number, reason = _ask(fingerprint, priority, paid, count)
        is_outdated = outcome == 3 or fingerprint in _untold
        if outcome in (1, 2) and reason != "budget":
            # Raises what the row says. If that is nothing, the key was opened without Redis.
            _local.check_key(fingerprint, paid)
            is_outdated = True
        if is_outdated:
            learn(fingerprint)
            outcome, number, reason = _ask(fingerprint, priority, paid, count)
        tell_again()
    except RedisAway:
        _local.admit(fingerprint, priority, paid)
        return 1
    if outcome == 1:
        raise Closed(reason, number / 1e6)
    if outcome == 2:
        raise Closed(reason, None)
    if outcome == 3:  # wiped again in between
        raise Closed("budget", 0.2)
    return number


def learn(fingerprint: str) -> None:
    """Tells every process what the rows say of a key. While Redis is away they read the rows; it is told later."""
    _local.forget(fingerprint)
    _ahead.forget(fingerprint)
    # Before the rows are read: what another thread fails to tell meanwhile stays to be told.
    _untold.discard(fingerprint)
    try:
        rests = _rests(fingerprint)
    except Error:
        _untold.add(fingerprint)
        raise
    arguments: list[Any] = [_interval(), _burst()]
    for scope in ("all", "paid"):
        reason, left = rests.get(scope, ("", 0.0))
        arguments += [-1 if left is None else int(left * 1e6), reason]
    try:
        connection.call(
            lambda client: _learn_script()(
                keys=[_name(fingerprint)], args=[*arguments, KEEP_SECONDS], client=client
            )
        )
    except RedisAway:
        _untold.add(fingerprint)


# Keys of which Redis could not be told, in this process.
_untold: set[str] = set()


def tell_again() -> None:
    """Tells Redis what it did not hear because it was away. Costs nothing when that is nothing."""
    for fingerprint in tuple(_untold):
        learn(fingerprint)


def _rests(fingerprint: str) -> dict[str, tuple[str, float | None]]:
    """By scope: why the key rests, and for how many seconds from now by the database's clock (None: a person must act)."""
    rows = KeyState.objects.filter(fingerprint=fingerprint).annotate(now=Now())
    return {row.scope: (row.reason, row.remaining(row.now)) for row in rows}


def headroom(fingerprints: Iterable[str], *, seconds: float) -> dict[str, int]:
    """How many requests of background priority each key can make within the next `seconds`: at least one.

    Takes nothing. What nobody knows yet counts as having an empty bucket; without Redis it is this process's share.
    """
    names = sorted(set(fingerprints) - {""})
    rate, burst = figure("POLL_REQUESTS_PER_SECOND"), _burst()
    usual = max(1, int(rate * seconds))
    if not names:
        return {}
    try:
        answers = connection.call(lambda client: _levels(client, names))
    except RedisAway:
        share = max(1, int(rate * seconds / _local.processes))
        return dict.fromkeys(names, share)
    (whole, part), tats = answers
    now = whole * 1_000_000 + part
    found = {}
    for name, tat in zip(names, tats, strict=True):
        if tat is None:
            found[name] = usual
            continue
        level = burst - max(0.0, float(tat) - now) / _interval()
        spare = max(0.0, level - reserve(Priority.BACKGROUND))
        found[name] = max(1, int(spare + rate * seconds))
    return found


def level(fingerprint: str) -> float | None:
    """Requests left in the bucket of a key right now, at most the burst; None when Redis cannot tell."""
    return levels([fingerprint]).get(fingerprint)


def levels(fingerprints: Iterable[str]) -> dict[str, float]:
    """What `level` says of each, in one round trip; keys of which Redis knows nothing are left out."""
    names = sorted(set(fingerprints) - {""})
    if not names:
        return {}
    try:
        (whole, part), tats = connection.call(lambda client: _levels(client, names))
    except RedisAway:
        return {}
    now = whole * 1_000_000 + part
    return {
        name: _burst() - max(0.0, float(tat) - now) / _interval()
        for name, tat in zip(names, tats, strict=True)
        if tat is not None
    }


def share_between(processes: int) -> None:
    """How many processes divide the budget while Redis is away; the heartbeat keeps it current."""
    _local.processes = max(1, processes)


def _levels(client: redis.Redis, names: list[str]) -> tuple[tuple[int, int], list[bytes | None]]:
    with client.pipeline(transaction=False) as pipeline:
        pipeline.time()
        for name in names:
            pipeline.hget(_name(name), "tat")
        now, *tats = pipeline.execute()
    return now, tats


def _ask(fingerprint: str, priority: Priority, paid: bool, count: int) -> tuple[int, int, str]:
    interval = _interval()
    arguments = [
        interval,
        _burst(),
        reserve(priority),
        int(interval / FLOOR[priority]),
        int(priority),
        int(paid),
        KEEP_SECONDS,
        count,
    ]
    outcome, number, reason = connection.call(
        lambda client: _admit_script()(keys=[_name(fingerprint)], args=arguments, client=client)
    )
    return int(outcome), int(number), connection.text(reason)


def _name(fingerprint: str) -> str:
    return f"dailies:key:{fingerprint}"


def _interval() -> int:
    """Microseconds that one request takes from the bucket."""
    return int(1e6 / figure("POLL_REQUESTS_PER_SECOND"))


def _burst() -> int:
    return max(1, int(figure("POLL_BURST")))


def reserve(priority: Priority) -> float:
    """Requests that stay in the bucket for higher priorities; never so many that nothing is left."""
    return min(_burst() * RESERVE[priority], _burst() - 1.0)


@lru_cache(maxsize=1)
def _admit_script() -> Script:
    # The script needs a client only to encode itself; each call names the one it runs on.
    return connection.client().register_script(_ADMIT)


@lru_cache(maxsize=1)
def _learn_script() -> Script:
    return connection.client().register_script(_LEARN)


@dataclass(slots=True)
class _Handful:
    """Requests of a key and priority that were admitted together. `size` follows the need, so that few go unused."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    left: int = 0
    until: float = 0.0
    size: int = 1


class _Ahead:
    """Requests that are admitted, but not made yet, in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handfuls: dict[tuple[str, Priority], _Handful] = {}

    def take(self, fingerprint: str, priority: Priority, most: int) -> None:
        with self._lock:
            handful = self._handfuls.setdefault((fingerprint, priority), _Handful())
        with handful.lock:
            now = time.monotonic()
            if handful.left and now < handful.until:
                handful.left -= 1
                return
            handful.size = min(
                most, max(1, handful.size - handful.left if handful.left else 2 * handful.size)
            )
            handful.left = 0
            handful.left = _admit(fingerprint, priority, count=handful.size) - 1
            handful.until = now + AHEAD_SECONDS

    def forget(self, fingerprint: str) -> None:
        """What the key may do has changed."""
        with self._lock:
            for (key, _), handful in self._handfuls.items():
                if key == fingerprint:
                    handful.until = 0.0


_ahead = _Ahead()


class _LocalBudget:
    """What a process allows itself while Redis is away: its share of each key's budget, by its own clock."""

    def __init__(self) -> None:
        self.processes = 1
        self._lock = threading.Lock()
        self._buckets: dict[str, float] = {}
        self._read: dict[str, tuple[float, dict[str, tuple[str, float | None]]]] = {}

    def admit(self, fingerprint: str, priority: Priority, paid: bool) -> None:
        self.check_key(fingerprint, paid)
        interval = _interval() * self.processes / 1e6
        # No burst to share: each process would take it.
        capacity = max(1.0, _burst() / self.processes)
        reserve = min(capacity * RESERVE[priority], capacity - 1)
        now = time.monotonic()
        with self._lock:
            # A process that has just lost Redis does not know what others took: it begins with one request.
            tat = max(self._buckets.setdefault(fingerprint, now + (capacity - 1) * interval), now)
            level = capacity - (tat - now) / interval
            if level - 1 < reserve - 1e-6:
                raise Closed("budget", (reserve + 1 - level) * interval)
            self._buckets[fingerprint] = tat + interval

    def forget(self, fingerprint: str) -> None:
        with self._lock:
            self._read.pop(fingerprint, None)

    def check_key(self, fingerprint: str, paid: bool) -> None:
        """Raises Closed when the row says so, or cannot be read."""
        now = time.monotonic()
        with self._lock:
            read_at, rests = self._read.get(fingerprint, (float("-inf"), {}))
        if now - read_at > BELIEVE_SECONDS:
            try:
                read_at, rests = now, _rests(fingerprint)
            except OperationalError as exc:
                # Neither Redis nor the database: nothing is known, so nothing is sent.
                raise Closed("unknown", BELIEVE_SECONDS) from exc
            with self._lock:
                self._read[fingerprint] = (read_at, rests)
        for scope in ("all", "paid") if paid else ("all",):
            reason, left = rests.get(scope, ("", 0.0))
            if left is None:
                raise Closed(reason, None)
            if left > now - read_at:
                raise Closed(reason, left - (now - read_at))


_local = _LocalBudget()
