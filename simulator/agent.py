"""The agent as a pure machine: its state is a function of its steps, the clock and what it was told.

Nothing here runs by itself. `advance(now)` applies every step that is due; `receive` and `stop` are what people do.
Replaying the same inputs at the same story times gives the same state, which is how a restart brings it back.
Times are story seconds; `stamp` turns them into the Unix seconds of answers.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from .identifiers import digest

WINDOW = 40
Waits = Literal["", "answer", "verdict"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a storyboard: what it shows (`motif`), its chances (`picture`), its words and its colours."""

    picture: str
    title: str
    caption: str
    palette: str
    portrait: bool = False
    motif: int = 0


@dataclass(frozen=True, slots=True)
class Material:
    """A resource still to be made. Without `linked` it has no URL at all."""

    kind: str
    source: str | None = "generated"
    frame: Frame | None = None
    link: str | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    resource_id: str
    material: Material
    at: float


@dataclass(frozen=True, slots=True)
class Message:
    """`created_at` in Unix seconds, null when the scenario leaves it out."""

    role: str
    content: str
    type: str
    created_at: int | None
    resource_ids: tuple[str, ...] | None


@dataclass(slots=True)
class Video:
    """A video of the session. `ready_at` is unknown (infinite) until the session hands it over."""

    video_id: str
    number: int
    title: str
    queued_at: float
    duration: float
    frames: tuple[Frame, ...]
    lines: tuple[str, ...]
    ready_at: float = math.inf
    failed_at: float = math.inf
    failure: tuple[str, str] | None = None

    def status(self, now: float) -> str:
        if now >= self.failed_at:
            return "failed"
        if now >= self.ready_at:
            return "completed"
        return "pending" if now < self.queued_at + 1 else "processing"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens, `after` seconds behind the step before it. What is None stays as it is.

    `say` adds a message; `append` and `attach` change the newest model message (its text grows, its resources
    arrive). `climb` lets progress rise to a value within some seconds. `waits` hands over to a person.
    """

    after: float = 0.0
    say: str | None = None
    role: str = "model"
    type: str = "text"
    materials: tuple[Material, ...] = ()
    announce_only: bool = False
    reuse: tuple[str, ...] = ()
    undated: bool = False
    append: str | None = None
    attach: bool = False
    status: str | None = None
    progress: int | None = None
    climb: tuple[int, float] | None = None
    title: str | None = None
    storyboard: tuple[Frame, ...] | None = None
    video: Literal["", "start", "finish", "fail"] = ""
    video_delay: float = 6.0
    failure: tuple[str, str] | None = None
    waits: Waits = ""
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What a person told the agent."""

    text: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    proceed: bool = False


class Director(Protocol):
    """Decides what the agent does next; see `story.Story`."""

    def start(self) -> Iterator[Step]: ...

    def react(self, machine: Machine, said: Said) -> Iterator[Step]: ...

    def note(self, machine: Machine, said: Said) -> Step: ...

    def halt(self, machine: Machine) -> Step | None: ...

    def video(self, machine: Machine) -> tuple[str, float, tuple[str, ...]]: ...

    def from_file(self, item: Mapping[str, Any], place: str, revision: int) -> Iterable[Step]: ...


