"""What a rule of the engine is to the tests that undo it in real processes, and what their scenes have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sessions_app.models import VideoSession
from tests.faults.wired import Wired
from tests.mutations import Undo

CREATE, READ = "/v3/video-agents", "/v3/video-agents/{session_id}"
# What is on its way when HeyGen asks for a rest is no disobedience.
ON_THE_WAY_SECONDS = 0.5

Scene = Callable[[Wired], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """`scene` raises Missed in an installation in which `undo` was done, and passes in any other.

    `quick`: it takes a few seconds, and belongs into every run.
    """

    name: str
    undo: Undo
    scene: Scene
    quick: bool = False


class Missed(AssertionError):
    """What the rule promises did not hold."""


@contextlib.contextmanager
def promised() -> Iterator[None]:
    """Around what a scene asserts because of the rule. What fails outside of it is no proof of anything."""
    try:
        yield
    except AssertionError as exc:
        raise Missed(str(exc)) from exc


def begun(wired: Wired, prompt: str) -> VideoSession:
    """A session whose agent thinks for ever."""
    session = wired.create(f"{prompt} [scenario: stuck-thinking]")
    wired.until(session, "message_count > 0")
    return session


def waiting(wired: Wired, prompt: str) -> VideoSession:
    """A session whose agent has asked something."""
    session = wired.create(prompt)
    wired.until(session, "status == 'waiting_for_input'")
    return session


def calls(wired: Wired, template: str, *, method: str) -> list[dict[str, Any]]:
    """Calls as HeyGen saw them, oldest first; `ended` is None while one is under way."""
    found = wired.simulator.control.calls(template=template, last=100_000)["calls"]
    return [call for call in found if call["method"] == method]


def reads(wired: Wired, session: VideoSession) -> list[dict[str, Any]]:
    return [call for call in calls(wired, READ, method="GET") if session.remote_id in call["path"]]


def accepted(wired: Wired, session: VideoSession) -> int:
    """How many sessions HeyGen made of this one's press."""
    return sum(call["body"].get("prompt") == session.prompt for call in wired.accepted())


def refused(wired: Wired, status: int) -> list[dict[str, Any]]:
    return [
        call
        for call in wired.simulator.control.calls(last=100_000)["calls"]
        if call["status"] == status and call["ended"]
    ]


def asked_between(wired: Wired, since: float, until: float) -> list[float]:
    """When requests went out, within these Unix seconds."""
    return [at for at, _ in wired.proxy.requests if since < at < until]
