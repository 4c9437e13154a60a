"""The board's figures in Prometheus's text format. Any web process gives the same answer: all of it is in the rows."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from commands.models import State
from ops.board import Board
from sessions_app.models import MediaState

# The format that every scraper reads.
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def text(board: Board) -> bytes:
    """The whole exposition. Names begin with `dailies_`; seconds and bytes are said in the name."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(board))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, board: Board) -> None:
        self._board = board

    def collect(self) -> Iterator[Metric]:
        yield from _of_processes(self._board)
        yield from _of_polls(self._board)
        yield from _of_keys(self._board)
        yield from _of_work(self._board)


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"dailies_{name}", says, value=value)


def _gauges(name: str, says: str, label: str, values: dict[str, float]) -> Metric:
    family = GaugeMetricFamily(f"dailies_{name}", says, labels=[label])
    for value_of, value in values.items():
        family.add_metric([value_of], value)
    return family


def _of_processes(board: Board) -> Iterator[Metric]:
    mirror = board.mirror
    yield _gauge("redis_up", "Whether Redis answers this web process.", board.redis)
    yield _gauge("beat_up", "Whether the clock process gave a sign of life lately.", mirror.beat_alive)
    yield _gauge("workers", "Workers that gave a sign of life lately.", mirror.live_workers)
    problems = GaugeMetricFamily(
        "dailies_problem", "1 for each thing that is wrong now; key is a fingerprint.", labels=["code", "key"]
    )
    for problem in board.problems:
        problems.add_metric([problem.code, problem.fingerprint], 1)
    yield problems


def _of_polls(board: Board) -> Iterator[Metric]:
    lanes, kinds = board.mirror.lanes, board.mirror.kinds
    yield _gauges(
        "lane_lag_seconds",
        "How long the oldest due object of an open key has waited.",
        "lane",
        {lane.name: lane.lag for lane in lanes},
    )
    yield _gauges("lane_due", "Objects that are due now.", "lane", {lane.name: lane.due for lane in lanes})
    yield _gauges(
        "polls_scheduled",
        "Objects that have a next poll.",
        "kind",
        {kind.name: kind.scheduled for kind in kinds},
    )
    yield _gauges(
        "polls_failing",
        "Objects whose last read failed.",
        "kind",
        {kind.name: kind.failing for kind in kinds},
    )
    yield _gauges(
        "poll_age_seconds",
        "Age of the oldest good answer among objects where something is expected.",
        "kind",
        {
            kind.name: max(0.0, (board.as_of - kind.oldest_read_at).total_seconds())
            for kind in kinds
            if kind.oldest_read_at is not None
        },
    )


def _of_keys(board: Board) -> Iterator[Metric]:
    keys = board.mirror.keys
    yield _gauges(
        "budget_left",
        "Requests left in the budget of a key right now.",
        "key",
        {key.fingerprint: key.level for key in keys if key.level is not None},
    )
    closed = GaugeMetricFamily(
        "dailies_key_closed", "1 for each key that must not be used now.", labels=["key", "scope", "reason"]
    )
    for key in keys:
        for closure in key.closures:
            closed.add_metric([key.fingerprint, closure.scope, closure.reason], 1)
    yield closed


def _of_work(board: Board) -> Iterator[Metric]:
    work, files = board.work, board.work.files
    yield _gauges(
        "commands",
        "Commands whose end is not known yet.",
        "state",
        {str(state): work.count(state) for state in (State.QUEUED, State.SENDING, State.UNKNOWN)},
    )
    yield _gauge("commands_asking", "Commands that only a person can settle.", work.asking)
    yield _gauge("commands_unapplied", "Ended commands whose rows have not followed yet.", work.unapplied)
    yield _gauges(
        "sessions", "Sessions that are not archived.", "group", {str(k): n for k, n in work.sessions.items()}
    )
    yield _gauge("gaps", "Places where messages may be missing.", work.gaps)
    yield _gauge("streams_running", "Live streams that are not known to have ended.", work.streams_running)
    yield _gauge("streams_dollars_per_second", "What playing streams cost, estimated.", work.price_per_second)
    yield _gauges(
        "files",
        "Copies of remote files.",
        "state",
        {
            str(MediaState.WANTED): files.wanted,
            str(MediaState.STORED): files.stored,
            str(MediaState.FAILED): files.failed,
        },
    )
    yield _gauge("files_stored_bytes", "Size of all copies.", files.stored_bytes)
    if files.disk_free is not None:
        yield _gauge("disk_free_bytes", "Free space where the copies are.", files.disk_free)
