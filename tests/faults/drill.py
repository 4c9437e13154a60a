"""People of two workspaces work while things go wrong: one seeded run. What must be true afterwards is in `checkers`."""

from __future__ import annotations

import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connection

from commands import tokens
from commands.models import Command
from sessions_app import actions
from sessions_app.models import VideoSession
from tests.faults.followers import Follower
from tests.faults.wired import Wired
from tests.installation import reconnect
from tests.processes import Postgres
from workspaces_app import keys

SESSIONS = 8
NEIGHBOURS_SESSIONS = 2
# How every text begins that people of each workspace write, so that it is known where it turns up.
HOME, NEIGHBOUR = "Homeward", "Neighbour"
FOLLOWED = 3
# Beside what a start of a process costs on two cores.
SECONDS_BETWEEN_FAULTS = 0.4
LEAST_FAULTS = 100
# What the agent adds to its last message.
REWORDED = " And one more thing."
# More bad answers than this never wait for a call: people have to get somewhere in a minute.
MOST_WAITING = 2
KILLED = ("worker", "commands", "beat", "web")
FROZEN = ("worker", "commands", "beat")
# So far off are the clocks of machines, in seconds: ahead and behind, enough for a lease, a rest, a sign-in.
CLOCKS = (60, 600, 3600, -60, -600, -3600)

