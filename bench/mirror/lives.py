"""Requests for each change that can be seen, on generated lives of sessions, by a simulated clock. Pure: no network.

A life follows the states that the API knows: the agent thinks and says something every few seconds, shows a storyboard
and waits for a person (minutes to days), goes on, renders for minutes, and ends. Both sides look at the same lives:

    ours        `polling.cadence.standard`; a press of ours wakes the poll, an open page makes it watched
    example     every five to ten seconds from the create to the end, as HeyGen's example does
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench.clocks import percentile
from bench.figures import Figure
from bench.part import Run
from polling import cadence
from polling.cadence import Pace

EXAMPLE_SECONDS = (5.0, 10.0)
MINUTE, HOUR = 60.0, 3600.0
# The final status is confirmed a few times; the example stops with it.
AFTERWARDS = HOUR


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that a reader can see from `at` on. `needs_person`: somebody has to be told."""

    at: float
    group: str
    needs_person: bool = False


@dataclass
class Life:
    moments: list[Moment] = field(default_factory=list)
    # When a person pressed something, and when somebody had the page open.
    presses: list[float] = field(default_factory=list)
    watched: list[tuple[float, float]] = field(default_factory=list)
    waits: bool = False

    @property
    def ended(self) -> float:
        return self.moments[-1].at

    def is_watched(self, at: float) -> bool:
        return any(begun <= at < ended for begun, ended in self.watched)


def life(dice: random.Random, *, waits: bool) -> Life:
    made = Life(waits=waits)
    now = 0.0

    def works(least: float, most: float, pause: float, group: str = "working") -> None:
        """A stretch in which news come every few seconds."""
        nonlocal now
        ended = now + dice.uniform(least, most)
        while now < ended:
            made.moments.append(Moment(now, group))
            now += dice.expovariate(1 / pause)

    made.presses.append(now)
    # Whoever started it looks on for a while.
    made.watched.append((now, now + dice.uniform(1, 6) * MINUTE))
    works(1 * MINUTE, 4 * MINUTE, 15)
    for _ in range(dice.choice((1, 1, 2)) if waits else 0):
        made.moments.append(Moment(now, "needs_you", needs_person=True))
        # Most answers come within the hour, some the next day.
        now += dice.choice((4 * MINUTE, 15 * MINUTE, 40 * MINUTE, 2 * HOUR, 15 * HOUR))
        made.watched.append((now - 2 * MINUTE, now + 3 * MINUTE))
        made.presses.append(now)
        works(1 * MINUTE, 3 * MINUTE, 15)
    works(4 * MINUTE, 10 * MINUTE, 60, "generating")
    made.moments.append(Moment(now, "done"))
    return made


@dataclass
class Seen:
    """What a policy saw of some lives."""

    requests: int = 0
    changes: int = 0
    # Seconds from a moment to the look that showed it.
    watched: list[float] = field(default_factory=list)
    needing: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    @property
    def per_change(self) -> float:
        return self.requests / self.changes


Times = Callable[[Life, random.Random, "Seen"], None]


def example(made: Life, dice: random.Random, seen: Seen) -> None:
    """Looks until the end, whatever the state."""
    now, shown = 0.0, 0
    while True:
        seen.requests += 1
        shown = _look(made, now, shown, seen)
        if shown == len(made.moments):
            return
        now += dice.uniform(*EXAMPLE_SECONDS)


