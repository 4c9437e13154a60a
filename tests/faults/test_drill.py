"""The random drill: people work while processes die, the broker forgets, and HeyGen misbehaves. Seeded, bounded.

`./run test --faults 600` goes on for ten minutes instead of one. What is checked afterwards, per promise of the design:

    nothing seen is lost      every stored transcript is HeyGen's, or HeyGen's with marked gaps, in its order
    money is spent once       each accepted paid call has one press, each press has at most one accepted call, and every
                              press that has none is shown as refused, or as unknown and offered to a person
    any process may die       all of it is true without a hand laid on, soon after the last fault
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable

import pytest

from commands import tokens
from commands.models import Command, State
from sessions_app import actions
from sessions_app.models import VideoSession
from tests.faults.conftest import Studio
from tests.processes import wait_until

pytestmark = pytest.mark.faults

SESSIONS = 8
# Beside what a start of a process costs on two cores; a drill of a minute has more than a hundred.
SECONDS_BETWEEN_FAULTS = 0.5
SETTLE_SECONDS = 60.0


class Drill:
    """One seeded run: `step` lets people do something, `strike` lets something go wrong."""

    def __init__(self, studio: Studio, seed: int) -> None:
        self.studio = studio
        self.chance = random.Random(seed)
        self.presses = 0
        self.faults: Counter[str] = Counter()
        self.frozen: dict[str, float] = {}

    # --- people

    def step(self) -> None:
        sessions = list(VideoSession.objects.filter(workspace=self.studio.workspace))
        waiting = [session for session in sessions if session.group == "needs_you"]
        if len(sessions) < SESSIONS:
            self.presses += 1
            words = self.chance.choice(["", " [messages: 20]", " [growing]", " [undated]", " [same-second]"])
            self.studio.create(f"Film number {self.presses}{words}")
        elif waiting:
            session = self.chance.choice(waiting)
            if Command.objects.open().for_object("session", session.pk).exists():
                return  # one question at a time, as on the page
            self.presses += 1
            actions.send(
                session,
                text=f"Change number {self.presses}, please",
                token=tokens.new(),
                by=self.studio.person,
            )

    # --- faults

    def strike(self) -> None:
        kinds: list[tuple[int, Callable[[], str]]] = [
            # Answers go wrong all the time; were processes killed as often, nobody would get anything done.
            (86, self._answer_badly),
            (4, self._kill_process),
            (1, self._kill_broker),
            (3, self._flush_broker),
            (3, self._freeze_process),
            (3, self._talk_fast),
        ]
        strike = self.chance.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])[0]
        self.faults[strike()] += 1
        self.thaw(before=time.monotonic() - 4)

    def _answer_badly(self) -> str:
        control = self.studio.simulator.control
        fault = self.chance.choice(
            [
                {"kind": "status", "status": 500},
                {"kind": "status", "status": 503},
                {"kind": "status", "status": 429, "retry_after": self.chance.choice([0, 1, 2, "date+1"])},
                {"kind": "html", "status": 502},
                {"kind": "html", "status": 200},
                {"kind": "empty", "status": 200},
                {"kind": "truncated"},
                {"kind": "drop"},
                {"kind": "drop", "after": True},
                {"kind": "slow", "seconds": 1.5},
                {"kind": "slow", "seconds": 1.5, "after": True},
                {"kind": "huge", "size": 5_000_000},
                {"kind": "gzip-bomb", "size": 20_000_000},
            ]
        )
        method = self.chance.choice(["GET", "POST", "POST"])
        count = (
            self.chance.randint(1, 3) if method == "POST" else 1
        )  # a person has to get somewhere in a minute
        control.fault(path="/v3/video-agents*", method=method, count=count, **fault)
        return str(fault["kind"])

    def _kill_process(self) -> str:
        name = self.chance.choice(["worker", "commands", "beat"])
        self.frozen.pop(name, None)
        self.studio.dailies.kill(name)
        self.studio.dailies.start(name)
        return f"kill {name}"

    def _kill_broker(self) -> str:
        self.studio.valkey.kill()
        self.studio.valkey.start()
        return "kill valkey"

    def _flush_broker(self) -> str:
        self.studio.valkey.flush()
        return "flush valkey"

    def _freeze_process(self) -> str:
        name = self.chance.choice(["worker", "commands", "beat"])
        self.studio.dailies.signal(name, signal.SIGSTOP)
        self.frozen.setdefault(name, time.monotonic())
        return f"freeze {name}"

    def _talk_fast(self) -> str:
        """More messages at once than a window shows."""
        known = list(VideoSession.objects.exclude(remote_id=None).values_list("remote_id", flat=True))
        if known:
            self.studio.simulator.control.messages(
                self.chance.choice(known), *({"say": f"Aside {n}", "role": "model"} for n in range(45))
            )
        return "45 messages"

    def thaw(self, *, before: float) -> None:
        """Lets frozen processes go on: late answers come back to a world that went on without them."""
        for name in [name for name, since in self.frozen.items() if since <= before]:
            del self.frozen[name]
            self.studio.dailies.signal(name, signal.SIGCONT)


def run(studio: Studio, seed: int, seconds: float) -> Drill:
    drill = Drill(studio, seed)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        drill.step()
        drill.strike()
        time.sleep(SECONDS_BETWEEN_FAULTS)  # the pace of the drill, not a wait for anything
    drill.thaw(before=time.monotonic())
    studio.simulator.control.clear_faults()
    return drill


def at_rest() -> bool:
    """Every press has ended, or asks a person."""
    return not Command.objects.open().filter(asks_person_since=None).exists()


def agrees(studio: Studio, session: VideoSession) -> bool:
    """Whether our transcript is HeyGen's: whole, or in order with marked gaps where something is missing."""
    session.refresh_from_db()
    truth = studio.simulator.control.session(session.remote_id)
    stored, remote = studio.stored_log(session), studio.remote_log(session)
    if session.status != truth["status"]:
        return False
    if not session.gaps.exists():
        return stored == remote
    rest = iter(remote)
    return all(message in rest for message in stored) and stored[-40:] == remote[-40:][-len(stored) :]


