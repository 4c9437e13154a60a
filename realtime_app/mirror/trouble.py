"""When to ask again for what could not be read: the same for a stream and for its words."""

from __future__ import annotations

from polling import cadence as cadences
from polling.kinds import Pace

# Seconds. A stream lasts an hour at most: after failures it is asked again sooner than a session.
LONGEST_AFTER_FAILURE = 20.0


def pause_after_trouble(pace: Pace) -> float | None:
    """Seconds to the next poll after a 404 or another failure; None for never."""
    if pace.missing:
        return cadences.standard(pace)
    pause = cadences.after_failures(pace.failures, retry_after=pace.retry_after, jitter=pace.jitter)
    return max(pace.retry_after or 0.0, min(pause, LONGEST_AFTER_FAILURE))
