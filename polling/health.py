"""What is wrong with the mirror right now, in words for a banner. Each shows within a minute and goes with its cause."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polling import budget, clock, connection, heartbeats, kinds, reasons, watchdog
from polling.budget import Priority
from polling.conf import figure
from polling.models import Heartbeat, KeyState, PollState, Rank

# Due for so long with an empty bucket: the budget is what holds the mirror up.
BUDGET_LAG_SECONDS = 30.0
# What workers do, by the queues that they listen to.
QUEUES = ("polls", "commands")

TEXTS: dict[str, Promise] = {
    "redis_gone": _("Redis cannot be reached. Pages show what is stored; changes arrive late."),
    "worker_gone": _("No worker is running. What you see is not being renewed, and buttons wait."),
    "polls_gone": _("The worker that renews what you see is not running. Buttons work."),
    "commands_gone": _("The worker that sends what you press is not running. It goes out when that is back."),
    "beat_gone": _("The clock process (beat) is not running. What you see may not be renewed."),
    "stalled": _("The mirror is stalled: work is due, but nothing is being renewed."),
    "key_refused": _("An administrator of the workspace must replace it."),
    "no_credit": _(
        "Nothing new is started until an administrator of the workspace says on its page that there is credit again."
    ),
    "used_up": _("What you start goes out as soon as it may again."),
    "rate_limited": _("What you see is renewed again in a moment."),
    "budget_exhausted": _("More is due than the request budget allows. What you see is renewed more slowly."),
    "heygen_unreachable": _("What you see is the last known state."),
}
# Why, where `reasons` says it; the text above goes on.
BECAUSE = {
    "key_refused": "unauthorized",
    "no_credit": "payment_required",
    "used_up": "quota_exceeded",
    "rate_limited": "rate_limited",
    "heygen_unreachable": "unreachable",
}
# Reading goes on.
ONLY_PAID = ("no_credit", "used_up")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `fingerprint` is "" for what concerns the whole installation."""

    code: str
    fingerprint: str = ""
    since: datetime.datetime | None = None

    @property
    def text(self) -> str:
        fact = reasons.fact(BECAUSE.get(self.code, ""))
        return f"{fact} {TEXTS[self.code]}" if fact else str(TEXTS[self.code])


def problems(fingerprints: Iterable[str] = ()) -> list[Problem]:
    """The installation's problems and those of these keys, the one to act on first. A handful of small queries.

    A cause hides its consequences: without Redis no tick arrives, and without a worker nothing is renewed.
    """
    keys = set(fingerprints) - {""}
    now = clock.now()
    redis_here = connection.answers()
    found = _of_processes(now, redis_here)
    found += _of_keys(keys, now)
    stopped = {problem.code for problem in found}
    if redis_here and not stopped & {"worker_gone", "polls_gone"}:
        found += _of_budgets(keys - {problem.fingerprint for problem in found})
    return found


def _of_processes(now: datetime.datetime, redis_here: bool) -> list[Problem]:
    of_keys = Q(name__startswith=heartbeats.REMOTE) | Q(name__startswith=heartbeats.ANSWERED)
    rows = list(Heartbeat.objects.exclude(of_keys))
    signs = {row.name: row.seen_at for row in rows}

    def alive(seen_at: datetime.datetime | None) -> bool:
        return seen_at is not None and (now - seen_at).total_seconds() < heartbeats.GONE_SECONDS

    found = []
    if not redis_here:
        found.append(Problem("redis_gone"))
    found += _of_workers([row for row in rows if row.name.startswith(heartbeats.WORKER)], alive)
    beat, tick = signs.get(heartbeats.BEAT), signs.get(heartbeats.TICK)
    if not alive(beat):
        found.append(Problem("beat_gone", since=beat))
    if not found and (not alive(tick) or any(watchdog.stalled(lane) for lane in kinds.lanes())):
        found.append(Problem("stalled", since=tick))
    return found


def _of_workers(
    rows: Sequence[Heartbeat], alive: Callable[[datetime.datetime | None], bool]
) -> list[Problem]:
    """Polls and presses have workers of their own. One that does not say what it does, does both."""
    newest = {
        queue: max((row.seen_at for row in rows if queue in row.data.get("queues", QUEUES)), default=None)
        for queue in QUEUES
    }
    gone = {queue: seen_at for queue, seen_at in newest.items() if not alive(seen_at)}
    if len(gone) == len(QUEUES):
        return [Problem("worker_gone", since=max(filter(None, gone.values()), default=None))]
    return [Problem(f"{queue}_gone", since=seen_at) for queue, seen_at in gone.items()]


def _of_keys(keys: set[str], now: datetime.datetime) -> list[Problem]:
    found = []
    for row in KeyState.objects.filter(fingerprint__in=keys).order_by("fingerprint", "scope"):
        if row.remaining(now) == 0.0:
            continue
        if row.scope == KeyState.Scope.PAID:
            code = "no_credit" if row.needs_person else "used_up"
            found.append(Problem(code, row.fingerprint, row.since))
        elif row.needs_person:
            found.append(Problem("key_refused", row.fingerprint, row.since))
        else:
            found.append(Problem("rate_limited", row.fingerprint, row.since))
    resting = {problem.fingerprint for problem in found if problem.code not in ONLY_PAID}
    signs = Heartbeat.objects.filter(
        name__in=[heartbeats.REMOTE + key for key in sorted(keys - resting)],
        # Failing objects are tried again sooner than that: an older sign is about a key that nobody uses.
        seen_at__gt=clock.later(-2 * figure("POLL_FAILURE_MAX_SECONDS")),
    )
    for sign in signs:
        if sign.data.get("reason"):
            key = sign.name.removeprefix(heartbeats.REMOTE)
            found.append(Problem("heygen_unreachable", key))
    return found


def _of_budgets(keys: set[str]) -> list[Problem]:
    late = clock.later(-BUDGET_LAG_SECONDS)
    found = []
    for key in sorted(keys):
        level = budget.level(key)
        if level is None or level > budget.reserve(Priority.BACKGROUND) + 1:
            continue
        waiting = PollState.objects.filter(
            lane__in=kinds.lanes(), key_fingerprint=key, rank__in=Rank.values, next_poll_at__lte=late
        )
        oldest = waiting.order_by("next_poll_at").values_list("next_poll_at", flat=True).first()
        if oldest is not None:
            found.append(Problem("budget_exhausted", key, oldest))
    return found
