"""From the press of a button to its arrival at HeyGen, while 10,000 polls are due."""

from __future__ import annotations

import time

from bench.clocks import percentile
from bench.figures import Figure
from bench.mirror import rows
from bench.mirror.whole import wait_for, workers
from bench.part import Run
from bench.remote import remote
from bench.stage import Processes
from polling.models import PollState
from tests.factories import UserFactory

SESSIONS = 10_000
# So slow that the 10,000 stay due, so fast that the worker is busy all the time.
LIMIT = {"POLL_REQUESTS_PER_SECOND": 100, "POLL_BURST": 100}


def measure(run: Run) -> list[Figure]:
    from commands import tokens
    from polling import turns
    from sessions_app import actions

    # This process stands for the web server's.
    turns.people_first()

    presses = int(run.either(15, 60))
    with remote(changed=0.003) as other, Processes() as processes:
        workspace = rows.workspace(other)
        sessions = rows.sessions(workspace, int(run.either(2_000, SESSIONS)))
        person = UserFactory()
        run.mark()
        workers(processes, 1, **LIMIT)
        processes.start("config.process", "commands", **LIMIT)
        wait_for(
            lambda: PollState.objects.exclude(polled_at=None).exists(), seconds=60, what="polls are under way"
        )
        # The first press of a process makes connections.
        actions.send(sessions[0], text="0", token=tokens.new(), by=person)
        wait_for(lambda: _arrivals(other), seconds=30, what="a press arrives")
        due = PollState.objects.filter(next_poll_at__lte="2100-01-01", polled_at=None).count()
        pressed: dict[str, float] = {}
        for session in sessions[-presses:]:
            pressed[f"/v3/video-agents/{session.remote_id}"] = time.monotonic()
            actions.send(session, text="Go on.", token=tokens.new(), by=person)
            time.sleep(0.2)
        run.mark()
        wait_for(lambda: pressed.keys() <= _arrivals(other).keys(), seconds=30, what="all presses arrived")
        arrived = _arrivals(other)
    waits = [1000 * (arrived[path] - at) for path, at in pressed.items()]
    late = percentile(waits, 0.95)
    return [
        Figure(
            name=f"press to arrival at HeyGen while {due:,} polls are due: p95, ms",
            ours=f"{late:.0f} (p50 {percentile(waits, 0.5):.0f})",
            goal="<= 300",
            reached=late <= 300,
            note=f"{presses} presses, each with its commit; the worker reads 100 a second meanwhile.",
            raw={"milliseconds": [round(wait, 1) for wait in waits]},
        )
    ]


def _arrivals(other: object) -> dict[str, float]:
    return {seen.path: seen.at for seen in other.log if seen.method == "POST"}  # type: ignore[attr-defined]
