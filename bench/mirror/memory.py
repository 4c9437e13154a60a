"""Memory: a worker that has nothing to do, everything that `./run` starts, and growth over many polls."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import requests
from django.conf import settings

from bench.clocks import cpu_of, family, pss_of, rss_of
from bench.figures import Figure
from bench.mirror import rows
from bench.mirror.whole import wait_for, workers
from bench.part import Run
from bench.remote import remote
from bench.stage import ROOT, Processes
from config.embedded import free_port

MILLION = 1_000_000


def measure(run: Run) -> list[Figure]:
    run.mark()
    figures = [_idle_worker(), *_embedded(run)]
    run.mark()
    figures.append(_growth(run))
    run.mark()
    return figures


def _idle_worker() -> Figure:
    with Processes() as processes:
        worker = workers(processes)[0]
        time.sleep(5)
        used = rss_of(worker.pid)
    return Figure(
        name="idle worker, resident, MiB",
        ours=f"{used:.0f}",
        goal="<= 110",
        reached=used <= 110,
        note="Started by itself, as in a container; under `./run` workers share most of it.",
    )


def _embedded(run: Run) -> list[Figure]:
    """Everything that `./run` starts, twice: the second start is the one that people wait for."""
    data = Path(settings.DATA_DIR) / "embedded"
    data.mkdir()
    port = free_port()
    environment = {
        **os.environ,
        "DATA_DIR": str(data),
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "SECRET_KEY": "",
        "FIELD_KEYS": "",
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_KEYS"):
        del environment[name]
    seconds, memory, cpu = 0.0, 0.0, 0.0
    with remote() as other:
        environment |= {"HEYGEN_API_KEY": "sk_bench_0001", "HEYGEN_BASE_URL": other.url}
        for start in range(2):
            begun = time.monotonic()
            process = subprocess.Popen(
                [sys.executable, "-m", "config.supervisor"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                wait_for(lambda: _answers(port), seconds=120, what="./run answers")
                seconds = time.monotonic() - begun
                if start == 1:
                    time.sleep(10)
                    members = family(process.pid)
                    memory = pss_of(*members)
                    before, since = cpu_of(*members), time.monotonic()
                    time.sleep(run.either(5, 20))
                    cpu = (cpu_of(*members) - before) / (time.monotonic() - since)
            finally:
                process.terminate()
                process.wait(30)
    return [
        Figure(
            name="everything that ./run starts, MiB",
            ours=f"{memory:.0f}",
            goal="<= 400",
            reached=memory <= 400,
            note="Web, worker, commands, beat, Valkey and their supervisor; shared pages counted once. No simulator.",
        ),
        Figure(
            name="./run, the second time: answers after, s",
            ours=f"{seconds:.1f}",
            goal="<= 3",
            reached=seconds <= 3,
        ),
        Figure(
            name="idle: CPU of everything, share of a core",
            ours=f"{cpu:.1%}",
            goal="<= 2 %",
            reached=cpu <= 0.02,
        ),
    ]


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=1).ok
    except requests.RequestException:
        return False


def _growth(run: Run) -> Figure:
    """The engine at full speed, without latency; what Python keeps for reuse is there after the first stretch."""
    with remote(latency=0.0) as other:
        rows.sessions(rows.workspace(other), 320)
        with rows.engine(threads=16, **rows.NO_LIMIT), rows.always_due():
            rows.first_poll()
            other.set(changed=0.003)
            rows.drained(run.either(3, 15))
            before = rss_of(os.getpid())
            polls = 0
            ended = time.monotonic() + run.either(5, 60)
            while time.monotonic() < ended or (run.million and polls < MILLION):
                polls += rows.drained(5).count
                other.set(forget=True)
            grown = (rss_of(os.getpid()) - before) / before
    return Figure(
        name=f"growth of a worker's memory over {polls:,} polls",
        ours=f"{grown:.1%} of {before:.0f} MiB",
        goal="<= 3 % (in a million)",
        reached=grown <= 0.03,
        note="" if run.million else "A million take a quarter of an hour: `--part memory --million`.",
    )
