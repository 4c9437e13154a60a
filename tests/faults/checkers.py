"""What must be true after a drill, whatever went wrong in it. By the numbers of the fault plan:

I1, I2  every stored transcript is HeyGen's, or HeyGen's in its order with marked gaps; so is the status; and every file
        is copied, although its first link has expired
I3      no two reads of one session at the same time
I4      never more requests than the budget, and none before `Retry-After`
I5      each press has at most one accepted call, each accepted call has a press, every press that has none is
        shown as refused, or as unknown and offered to a person
I6      pages that stayed open show what is stored
I7      ten seconds after the last fault everything is being read again, and nobody laid a hand on it
I8      no log line holds a key, and nothing of one workspace reaches another: rows, calls, event streams, pages, logs
"""

from __future__ import annotations

import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from commands.models import Command, State
from polling import clock, schedule
from polling.models import Heartbeat, KeyState, PollState
from sessions_app.models import MediaFile, VideoSession
from tests.faults import apart
from tests.faults.drill import REWORDED, Drill
from tests.faults.wired import Wired
from tests.processes import wait_until

HEAL_SECONDS = 10.0
# A page that is opened has its session read within `POLL_WATCHED_WAITING_MAX_SECONDS`, and a read takes a moment.
LOOK_SECONDS = 13.0
PAGE_SECONDS = 5.0
# What nobody can settle is looked for so long (COMMANDS_LOOK_SECONDS of the studio, twice), then a person is asked.
REST_SECONDS = 60.0
# A 429 on its way back does not stop what is on its way there.
ON_THE_WAY_SECONDS = 0.5


def check(drill: Drill) -> dict[str, float]:
    """Asserts all of it; returns the seconds that each step took."""
    studio = drill.studio
    studio.simulator.control.freeze()  # so that what HeyGen says stays comparable
    took = {}

    def within(what: str, seconds: float, condition: Callable[[], object]) -> None:
        started = time.monotonic()
        try:
            wait_until(condition, seconds=seconds, what=what)
        except AssertionError as exc:
            raise AssertionError(f"seed {drill.seed}: {exc}\n{explained(drill)}") from None
        took[what] = round(time.monotonic() - started, 1)

    within("everything is read again", HEAL_SECONDS, healed)
    within("presses end", REST_SECONDS, at_rest)
    for session in VideoSession.objects.exclude(gone_at=None):
        # Denied three times over half a minute: as the look ten minutes later would.
        schedule.wake("session", [session.pk])
    within("transcripts agree", LOOK_SECONDS, lambda: not all_disagreeing(drill))
    within("open pages show it", PAGE_SECONDS, lambda: not behind(drill))
    # On a slow machine hardly a link has lasted until its file was copied, and a new one costs a request of the budget, half
    # of which others need.
    wanted = ask_for_files()
    budgeted = 2 * wanted / studio.rate
    missing = MediaFile.objects.exclude(state="stored")
    within("files are copied", LOOK_SECONDS + budgeted, lambda: not missing.exists())
    assert MediaFile.objects.exists()
    for each in drill.studios:
        money(each)
        budget_kept(drill, each)
        retry_after_obeyed(drill, each)
        no_key_in_logs(each)
    one_read_at_a_time(drill)
    apart.check(drill.studio, drill.neighbour)
    apart.check_streams(drill)
    return took


# --- I7: healed


def healed() -> bool:
    """Nothing waits because of what was wrong: no failure of the other side is left, nothing is overdue."""
    rows = PollState.objects.filter(kind="session", next_poll_at__isnull=False)
    failing = rows.filter(failures__gt=0, reason__in=schedule.AWAY)
    overdue = rows.filter(next_poll_at__lt=clock.later(-2))
    return not failing.exists() and not overdue.exists()


def at_rest() -> bool:
    """Every press has ended, or asks a person."""
    return not Command.objects.open().filter(asks_person_since=None).exists()


# --- I1, I2: transcripts


def disagreeing(studio: Wired) -> list[VideoSession]:
    """Sessions whose stored state is not HeyGen's. Looks as a person would who opens each page."""
    sessions = list(VideoSession.objects.filter(workspace=studio.workspace).exclude(remote_id=None))
    for session in sessions:
        schedule.watch("session", session.pk)
    return [session for session in sessions if not agrees(studio, session)]


