"""When to ask again: a pure function of what is known of an object.

A pause grows by a factor with each poll that brings nothing new. Because those pauses add up to the age of the last
change, the same series is a line in that age: `first + (growth - 1) * age`. So the next pause needs no counter, and a
restart or a missed poll doesn't disturb it.

    group       pauses                                                            watched
    working     3 s x 1.15 up to 7 s; from 15 min without a change 1/60 of the    up to 5 s
                age, up to 60 s: it may be stuck
    generating  8 s x 1.1 up to 20 s                                              up to 5 s
    needs_you   15 s x 1.5 up to 300 s; after a day 15 min, after a week 1 h      up to 10 s
    unknown     15 s x 1.5 up to 600 s; after a day 1 h, after 30 days never      up to 10 s
    done,       a confirmation after 15 s, 1 min, 5 min and 30 min; then never    60 s
    failed
    gone        never                                                             never

Seven seconds: what a person waits for comes out of `working`, and a pause of seven seconds is seen within 6.65 s in 95
of 100 cases, no later than by a loop that asks every five to ten seconds for ever.

Failures double the bound of the pause from 4 s to 300 s (10 s for what is watched), of which a random part is taken
(full jitter), but never less than `Retry-After`. That is for an object in trouble by itself: where the other side was away
for all, they are due again as soon as it is back (`schedule.recover`). A 404 is confirmed after 5 s and after 30 s, then the
object is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from polling.conf import figure

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

# (age of the last change up to, pause): how a finished object is confirmed.
CONFIRMATIONS = ((10.0, 15.0), (60.0, MINUTE), (5 * MINUTE, 5 * MINUTE), (20 * MINUTE, 30 * MINUTE))
# Pauses after the first and the second 404 in a row; a third ends it.
MISSING = (5.0, 30.0)
# So many in a row count as gone.
GONE_AFTER = len(MISSING) + 1
STUCK_AFTER = 15 * MINUTE
# The part of a pause by which it is spread, so that what began together does not stay together.
SPREAD = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """What the time of the next poll depends on. Durations in seconds.

    `since_change` counts from the last change or from the last time that somebody expected one. `failures` and
    `missing` are in a row. `woken`: this poll was the first since somebody expected news. `jitter` is 0 to 1.
    """

    group: str
    since_change: float
    watched: bool = False
    failures: int = 0
    retry_after: float | None = None
    woken: bool = False
    missing: int = 0
    changed: bool = False
    jitter: float = 0.5


def standard(pace: Pace) -> float | None:
    """Seconds to the next poll, None for never."""
    if pace.missing:
        return _spread(MISSING[pace.missing - 1], pace.jitter) if pace.missing <= len(MISSING) else None
    if pace.failures:
        again = after_failures(pace.failures, retry_after=pace.retry_after, jitter=pace.jitter)
        longest = figure("POLL_WATCHED_WAITING_MAX_SECONDS") + (pace.retry_after or 0.0)
        return min(again, longest) if pace.watched else again
    pause = _by_group(pace)
    if pause is None:
        return None
    if pace.woken and not pace.changed:
        pause = min(pause, figure("POLL_WOKEN_SECONDS"))
    return _spread(pause, pace.jitter)


def after_failures(failures: int, *, retry_after: float | None, jitter: float) -> float:
    """Full jitter: anything between one second and a bound that doubles; `retry_after` is the least."""
    bound = min(
        figure("POLL_FAILURE_SECONDS") * 2.0 ** min(failures - 1, 30), figure("POLL_FAILURE_MAX_SECONDS")
    )
    return (retry_after or 0.0) + max(1.0, bound * jitter)


def within_window(messages_per_second: float, *, window: int = 40) -> float | None:
    """The longest pause that cannot miss a message when a read shows the last `window`, with room for a third more."""
    return window / (3 * messages_per_second) if messages_per_second > 0 else None


def _by_group(pace: Pace) -> float | None:
    age = max(0.0, pace.since_change)
    match pace.group:
        case "gone":
            return None
        case "done" | "failed":
            pause = next((pause for until, pause in CONFIRMATIONS if age < until), None)
            watched = figure("POLL_WATCHED_DONE_SECONDS")
            return (min(pause, watched) if pause else watched) if pace.watched else pause
        case "needs_you":
            longest = HOUR if age >= 7 * DAY else 15 * MINUTE if age >= DAY else None
            return _growing("WAITING", age, "WAITING" if pace.watched else "", longest)
        case "generating":
            return _growing("GENERATING", age, "WORKING" if pace.watched else "")
        case "working":
            stuck = min(age / 60, MINUTE) if age >= STUCK_AFTER else None
            return _growing("WORKING", age, "WORKING" if pace.watched else "", stuck)
        case _:
            if age >= 30 * DAY and not pace.watched:
                return None
            return _growing("UNKNOWN", age, "WAITING" if pace.watched else "", HOUR if age >= DAY else None)


def _growing(name: str, age: float, watched: str, stale: float | None = None) -> float:
    """The pause of a group by the age of its last change; `watched` names the bound of an object that is looked at."""
    pause = figure(f"POLL_{name}_SECONDS") + (figure(f"POLL_{name}_GROWTH") - 1) * age
    pause = min(pause, figure(f"POLL_{name}_MAX_SECONDS"))
    if stale is not None:
        pause = max(pause, stale)
    return min(pause, figure(f"POLL_WATCHED_{watched}_MAX_SECONDS")) if watched else pause


def _spread(pause: float, jitter: float) -> float:
    return pause * (1 - SPREAD + SPREAD * jitter)
