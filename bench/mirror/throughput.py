"""How many sessions a worker polls in a second, and at how much CPU: beside HTTP alone and HeyGen's example."""

from __future__ import annotations

from bench.clocks import Spent, median, spread
from bench.figures import Figure
from bench.mirror import rows
from bench.part import Run
from bench.peers import bare_loop, example_loop
from bench.remote import Remote, remote

THREADS = (32, 128)
# Enough for every thread, the queue before them and the waves behind them: a session is polled once at a time.
SESSIONS = 1_280
# (share of polls that find something new, least of the bare loop's rate).
SHARES = ((0.003, 0.90), (0.04, 0.80))


def measure(run: Run) -> list[Figure]:
    found = []
    with remote() as other:
        workspace = rows.workspace(other)
        sessions = rows.sessions(workspace, int(run.either(320, SESSIONS)))
        with rows.engine(threads=32, **rows.NO_LIMIT), rows.always_due():
            rows.first_poll()
        urls = rows.urls(other, sessions)
        for threads in THREADS[:1] if run.quick else THREADS:
            found += _with_threads(run, other, urls, threads)
    return found


def _with_threads(run: Run, other: Remote, urls: list[str], threads: int) -> list[Figure]:
    # Long beside the beginning and the end, when not every thread has work.
    seconds = run.either(2, 4)
    bare: list[Spent] = []
    example: list[Spent] = []
    ours: dict[float, list[Spent]] = {share: [] for share, _ in SHARES}
    responder: list[float] = []
    with rows.engine(threads=threads, **rows.NO_LIMIT), rows.always_due():
        for _ in run.rounds:
            run.mark()
            other.set(changed=0, forget=True)
            bare.append(bare_loop(urls, threads=threads, seconds=seconds))
            for share, _least in SHARES:
                other.set(changed=share, forget=True)
                before = other.cpu
                ours[share].append(rows.drained(seconds))
                responder.append(1e6 * (other.cpu - before) / ours[share][-1].count)
            if threads == THREADS[0]:
                other.set(changed=0, forget=True)
                example.append(example_loop(urls, threads=threads, seconds=seconds))
    figures = [_rate(ours[share], bare, share, least, threads) for share, least in SHARES]
    if example:
        figures.append(_cpu(ours[SHARES[0][0]], example, responder))
    return figures


def _rate(ours: list[Spent], bare: list[Spent], share: float, least: float, threads: int) -> Figure:
    # Each of ours against the bare loop of its own round.
    ratios = [mine.per_second / its.per_second for mine, its in zip(ours, bare, strict=True)]
    return Figure(
        name=f"polls a second, {threads} threads, {share:.1%} changed, against a bare Session loop",
        ours=spread([each.per_second for each in ours], "{:.0f}"),
        peer=spread([each.per_second for each in bare], "{:.0f}"),
        ratio=spread(ratios, "{:.2f}"),
        goal=f">= {least:.2f}",
        reached=median(ratios) >= least,
        note=(
            f"CPU of a poll: ours {spread([each.cpu_each for each in ours], '{:.0f}')} µs, "
            f"the bare loop's {spread([each.cpu_each for each in bare], '{:.0f}')} µs."
        ),
        raw={"ours": [each.per_second for each in ours], "peer": [each.per_second for each in bare]},
    )


def _cpu(ours: list[Spent], example: list[Spent], responder: list[float]) -> Figure:
    ratios = [mine.cpu_each / its.cpu_each for mine, its in zip(ours, example, strict=True)]
    return Figure(
        name="CPU of a poll over plain HTTP, against HeyGen's example loop, µs",
        ours=spread([each.cpu_each for each in ours], "{:.0f}"),
        peer=spread([each.cpu_each for each in example], "{:.0f}"),
        ratio=spread(ratios, "{:.2f}"),
        goal="< 1",
        reached=median(ratios) < 1,
        note=(
            "Ours claims, compares, and writes; the example only asks. A PostgreSQL server's own CPU is not in it. "
            f"The responder used {spread(responder, '{:.0f}')} µs an answer, apart."
        ),
        raw={"ours": [each.cpu_each for each in ours], "peer": [each.cpu_each for each in example]},
    )