def ours(made: Life, dice: random.Random, seen: Seen) -> None:
    """The engine's rules: the next look is what the cadence says, unless a press or an opened page comes first."""
    now, shown, changed_at, woken = 0.0, 0, 0.0, True
    wakes = iter(sorted([*made.presses[1:], *(begun + 0.5 for begun, _ in made.watched[1:])]))
    wake = next(wakes, None)
    while now <= made.ended + AFTERWARDS:
        seen.requests += 1
        before = shown
        shown = _look(made, now, shown, seen)
        if shown > before:
            changed_at = now
        pause = cadence.standard(
            Pace(
                group=made.moments[shown - 1].group if shown else "working",
                since_change=now - changed_at,
                watched=made.is_watched(now),
                woken=woken,
                changed=shown > before,
                jitter=dice.random(),
            )
        )
        woken = False
        due = now + pause if pause is not None else None
        while wake is not None and wake <= now:
            wake = next(wakes, None)
        if wake is not None and (due is None or wake < due):
            # A press expects news: the age counts from it.
            if wake in made.presses:
                changed_at, woken = wake, True
            due, wake = wake, next(wakes, None)
        if due is None:
            return
        now = due


def _look(made: Life, now: float, shown: int, seen: Seen) -> int:
    """Counts what this look shows for the first time; the number of moments shown so far."""
    before = shown
    while shown < len(made.moments) and made.moments[shown].at <= now:
        moment = made.moments[shown]
        if made.is_watched(moment.at):
            seen.watched.append(now - moment.at)
        if moment.needs_person:
            seen.needing.append(now - moment.at)
        if moment.group == "done":
            seen.ends.append(now - moment.at)
        shown += 1
    # Several news of one look are one change for whoever asks.
    seen.changes += shown > before
    return shown


def measure(run: Run) -> list[Figure]:
    count = int(run.either(200, 1_000))
    run.mark()
    waiting = [life(random.Random(number), waits=True) for number in range(count)]
    busy = [life(random.Random(number), waits=False) for number in range(count)]
    mixed = waiting + busy[: count // 3]
    return [*_mixed(mixed), _busy(busy)]


def _both(lives: list[Life]) -> Iterator[Seen]:
    for policy in (ours, example):
        seen = Seen()
        for number, made in enumerate(lives):
            policy(made, random.Random(number), seen)
        yield seen


def _mixed(lives: list[Life]) -> list[Figure]:
    mine, its = _both(lives)
    ratio = mine.per_change / its.per_change
    found = [
        Figure(
            name="requests for each observed change, against HeyGen's example loop",
            ours=f"{mine.per_change:.1f}",
            peer=f"{its.per_change:.1f}",
            ratio=f"1/{1 / ratio:.1f}",
            goal="<= 1/5",
            reached=ratio <= 0.2,
            note=f"{len(lives):,} generated lives; three of four stop for a person once or twice.",
        )
    ]
    for what, of_mine, of_its in (
        ("watched sessions", mine.watched, its.watched),
        ("states that need a person", mine.needing, its.needing),
    ):
        late, peer = percentile(of_mine, 0.95), percentile(of_its, 0.95)
        found.append(
            Figure(
                name=f"lag of {what}, p95, s",
                ours=f"{late:.1f} (p50 {percentile(of_mine, 0.5):.1f})",
                peer=f"{peer:.1f} (p50 {percentile(of_its, 0.5):.1f})",
                ratio=f"{late / peer:.2f}",
                goal="<= 1",
                reached=late <= peer,
            )
        )
    found.append(
        Figure(
            name="lag of the end of a rendering, p95, s",
            ours=f"{percentile(mine.ends, 0.95):.1f} (p50 {percentile(mine.ends, 0.5):.1f})",
            peer=f"{percentile(its.ends, 0.95):.1f} (p50 {percentile(its.ends, 0.5):.1f})",
            note="A rendering takes minutes; unwatched it is looked at every 20 s.",
        )
    )
    return found


def _busy(lives: list[Life]) -> Figure:
    mine, its = _both(lives)
    ratio = mine.per_change / its.per_change
    return Figure(
        name="requests for each observed change where nothing waits",
        ours=f"{mine.per_change:.1f}",
        peer=f"{its.per_change:.1f}",
        ratio=f"{ratio:.2f}",
        goal="<= 1.1",
        reached=ratio <= 1.1,
    )