def all_disagreeing(drill: Drill) -> list[tuple[Wired, VideoSession]]:
    return [(studio, session) for studio in drill.studios for session in disagreeing(studio)]


def agrees(studio: Wired, session: VideoSession) -> bool:
    """Whether our transcript is HeyGen's: whole, or in order with marked gaps where something is missing.

    What HeyGen added to a message that a gap's hole had put out of sight by then, nobody could see.
    """
    truth = studio.simulator.control.session(session.remote_id)
    stored, remote = studio.stored_log(session), studio.remote_log(session)
    if session.status != truth["status"]:
        return False
    if not session.gaps.exists():
        return stored == remote
    rest = iter(_as_first_said(remote))
    in_order = all(message in rest for message in _as_first_said(stored))
    return in_order and stored[-40:] == remote[-40:][-len(stored) :]


def _as_first_said(messages: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(role, text.replace(REWORDED, "")) for role, text in messages]


def ask_for_files() -> int:
    """As somebody would who opens a page and misses them, a minute or two later: their links have long expired. How many."""
    wanted = MediaFile.objects.filter(state="wanted")
    wanted.update(linked_at=clock.later(-120))
    schedule.wake("file", list(wanted.values_list("pk", flat=True)))
    return wanted.count()


# --- I5: money


def money(studio: Wired) -> None:
    texts = Counter(call["body"].get("prompt") or call["body"].get("message") for call in studio.accepted())
    doubled = {text: number for text, number in texts.items() if number > 1}
    assert doubled == {}, f"accepted twice: {doubled}"
    for command in Command.objects.filter(workspace=studio.workspace).exclude(kind="session.stop"):
        text = command.payload.get("prompt") or command.payload.get("message")
        arrived = texts.pop(text, 0)
        if command.state == State.ACCEPTED:
            assert arrived == 1, f"{text!r} is shown as accepted and never arrived"
        elif command.state == State.REFUSED:
            assert arrived == 0, f"{text!r} is shown as refused and arrived"
        else:
            assert command.asks_person_since is not None, f"{text!r} is neither settled nor asked about"
    assert texts == Counter(), "accepted calls that nobody pressed"
    sessions = VideoSession.objects.filter(workspace=studio.workspace).exclude(remote_id=None)
    remote_ids = list(sessions.values_list("remote_id", flat=True))
    assert len(remote_ids) == len(set(remote_ids))


# --- I6: open pages


def behind(drill: Drill) -> list[tuple[int | None, int]]:
    """Of the pages that show something older than what is stored: their version, and the stored one."""
    versions = dict(VideoSession.objects.values_list("pk", "version"))
    found = [
        (each.shown, versions[each.session_id]) for each in drill.followers if each.session_id in versions
    ]
    return [(shown, stored) for shown, stored in found if shown != stored]


# --- I3, I4: calls


def one_read_at_a_time(drill: Drill) -> None:
    reads: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for call in drill.studio.simulator.control.calls(template="/v3/video-agents/{session_id}", last=100_000)[
        "calls"
    ]:
        if call["method"] == "GET":
            reads[call["path"]].append(call)
    for path, calls in reads.items():
        for one, other in itertools.pairwise(calls):
            ended = one["ended"] or float("inf")
            # One whose reader died, or lost its lease to a database that was away, may still be under way.
            excused = disturbed(drill, one["at"] - 1, other["at"])
            assert ended <= other["at"] or excused, f"{path} was read twice at the same time: {one} {other}"


def budget_kept(drill: Drill, studio: Wired) -> None:
    """As sent, before the network does what it does."""
    rate, burst = studio.rate, studio.burst
    times = sorted(at for at, _ in studio.proxy.requests)
    disturbances = [struck.at for struck in drill.struck if is_disturbance(struck.name)]
    for first, begun in enumerate(times):
        for last in range(first + burst, len(times)):
            seconds = times[last] - begun
            # A wiped limiter lets one through for each process; a frozen process sends late what it was granted.
            slack = 3 + 6 * sum(begun - 12 <= at <= times[last] for at in disturbances)
            allowed = burst + rate * seconds + slack
            assert last - first + 1 <= allowed, f"{last - first + 1} requests within {seconds:.2f} s"


