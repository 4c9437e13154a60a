"""HeyGen answers 429 to one of two keys: silence on that key, nothing on the other, and back to the whole budget."""

from __future__ import annotations

import math
import time

from bench.figures import Figure
from bench.mirror import rows
from bench.mirror.whole import workers
from bench.part import Run
from bench.remote import Seen, remote
from bench.stage import Processes

SESSIONS = 200
RATE = 20
STORM_SECONDS = 6
# Requests that were on their way when the first refusal was still on its own.
UNDER_WAY_SECONDS = 0.3
ONE, OTHER = "sk_bench_0001", "sk_bench_0002"


def measure(run: Run) -> list[Figure]:
    with remote(changed=0.0) as other, Processes() as processes:
        for key in (ONE, OTHER):
            rows.sessions(rows.workspace(other, key=key), SESSIONS)
        with rows.engine(threads=64, **rows.NO_LIMIT):
            rows.first_poll()
        run.mark()
        workers(processes, 2, POLL_REQUESTS_PER_SECOND=RATE, POLL_BURST=RATE)
        time.sleep(run.either(6, 12))
        calm = time.monotonic()
        time.sleep(8)
        run.mark()
        begun = other.set(reject={ONE: STORM_SECONDS})
        time.sleep(STORM_SECONDS + 8)
        run.mark()
        log = other.log
    refused = [seen.at for seen in log if seen.key == ONE and begun <= seen.at < begun + STORM_SECONDS]
    first = min(refused, default=begun)
    # What Retry-After said, rounded up as it is on the wire; counted from its arrival.
    until = first + math.ceil(begun + STORM_SECONDS - first)
    early = [seen for seen in log if seen.key == ONE and first + UNDER_WAY_SECONDS < seen.at < until]
    before = _rate(log, OTHER, calm, begun)
    during = _rate(log, OTHER, begun, until)
    slower = before / during if during else float("inf")
    back = _back(log, until)
    return [
        Figure(
            name="429 storm: requests of that key before Retry-After, by two workers",
            ours=str(len(early)),
            goal="0",
            reached=not early,
            note=f"{len(refused)} got a 429; up to {UNDER_WAY_SECONDS:g} s after the first they count as under way.",
        ),
        Figure(
            name="429 storm: another key meanwhile, requests a second",
            ours=f"{during:.1f}",
            peer=f"{before:.1f} before",
            ratio=f"{slower:.2f}",
            goal="<= 1.1",
            reached=slower <= 1.1,
        ),
        Figure(
            name="429 storm: the whole budget back after, s",
            ours=f"{back:.1f}",
            goal="<= 5",
            reached=back <= 5,
        ),
    ]


def _rate(log: list[Seen], key: str, begun: float, ended: float) -> float:
    return sum(seen.key == key and begun <= seen.at < ended for seen in log) / (ended - begun)


def _back(log: list[Seen], until: float) -> float:
    """Seconds to the begin of the first second in which 90 % of the budget was used."""
    for tenth in range(70):
        begun = until + tenth / 10
        if _rate(log, ONE, begun, begun + 1) >= 0.9 * RATE:
            return tenth / 10
    return float("inf")