# What HeyGen or a network in between makes of an answer. `after`: the call was taken, only its answer is spoiled.
BAD_ANSWERS = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 503, "retry_after": 1},
    *({"kind": "status", "status": 429, "retry_after": said} for said in (0, 1, 2, "date+1", "soon")),
    {"kind": "status", "status": 404},
    {"kind": "html", "status": 502},
    {"kind": "html", "status": 200},
    {"kind": "empty", "status": 200},
    {"kind": "truncated"},
    {"kind": "wrong-type"},
    {"kind": "drop"},
    {"kind": "drop", "after": True},
    {"kind": "cut"},
    {"kind": "slow", "seconds": 1.5},
    {"kind": "slow", "seconds": 1.5, "after": True},
    {"kind": "huge", "size": 5_000_000},
    {"kind": "gzip-bomb", "size": 20_000_000},
)
# What becomes of a file on its way to us.
BAD_FILES = (
    {"kind": "status", "status": 403},
    {"kind": "status", "status": 503},
    {"kind": "cut"},
    {"kind": "drop"},
)
# So soon a link expires: what could not be copied at once needs another.
LINK_SECONDS = 10
# What it makes of a session: true answers with something odd in them.
ODD_ANSWERS = (
    {"set": {"data.status": "pondering"}},
    {"set": {"data.messages": None}},
    {"set": {"data.messages.0.created_at": None}},
    {"set": {"data.created_at": None}},
    {"set": {"data.progress": None, "data.something_new": {"deep": [1]}}},
    {"remove": ["data.messages"]},
    {"remove": ["data.title", "data.progress"]},
)
PROMPTS = (
    "",
    " [messages: 20]",
    " [growing]",
    " [undated]",
    " [same-second]",
    " [identical]",
    " [late-resources]",
    " [missing-reads: 2]",
)


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault, and when it struck (Unix seconds)."""

    at: float
    name: str


@dataclass
class Drill:
    studio: Wired
    neighbour: Wired
    seed: int
    postgres: Postgres | None = None
    presses: int = 0
    struck: list[Struck] = field(default_factory=list)
    followers: list[Follower] = field(default_factory=list)
    # They try to follow what is not theirs.
    strangers: list[Follower] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self._under_way: list[tuple[float, Callable[[], None]]] = []
        self._frozen: set[str] = set()
        # How often each kind strikes. Answers go wrong all the time; were processes killed as often, nobody would get
        # anything done.
        self._kinds: dict[Callable[[], str], float] = {
            self._answer_badly: 60,
            self._answer_oddly: 12,
            self._network: 7,
            self._talk: 4,
            self._spoil_file: 4,
            self._kill_process: 4,
            self._freeze_process: 3,
            self._set_clock: 3,
            self._database: 3,
            self._broker: 2,
            self._second_process: 1,
            self._key: 1,
        }
        # Each once, however short the drill; the rest is chance.
        self._owed = self.chance.sample(list(self._kinds), len(self._kinds))

    @property
    def studios(self) -> tuple[Wired, Wired]:
        return self.studio, self.neighbour

    @property
    def counts(self) -> Counter[str]:
        return Counter(struck.name for struck in self.struck)

    def run(self, seconds: float) -> None:
        """So long, and on a slow machine on until there were enough faults."""
        end = time.monotonic() + seconds
        self.studio.simulator.control.settings(link_seconds=LINK_SECONDS)
        try:
            while time.monotonic() < end or len(self.struck) < LEAST_FAULTS:
                self._work()
                self._end_faults(before=time.monotonic())
                self._strike()
                time.sleep(SECONDS_BETWEEN_FAULTS)  # the pace of the drill, not a wait for anything
        finally:
            self._end_faults(before=float("inf"))
            for name in list(self._frozen):
                self.studio.dailies.signal(name, signal.SIGCONT)
            self.studio.simulator.control.clear_faults()
            self.studio.simulator.control.settings(link_seconds=3600)

    def stop(self) -> None:
        for follower in self.followers + self.strangers:
            follower.stop()

    # --- people

    def _work(self) -> None:
        self._work_in(self.studio, SESSIONS, FOLLOWED, HOME)
        self._work_in(self.neighbour, NEIGHBOURS_SESSIONS, 1, NEIGHBOUR)

    def _work_in(self, studio: Wired, most: int, followed: int, word: str) -> None:
        sessions = list(VideoSession.objects.filter(workspace=studio.workspace))
        waiting = [session for session in sessions if session.group == "needs_you"]
        if len(sessions) < most:
            self.presses += 1
            made = studio.create(f"{word} number {self.presses}{self.chance.choice(PROMPTS)}")
            if len(sessions) < followed:
                self._follow(studio, made)
        elif waiting:
            session = self.chance.choice(waiting)
            if Command.objects.open().for_object("session", session.pk).exists():
                return  # one question at a time, as on the page
            self.presses += 1
            text = f"{word}: change number {self.presses}, please"
            actions.send(session, text=text, token=tokens.new(), by=studio.person)

    def _follow(self, studio: Wired, session: VideoSession) -> None:
        other = self.studio if studio is self.neighbour else self.neighbour
        foreign = HOME if studio is self.neighbour else NEIGHBOUR
        self.followers.append(Follower(studio.dailies, studio.person, session.pk, foreign=foreign))
        self.strangers.append(Follower(studio.dailies, other.person, session.pk))

    # --- faults

    def _strike(self) -> None:
        # Not one after the other: people need a while to have something that can be struck.
        if self._owed and self.chance.random() < 0.25:
            strike = self._owed.pop()
        else:
            (strike,) = self.chance.choices(list(self._kinds), list(self._kinds.values()))
        at = time.time()
        self.struck.append(Struck(at, strike()))

    def _for(self, seconds: float, end: Callable[[], None]) -> None:
        self._under_way.append((time.monotonic() + seconds, end))

    def _end_faults(self, *, before: float) -> None:
        for until, end in [each for each in self._under_way if each[0] <= before]:
            self._under_way.remove((until, end))
            end()

    def _answer_badly(self) -> str:
        fault = dict(self.chance.choice(BAD_ANSWERS))
        method = self.chance.choice(["GET", "GET", "POST"])
        if method == "POST" and fault.get("status") == 404:
            fault["status"] = 502
        control = self.studio.simulator.control
        if sum(each["method"] == method for each in control.faults()) < MOST_WAITING:
            control.fault(path="/v3/video-agents*", method=method, **fault)
        return f"{method} {fault['kind']}"

    def _answer_oddly(self) -> str:
        self.studio.simulator.control.fault(
            "edit",
            path="/v3/video-agents/{session_id}",
            method="GET",
            **self.chance.choice(ODD_ANSWERS),
        )
        return "odd answer"

    def _spoil_file(self) -> str:
        fault = self.chance.choice(BAD_FILES)
        self.studio.simulator.control.fault(path="/media*", count=3, **fault)
        return f"files {fault['kind']}"

    def _network(self) -> str:
        proxy = self.studio.proxy
        name, fault = self.chance.choice(
            [
                ("HeyGen refuses connections", proxy.refuse),
                ("HeyGen hangs", proxy.hang),
                ("HeyGen is slow", lambda: proxy.delay(0.3)),
                ("HeyGen in pieces", lambda: proxy.slice(5)),
                ("HeyGen is cut off", lambda: proxy.cut(200)),
                ("HeyGen's connections are reset", proxy.reset),
            ]
        )
        fault()
        self._for(self.chance.uniform(0.5, 3), proxy.restore)
        return name

    def _talk(self) -> str:
        """HeyGen says more at once than a window shows, or rewords what it said."""
        known = list(VideoSession.objects.exclude(remote_id=None).values_list("remote_id", flat=True))
        if not known:
            return "nothing to say"
        control, session_id = self.studio.simulator.control, self.chance.choice(known)
        if self.chance.random() < 0.5:
            control.messages(session_id, *({"say": f"Aside {n}", "role": "model"} for n in range(45)))
            return "45 messages"
        control.messages(session_id, {"append": REWORDED})
        return "reworded"

    def _kill_process(self) -> str:
        name = self.chance.choice(KILLED)
        self._frozen.discard(name)
        self.studio.dailies.kill(name)
        # Not waited for, not even the web process.
        self.studio.dailies.start(name, wait=False)
        return f"kill {name}"

    def _freeze_process(self) -> str:
        """Late answers come back to a world that went on without them: longer than a lease, at times."""
        name = self.chance.choice(FROZEN)
        if name in self._frozen:
            return f"{name} is frozen"
        process = self.studio.dailies.processes[name]
        process.send_signal(signal.SIGSTOP)
        self._frozen.add(name)

        def thaw() -> None:
            process.send_signal(signal.SIGCONT)
            self._frozen.discard(name)

        # A timer: this thread may itself wait for what the frozen one holds, SQLite's only writer for one.
        threading.Timer(self.chance.choice([2, 4, 11]), thaw).start()
        return f"freeze {name}"

    def _set_clock(self) -> str:
        """The clock of a machine is off for a while; that it is set right is a jump, too. The one of the database is not."""
        name, seconds = self.chance.choice(KILLED), self.chance.choice(CLOCKS)
        self.studio.dailies.set_clock(name, seconds)
        self._for(self.chance.uniform(2, 12), lambda: self.studio.dailies.set_clock(name, 0))
        return f"clock of {name}"

    def _broker(self) -> str:
        valkey = self.studio.valkey
        match self.chance.choice(["kill", "flush", "flush", "freeze"]):
            case "kill":
                valkey.kill()
                valkey.start()
                return "kill valkey"
            case "flush":
                valkey.flush()
                return "flush valkey"
            case _:
                valkey.signal(signal.SIGSTOP)
                threading.Timer(2, valkey.signal, [signal.SIGCONT]).start()
                return "freeze valkey"

    def _database(self) -> str:
        if connection.vendor == "sqlite":
            return self._lock_sqlite()
        kind = self.chance.choice(["crash", "terminate", "away"])
        if kind == "crash":
            return self._crash_postgres()
        if kind == "terminate":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            return "terminate backends"
        assert self.studio.database is not None
        self.studio.database.refuse()
        self._for(self.chance.uniform(0.5, 3), self.studio.database.restore)
        return "PostgreSQL is away"

    def _crash_postgres(self) -> str:
        assert self.postgres is not None
        self.postgres.crash()
        time.sleep(self.chance.uniform(0.3, 2))  # so long nobody can press anything either
        self.postgres.start()
        reconnect()
        return "PostgreSQL crashes"

    def _lock_sqlite(self) -> str:
        """Somebody's shell holds the only write lock, or reads for long, so that nothing can be checkpointed."""
        begin = self.chance.choice(["BEGIN IMMEDIATE", "BEGIN"])
        shell = sqlite3.connect(
            connection.settings_dict["NAME"], timeout=20, isolation_level=None, check_same_thread=False
        )
        shell.execute(begin)
        shell.execute("SELECT count(*) FROM polling_pollstate").fetchone()
        # A timer: this thread may itself wait for the lock meanwhile.
        threading.Timer(self.chance.uniform(0.5, 3), shell.close).start()
        return "write lock" if begin.endswith("IMMEDIATE") else "long reader"

    def _second_process(self) -> str:
        name = self.chance.choice(["beat", "worker"])
        if f"{name}:2" in self.studio.dailies.processes:
            return f"second {name} is there"
        self.studio.dailies.start(f"{name}:2")
        self._for(8, lambda: self.studio.dailies.kill(f"{name}:2"))
        return f"second {name}"

    def _key(self) -> str:
        """The key is refused, until somebody enters a good one."""
        studio = self.studio
        studio.simulator.control.account(studio.key, key_works=False)

        def replace() -> None:
            studio.simulator.control.account(studio.key, key_works=True)
            keys.save(studio.workspace, studio.key, by=studio.person, checked=True)

        self._for(2, replace)
        return "key refused"