def check(studio: Studio) -> None:
    wait_until(at_rest, seconds=SETTLE_SECONDS, what=f"presses end: {list(Command.objects.open().values())}")
    sessions = list(VideoSession.objects.filter(workspace=studio.workspace))
    for session in sessions:
        if session.remote_id:
            wait_until(
                lambda session=session: agrees(studio, session),
                seconds=SETTLE_SECONDS,
                what=f"{session.prompt} agrees with HeyGen: {studio.stored_log(session)} {studio.remote_log(session)}",
            )
    texts = Counter(call["body"].get("prompt") or call["body"].get("message") for call in studio.accepted())
    doubled = {text: number for text, number in texts.items() if number > 1}
    assert doubled == {}, "accepted twice"
    for command in Command.objects.exclude(kind="session.stop"):
        text = command.payload.get("prompt") or command.payload.get("message")
        arrived = texts.pop(text, 0)
        if command.state == State.ACCEPTED:
            assert arrived == 1, f"{text!r} is shown as accepted and never arrived"
        elif command.state == State.REFUSED:
            assert arrived == 0, f"{text!r} is shown as refused and arrived"
        else:
            assert command.asks_person_since is not None
    assert texts == Counter(), "accepted calls that nobody pressed"
    remote_ids = [session.remote_id for session in sessions if session.remote_id]
    assert len(remote_ids) == len(set(remote_ids))


def test_random_faults_lose_nothing_and_double_nothing(studio: Studio, pytestconfig: pytest.Config):
    seconds = pytestconfig.getoption("--fault-seconds")

    drill = run(studio, seed=20_261_121, seconds=seconds)

    print(f"{sum(drill.faults.values())} faults, {drill.presses} presses: {dict(drill.faults)}")  # noqa: T201
    assert sum(drill.faults.values()) >= min(100, seconds)
    check(studio)
