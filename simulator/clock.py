"""The simulator's two times.

Story time decides when things happen: it runs `speed` times as fast as the world, can be frozen and can jump.
Stamp time is what answers carry (`created_at`, `Expires`): the real clock, moved only by jumps, so that what the
product shows as "2 minutes ago" stays true at any speed.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter


@dataclass(frozen=True, slots=True)
class Bend:
    """From `stamp` on, story time runs from `story` at `speed` story seconds per second (0 = frozen)."""

    stamp: float
    story: float
    speed: float


class Clock:
    """Both times, and the way from one to the other. Seconds everywhere; stamps are Unix seconds."""

    def __init__(
        self,
        speed: float,
        *,
        bends: Iterable[Bend] = (),
        offset: float = 0.0,
        real: Callable[[], float] = time.time,
    ) -> None:
        self._real = real
        self.offset = offset
        self.bends = list(bends) or [Bend(real() + offset, 0.0, speed)]
        self.frozen = self.bends[-1].speed == 0
        self.speed = speed
        if not self.frozen and self.bends[-1].speed != speed:
            self._bend(speed)

    def stamp(self) -> float:
        """Now, as answers say it."""
        return self._real() + self.offset

    def story(self) -> float:
        """Now, as the script counts it."""
        last = self.bends[-1]
        # A real clock that was set back must not make the story run backwards below its last bend.
        return last.story + max(0.0, self.stamp() - last.stamp) * last.speed

    def stamp_at(self, story: float) -> float:
        """The stamp of a story time, which may lie before earlier changes of speed."""
        bends = self.bends
        index = max(0, bisect_right(bends, story, key=attrgetter("story")) - 1)
        bend = bends[index]
        upper = bends[index + 1].stamp if index + 1 < len(bends) else math.inf
        if bend.speed == 0:
            return bend.stamp
        return min(upper, bend.stamp + (story - bend.story) / bend.speed)

    def seconds_until(self, story: float) -> float:
        """Real seconds until that story time; infinite while frozen."""
        if self.frozen:
            return math.inf
        return max(0.0, (story - self.story()) / self.bends[-1].speed)

    def set_speed(self, speed: float) -> None:
        """`speed` story seconds per second from now on (kept for later while frozen)."""
        self.speed = speed
        if not self.frozen:
            self._bend(speed)

    def freeze(self) -> None:
        """Nothing happens any more until `thaw`; stamps go on."""
        self.frozen = True
        self._bend(0.0)

    def thaw(self) -> None:
        self.frozen = False
        self._bend(self.speed)

    def advance(self, seconds: float) -> None:
        """Let `seconds` of story pass at once; stamps jump along."""
        story = self.story() + seconds
        self.offset += seconds
        self.bends.append(Bend(self.stamp(), story, 0.0 if self.frozen else self.speed))

    def _bend(self, speed: float) -> None:
        self.bends.append(Bend(self.stamp(), self.story(), speed))
