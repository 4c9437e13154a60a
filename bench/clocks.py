"""Rounds, percentiles, what processes use, and how quiet the machine was."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
# A loop of this many steps takes about 20 ms: long enough to be interrupted where others want the CPU.
CALIBRATION_STEPS = 400_000
# A loop that took so much longer than the quickest of the run, or than it had the CPU, was disturbed by others.
TOLERATED = 1.3


def percentile(values: Iterable[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed; NaN of none."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def median(values: Iterable[float]) -> float:
    found = list(values)
    return statistics.median(found) if found else float("nan")


def spread(values: Sequence[float], form: str = "{:.3g}") -> str:
    """Median and range, as a table shows them."""
    if not values:
        return "none"
    middle = form.format(median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({form.format(min(values))} to {form.format(max(values))})"


@dataclass
class Calibration:
    """Runs the same loop before each round; what else the machine did shows in how long that took."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def mark(self) -> None:
        begun, cpu = time.perf_counter(), time.thread_time()
        total = 0
        for step in range(CALIBRATION_STEPS):
            total += step
        self.seconds.append(time.perf_counter() - begun)
        self.cpu.append(time.thread_time() - cpu)

    @property
    def disturbed(self) -> int:
        """How many rounds were disturbed."""
        return sum(
            taken > TOLERATED * min(used, min(self.cpu))
            for taken, used in zip(self.seconds, self.cpu, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """What one measurement of a loop gave: how often, in how many seconds, at how much CPU of this process."""

    count: int
    seconds: float
    cpu: float

    @property
    def per_second(self) -> float:
        return self.count / self.seconds

    @property
    def cpu_each(self) -> float:
        """Microseconds."""
        return 1e6 * self.cpu / max(1, self.count)


class Stopwatch:
    """Wall time and CPU of this process, all threads."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def spent(self, count: int) -> Spent:
        return Spent(count, time.monotonic() - self._wall, time.process_time() - self._cpu)


# --- other processes ------------------------------------------------------------------------------------------------


def cpu_of(*pids: int) -> float:
    """Seconds of CPU that these processes have used, without their children."""
    used = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += (int(fields[11]) + int(fields[12])) / TICKS
    return used


def rss_of(pid: int) -> float:
    """MiB that the process has in memory, shared pages included."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def pss_of(*pids: int) -> float:
    """MiB of the processes, each shared page counted once among those who share it."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found
