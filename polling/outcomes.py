"""What a reading means for the schedule: a pure function from claim and reading to the row's next state."""

from __future__ import annotations

import logging
from zlib import crc32

from polling import cadence
from polling.cadence import Pace
from polling.claims import Outcome
from polling.kinds import Changed, Claim, Failed, Kind, Reading, Unchanged
from polling.schedule import rank_of

logger = logging.getLogger(__name__)

# What a call that was not made is asked again after, at least; a closed key is not even claimed meanwhile.
HELD_SECONDS = 0.5
# After the rest of a key its objects come back over so many seconds.
RETURN_SECONDS = 2.0
RATE_LIMITED_SECONDS = 5.0


def jitter_of(claim: Claim) -> float:
    """0 to 1, different for each object and poll, the same when computed again."""
    return crc32(claim.object_id.bytes + claim.sequence.to_bytes(8, "big")) / 2**32


def outcome_of(kind: Kind | None, claim: Claim, reading: Reading) -> Outcome:
    """The next state of the row of `claim`. `kind` None: this process does not know it, another may."""
    match reading:
        case Unchanged():
            return _answered(kind, claim, reading, digest=None, changed=False)
        case Changed():
            return _answered(kind, claim, reading, digest=reading.digest, changed=True)
        case Failed(reason="held"):
            # Not asked at all: neither a failure nor news.
            return _again(claim, max(HELD_SECONDS, min(reading.retry_after or 0.0, cadence.MINUTE)))
        case Failed(reason="rate_limited"):
            pause = reading.retry_after if reading.retry_after is not None else RATE_LIMITED_SECONDS
            delay = max(HELD_SECONDS, pause) + RETURN_SECONDS * jitter_of(claim)
            return _again(claim, delay, reason=reading.reason, message=reading.message)
        case Failed():
            return _failed(kind, claim, reading)


def retired(claim: Claim) -> Outcome:
    """For an object that is no more."""
    return Outcome(
        pk=claim.pk,
        sequence=claim.sequence,
        delay=None,
        group=claim.group,
        rank=rank_of("gone"),
        digest=None,
        polled=False,
        changed=False,
        failures=0,
        missing=0,
        reason="",
        message="",
    )


def _answered(
    kind: Kind | None, claim: Claim, reading: Unchanged | Changed, *, digest: str | None, changed: bool
) -> Outcome:
    group = reading.group or claim.group
    pace = Pace(
        group=group,
        since_change=0.0 if changed else claim.age,
        watched=claim.watched,
        woken=claim.woken,
        changed=changed,
        jitter=jitter_of(claim),
    )
    delay = _delay(kind, pace)
    if reading.within is not None and delay is not None:
        delay = min(delay, reading.within)
    return Outcome(
        pk=claim.pk,
        sequence=claim.sequence,
        delay=delay,
        group=group,
        rank=rank_of(group, watched=claim.watched),
        digest=digest,
        polled=True,
        changed=changed,
        failures=0,
        missing=0,
        reason="",
        message="",
    )


def _failed(kind: Kind | None, claim: Claim, failed: Failed) -> Outcome:
    failures = claim.failures + 1
    missing = claim.missing + 1 if failed.missing else 0
    pace = Pace(
        group=claim.group,
        since_change=claim.age,
        watched=claim.watched,
        failures=failures,
        retry_after=failed.retry_after,
        missing=missing,
        jitter=jitter_of(claim),
    )
    delay = _delay(kind, pace)
    group = "gone" if delay is None and missing >= cadence.GONE_AFTER else claim.group
    return Outcome(
        pk=claim.pk,
        sequence=claim.sequence,
        delay=delay,
        group=group,
        rank=rank_of(group, watched=claim.watched),
        digest=None,
        polled=False,
        changed=False,
        failures=failures,
        missing=missing,
        reason=failed.reason[:32],
        message=_kept(failed.message),
    )


def _again(claim: Claim, delay: float, *, reason: str | None = None, message: str | None = None) -> Outcome:
    """Not answered, and not the object's fault: all stays but the time."""
    return Outcome(
        pk=claim.pk,
        sequence=claim.sequence,
        delay=delay,
        group=claim.group,
        rank=rank_of(claim.group, watched=claim.watched),
        digest=None,
        polled=False,
        changed=False,
        failures=claim.failures,
        missing=claim.missing,
        reason=reason,
        message=None if message is None else _kept(message),
    )


def _kept(message: str) -> str:
    """What fits into the column. PostgreSQL takes no NUL: one would keep the schedules of the whole wave from being written."""
    return message.replace("\x00", "\ufffd")[:500]


def _delay(kind: Kind | None, pace: Pace) -> float | None:
    try:
        delay = (kind.cadence if kind else cadence.standard)(pace)
    except Exception:
        logger.exception("cadence of %s", kind)
        delay = cadence.standard(pace)
    return None if delay is None else max(0.0, delay)