def retry_after_obeyed(drill: Drill, studio: Wired) -> None:
    sent = [at for at, _ in studio.proxy.requests]
    for call in studio.simulator.control.calls(key=studio.key, last=100_000)["calls"]:
        if call["status"] not in (429, 503) or not call["retry_after"].isdigit():
            continue
        answered = call["ended"] + ON_THE_WAY_SECONDS
        until = call["ended"] + int(call["retry_after"]) - 0.1
        early = [at for at in sent if answered < at < until]
        # An answer that its process could not read or note is no disobedience.
        assert not early or disturbed(drill, call["at"] - 12, until), (
            f"asked before Retry-After: {call} {early}"
        )


def disturbed(drill: Drill, since: float, until: float) -> bool:
    return any(is_disturbance(struck.name) and since - 12 <= struck.at <= until for struck in drill.struck)


def is_disturbance(name: str) -> bool:
    """Whether a fault concerned our own processes, the network or what they stand on, not one answer. A clock excuses
    nothing: no rule depends on one."""
    return not name.startswith(("GET ", "POST ", "files", "odd", "45", "reworded", "nothing", "clock"))


# --- I8: secrets


def no_key_in_logs(studio: Wired) -> None:
    for name in ("web", "worker", "commands", "beat"):
        assert studio.key not in studio.dailies.log(name), f"the log of {name} holds the key"


# --- for whoever reads the failure


def explained(drill: Drill) -> str:
    """The faults, what is still wrong, and why: schedules, presses, keys, signs of life, the ends of the logs."""
    studio = drill.studio
    now = clock.now()
    lines = [f"{sum(drill.counts.values())} faults, {drill.presses} presses: {dict(drill.counts)}"]
    lines += ["the last faults: " + ", ".join(f"{each.at:.0f} {each.name}" for each in drill.struck[-12:])]
    lines += [
        f"key {key.fingerprint} {key.scope}: {key.reason} until {key.closed_until}"
        for key in KeyState.objects.all()
    ]
    for sign in Heartbeat.objects.order_by("name"):
        lines.append(f"sign {sign.name}: {(now - sign.seen_at).total_seconds():.1f} s ago {sign.data}")
    remote_ids = dict(VideoSession.objects.values_list("pk", "remote_id"))
    for row in PollState.objects.filter(kind__in=("session", "session_list")):
        due = None if row.next_poll_at is None else round((row.next_poll_at - now).total_seconds(), 1)
        polled = None if row.polled_at is None else round((now - row.polled_at).total_seconds(), 1)
        lines.append(
            f"{row.kind} {remote_ids.get(row.object_id, row.object_id)}: {row.group}, due in {due} s, polled {polled} s"
            f" ago, failures {row.failures} missing {row.missing} {row.reason} {row.message[:100]!r}"
        )
    lines += [_difference(studio, session) for studio, session in all_disagreeing(drill)]
    lines += [
        f"file {file.pk} of {file.resource_id or file.video_id}: {file.state} {file.failure!r}"
        for file in MediaFile.objects.exclude(state="stored")
    ]
    lines += [f"a page shows version {shown}, stored is {stored}" for shown, stored in behind(drill)]
    for command in Command.objects.open().order_by("created_at"):
        due_in = None if command.due_at is None else round((command.due_at - now).total_seconds(), 1)
        lines.append(
            f"{command.kind} {command.state} {command.waiting_for} due in {due_in} s, attempt {command.attempt_at}, "
            f"asks since {command.asks_person_since}, {command.error}"
        )
    for name in ("worker", "commands", "beat", "web"):
        lines.append(f"--- {name}\n{studio.dailies.log(name)[-2500:]}")
    return "\n".join(lines)


def _difference(studio: Wired, session: VideoSession) -> str:
    stored, remote = studio.stored_log(session), studio.remote_log(session)
    status = studio.simulator.control.session(session.remote_id)["status"]
    first = next(
        (place for place, pair in enumerate(zip(stored, remote, strict=False)) if pair[0] != pair[1]),
        min(len(stored), len(remote)),
    )
    return (
        f"{session.remote_id} ({session.prompt}): we say {session.status} with {len(stored)} messages, HeyGen {status} "
        f"with {len(remote)}; gaps {_gaps(session)}; the first difference is at {first}:"
        f" {_shortened(stored[first:])} / {_shortened(remote[first:])}"
    )


def _gaps(session: VideoSession) -> list[int]:
    return list(session.gaps.values_list("after_position", flat=True))


def _shortened(messages: Sequence[tuple[str, str]]) -> list[str]:
    return [f"{role}: {text[:40]}" for role, text in messages[:3]]