class Machine:
    """One session. Read its attributes after `advance`."""

    def __init__(
        self,
        session_id: str,
        started: float,
        director: Director,
        stamp: Callable[[float], float],
        *,
        first: str,
        uploads: Iterable[Material] = (),
        status: str = "thinking",
    ) -> None:
        self.session_id = session_id
        self.started = started
        self.status = status
        self.title: str | None = None
        self.video_id: str | None = None
        self.messages: list[Message] = []
        self.resources: dict[str, Resource] = {}
        self.videos: list[Video] = []
        self.storyboard: tuple[Frame, ...] = ()
        self.storyboard_ids: tuple[str, ...] = ()
        self.revision = 0
        self.waits: Waits = ""
        self.gone = False
        self.stopped = False
        self.proceed = False
        self.version = 0
        self.director = director
        self._stamp = stamp
        self._ramp = (started, 0, started, 0)
        self._leg: Iterator[Step] = iter(())
        self._next: Step | None = None
        self._next_at = started
        self._leg_ends = math.inf
        self._aside: list[tuple[float, int, Step]] = []
        self._order = 0
        self._unattached: tuple[str, ...] = ()
        self._say_as_user(started, first, uploads)
        self._begin(started, director.start())
        self.advance(started)

    @property
    def due(self) -> float:
        """Story time of the next step; infinite when nothing will happen by itself."""
        planned = self._next_at if self._next is not None else math.inf
        return min(planned, self._aside[0][0]) if self._aside else planned

    @property
    def ended(self) -> bool:
        return self.status in ("completed", "failed")

    @property
    def working(self) -> bool:
        """Counts against the ceiling of concurrent sessions."""
        return not self.ended and not self.waits and not self.gone

    def progress(self, now: float) -> int:
        begin, low, end, high = self._ramp
        if now >= end:
            return high
        return low + int((high - low) * (now - begin) / (end - begin))

    def steady_until(self, now: float) -> float:
        """Until when a read gives the same answer, if nobody says anything."""
        begin, low, end, high = self._ramp
        if now >= end or high == low:
            return self.due
        current = self.progress(now) - low
        turn = begin + (current + (1 if high > low else -1)) * (end - begin) / (high - low)
        return min(self.due, turn if turn > now else now)

    def window(self) -> list[Message]:
        """The newest messages, newest first."""
        return self.messages[: -WINDOW - 1 : -1]

    def advance(self, now: float) -> None:
        while True:
            step, at = self._next, self._next_at
            if self._aside and (step is None or self._aside[0][0] < at):
                at = self._aside[0][0]
                if at > now:
                    return
                self._apply(at, heapq.heappop(self._aside)[2])
            elif step is not None and at <= now:
                self._apply(at, step)
                self._pull()
            else:
                return
            self.version += 1

    def receive(self, now: float, said: Said, uploads: Iterable[Material] = ()) -> None:
        """A message of a person. The status follows a moment later, as it does upstream."""
        self.advance(now)
        self._say_as_user(now, said.text, uploads)
        if said.proceed:
            self.proceed = True
        if self.waits or self.ended:
            leg = self.director.react(self, said)
            self.waits = ""
            self._begin(now, leg)
        else:
            self._beside(now, self.director.note(self, said))
        self.version += 1

    def stop(self, now: float) -> None:
        """Halt at the next checkpoint: what happens before it still happens."""
        self.advance(now)
        if self.stopped or self.ended:
            return
        self.stopped = True
        last = self.director.halt(self)
        if last is not None:
            self._leg_ends = now + last.after
            if self._next_at >= self._leg_ends:
                self._next = None
            self._aside = [entry for entry in self._aside if entry[0] < self._leg_ends]
            heapq.heapify(self._aside)
            self._beside(now, last)
        self.version += 1

    def inject(self, now: float, steps: Iterable[Step]) -> None:
        """Steps from outside (the control API), beside what is planned."""
        self.advance(now)
        at = now
        for step in steps:
            self._beside(at, step)
            at += step.after
        self.advance(now)
        self.version += 1

    def frame_of(self, resource_id: str) -> Frame | None:
        resource = self.resources.get(resource_id)
        return resource.material.frame if resource else None

    def _begin(self, now: float, leg: Iterator[Step]) -> None:
        """Follow new steps instead of the former ones."""
        self._leg, self._next_at, self._leg_ends = leg, now, math.inf
        self._pull()

    def _pull(self) -> None:
        """Think of the next step. One ahead and no more: thousands of sessions wait at little cost."""
        self._next = next(self._leg, None)
        if self._next is not None:
            self._next_at += self._next.after
            if self._next_at >= self._leg_ends:
                self._next = None

    def _beside(self, now: float, step: Step) -> None:
        self._order += 1
        heapq.heappush(self._aside, (now + step.after, self._order, step))

    def _say_as_user(self, now: float, text: str, uploads: Iterable[Material]) -> None:
        ids = tuple(self._add(now, material) for material in uploads)
        self.messages.append(Message("user", text, "text", int(self._stamp(now)), ids or None))

    def _add(self, at: float, material: Material) -> str:
        identifier = self._next_resource_id()
        self.resources[identifier] = Resource(identifier, material, at)
        return identifier

    def _next_resource_id(self) -> str:
        return "res_" + digest(self.session_id, "resource", len(self.resources), size=12)

    def _apply(self, at: float, step: Step) -> None:
        if step.status is not None:
            self.status = step.status
            if self.ended:
                self.waits = ""
            if self.status == "failed":
                self._hold(at)
        if step.title is not None:
            self.title = step.title
        if step.progress is not None:
            self._ramp = (at, step.progress, at, step.progress)
        if step.climb is not None:
            target, seconds = step.climb
            self._ramp = (at, self.progress(at), at + seconds, target)
        if step.storyboard is not None:
            self.storyboard = step.storyboard
            self.revision += 1
        if step.video:
            self._apply_video(at, step)
        if step.say is not None:
            self._apply_message(at, step)
        if step.append is not None or step.attach:
            self._touch_last(step)
        if step.gone:
            self.gone = True
        if step.waits:
            self.waits = step.waits
            self._hold(at)

    def _hold(self, at: float) -> None:
        """Progress stays where it is."""
        level = self.progress(at)
        self._ramp = (at, level, at, level)

    def _apply_message(self, at: float, step: Step) -> None:
        ids = step.reuse + tuple(self._add(at, material) for material in step.materials)
        if step.storyboard is not None:
            self.storyboard_ids = tuple(i for i in ids if self.resources[i].material.frame is not None)
        shown: tuple[str, ...] | None = ids or None
        if step.announce_only:
            self._unattached, shown = ids, None
        created_at = None if step.undated else int(self._stamp(at))
        self.messages.append(Message(step.role, step.say or "", step.type, created_at, shown))

    def _touch_last(self, step: Step) -> None:
        for index in range(len(self.messages) - 1, -1, -1):
            message = self.messages[index]
            if message.role != "user":
                if step.append is not None:
                    message = replace(message, content=message.content + step.append)
                if step.attach:
                    message = replace(message, resource_ids=self._unattached or message.resource_ids)
                    self._unattached = ()
                self.messages[index] = message
                return

    def _apply_video(self, at: float, step: Step) -> None:
        if step.video == "start":
            title, duration, lines = self.director.video(self)
            number = len(self.videos) + 1
            identifier = "v_" + digest(self.session_id, "video", number)
            self.videos.append(Video(identifier, number, title, at, duration, self.storyboard, lines))
            self.video_id = identifier
        elif self.videos and step.video == "finish":
            video = self.videos[-1]
            title, duration, lines = self.director.video(self)
            video.title, video.duration, video.frames, video.lines = title, duration, self.storyboard, lines
            video.ready_at = at + step.video_delay
            if step.failure is not None:
                video.ready_at, video.failed_at, video.failure = math.inf, video.ready_at, step.failure
        elif self.videos and step.video == "fail":
            self.videos[-1].failed_at = at
            self.videos[-1].failure = step.failure
