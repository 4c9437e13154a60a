"""A thousand sessions that talk, and ten requests a second: never over, nothing unused, the right ones first."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bench.clocks import percentile
from bench.figures import Figure
from bench.mirror import rows
from bench.mirror.whole import workers
from bench.part import Run
from bench.remote import remote
from bench.stage import Processes
from polling import schedule, watching
from polling.models import PollState, Rank

SESSIONS, WATCHED = 1_000, 10
RATE, BURST = 10, 10


def measure(run: Run) -> list[Figure]:
    seconds = run.either(10, 30)
    with remote(changed=0.0) as other, Processes() as processes:
        workspace = rows.workspace(other)
        looked_at = rows.sessions(workspace, WATCHED)
        idle = rows.sessions(workspace, SESSIONS - WATCHED)
        with rows.engine(threads=64, **rows.NO_LIMIT):
            rows.first_poll()
        _everything_due(looked_at, idle)
        run.mark()
        other.set(forget=True)
        two = workers(processes, 2, POLL_REQUESTS_PER_SECOND=RATE, POLL_BURST=BURST)
        # The budget of the preparation is forgotten with the first answers.
        time.sleep(5)
        begun = time.monotonic()
        while time.monotonic() < begun + seconds:
            _watch(looked_at)
            run.mark()
            time.sleep(5)
        ended = time.monotonic()
        requests = [seen for seen in other.log if seen.at >= begun]
        lags = [lag for worker in two for lag in worker.lags(begun)]
    over = _most_over([seen.at for seen in requests])
    used = len(requests) / (RATE * (ended - begun))
    watched = {f"/v3/video-agents/{row.remote_id}" for row in looked_at}
    pauses = _pauses([(seen.path, seen.at) for seen in requests if seen.path in watched])
    served = len({seen.path for seen in requests if seen.path not in watched})
    pause = percentile(pauses, 0.95)
    return [
        Figure(
            name="fixed budget: most requests over 10 a second, in any stretch of time, by two workers",
            ours=f"{over:.1f}",
            goal=f"<= the burst, {BURST}",
            reached=over <= BURST + 0.5,
        ),
        Figure(
            name="fixed budget: used while there is work",
            ours=f"{used:.1%}",
            goal=">= 95 %",
            reached=used >= 0.95,
        ),
        Figure(
            name=f"fixed budget: pause between polls of {WATCHED} watched among {SESSIONS:,}, p95, s",
            ours=f"{pause:.1f}",
            peer=f"{SESSIONS / RATE:.0f} without an order",
            goal="<= 7 (cadence of 5, and its turn)",
            reached=pause <= 7,
            note=f"Meanwhile {served} of the others had a turn; {len(lags)} rows were written.",
        ),
    ]


def _everything_due(looked_at: Sequence[object], idle: Sequence[object]) -> None:
    PollState.objects.update(next_poll_at="2026-01-01T00:00:00Z", rank=Rank.HOT)
    _watch(looked_at)


def _watch(looked_at: Sequence[object]) -> None:
    """As an open page does."""
    for row in looked_at:
        schedule.watch("session", row.pk)  # type: ignore[attr-defined]
        watching.begin("session", row.pk)  # type: ignore[attr-defined]


def _most_over(times: Sequence[float]) -> float:
    """How far the count of any stretch lies above the rate: the largest rise of (count - rate x time)."""
    most = lowest = float("-inf")
    lowest = float("inf")
    for number, at in enumerate(sorted(times)):
        lowest = min(lowest, number - RATE * at)
        most = max(most, number + 1 - RATE * at - lowest)
    return most


def _pauses(seen: Sequence[tuple[str, float]]) -> list[float]:
    last: dict[str, float] = {}
    found = []
    for path, at in sorted(seen, key=lambda pair: pair[1]):
        if path in last:
            found.append(at - last[path])
        last[path] = at
    return found
