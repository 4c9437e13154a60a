"""One worker process with 2,000 sessions that talk, and what Celery's part in it is."""

from __future__ import annotations

import time

from bench.clocks import cpu_of, percentile
from bench.figures import Figure
from bench.mirror import rows
from bench.mirror.whole import Worker, wait_for, workers
from bench.part import Run
from bench.remote import remote
from bench.stage import Processes

SESSIONS = 2_000
# 2,000 sessions at a pause of five to seven seconds are 300 to 400 polls a second: 32 threads cannot wait for more than
# 320 answers of 100 ms.
THREADS = 96
LIMIT = {"POLL_REQUESTS_PER_SECOND": 1000, "POLL_BURST": 1000, "POLL_THREADS": THREADS}
TASKS = 2_000


def measure(run: Run) -> list[Figure]:
    count = int(run.either(300, SESSIONS))
    with remote(changed=0.003) as other, Processes() as processes:
        workspace = rows.workspace(other)
        rows.sessions(workspace, count)
        with rows.engine(threads=64, **rows.NO_LIMIT):
            rows.first_poll()
        run.mark()
        worker = workers(processes, **LIMIT)[0]
        # Two turns of the cadence, until due times are spread as they are in life.
        time.sleep(run.either(8, 16))
        begun, before, cpu = time.monotonic(), worker.read(), cpu_of(worker.pid)
        for _ in run.rounds:
            run.mark()
            time.sleep(4)
        after, used = worker.read(), cpu_of(worker.pid) - cpu
        lags = [lag.seconds for lag in worker.lags(begun)]
        seconds = time.monotonic() - begun
        polls = after["polls"] - before["polls"]
        tasks = sum(after["tasks"].values()) - sum(before["tasks"].values())
        each = _cost_of_a_task(worker)
    late = percentile(lags, 0.95)
    share = each * tasks / used
    return [
        Figure(
            name=f"one worker process, {count:,} hot sessions, from due to row: p95, s",
            ours=f"{late:.2f} (p50 {percentile(lags, 0.5):.2f})",
            goal="<= 1",
            reached=late <= 1,
            note=(
                f"{polls / seconds:.0f} polls a second with {THREADS} reader threads, 0.3 % changed; the answer's own 100 ms "
                f"are part of it. The worker used {used / seconds:.0%} of a core, {1e6 * used / polls:.0f} µs a poll."
            ),
            raw={"p50": percentile(lags, 0.5), "p95": late, "p99": percentile(lags, 0.99), "polls": polls},
        ),
        Figure(
            name="Celery's share of a poll's CPU",
            ours=f"{share:.2%}",
            peer="77 % with a task for each poll",
            goal="<= 5 %",
            reached=share <= 0.05,
            note=f"{tasks} tasks for {polls} polls; a task that does nothing costs the worker {1e6 * each:.0f} µs.",
            raw={"tasks": tasks, "polls": polls, "task_seconds": each, "cpu": used},
        ),
    ]


def _cost_of_a_task(worker: Worker) -> float:
    """Seconds of CPU of the worker for a task that does nothing, beside what it does anyway."""
    from celery import current_app

    from polling.models import PollState

    # Nothing else for a while.
    PollState.objects.update(next_poll_at=None)
    time.sleep(3)
    begun, cpu = time.monotonic(), cpu_of(worker.pid)
    time.sleep(3)
    idle = (cpu_of(worker.pid) - cpu) / (time.monotonic() - begun)
    begun, cpu = time.monotonic(), cpu_of(worker.pid)
    with current_app.producer_pool.acquire(block=True) as producer:
        for _ in range(TASKS):
            current_app.send_task("bench.nothing", queue="polls", ignore_result=True, producer=producer)
    wait_for(
        lambda: worker.read()["tasks"].get("bench.nothing", 0) >= TASKS, seconds=60, what="the tasks ran"
    )
    spent = cpu_of(worker.pid) - cpu - idle * (time.monotonic() - begun)
    return max(0.0, spent / TASKS)
