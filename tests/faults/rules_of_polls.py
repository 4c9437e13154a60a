"""What the engine promises about polls, keys and budgets, and what is seen when one of its rules is undone."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Q
from django.db.models.functions import Now

from commands import tokens
from polling import budget, changes, claims, clock, heartbeats, keys, schedule, watchdog
from polling.kinds import Claim
from polling.models import Heartbeat, KeyEntry, KeyState, PollState, Rank
from polling.statements import Statements
from sessions_app import actions
from sessions_app.models import VideoSession
from tests.factories import VideoSessionFactory
from tests.faults import stops
from tests.faults.followers import Follower
from tests.faults.pages import Page
from tests.faults.rule import (
    CREATE,
    ON_THE_WAY_SECONDS,
    READ,
    Rule,
    asked_between,
    begun,
    promised,
    reads,
    refused,
    waiting,
)
from tests.faults.wired import Wired
from tests.polling.test_mutations import (
    nothing,
    shortens,
    sql,
    wakes_only_what_rests,
    without_lease,
    without_sequence,
    without_token,
)
from tests.processes import wait_until
from timeline.models import Event
from workspaces_app import keys as workspace_keys

REST_SECONDS = 4
HEAL_SECONDS = 10.0


def enrolled(wired: Wired, count: int, *, group: str) -> list[UUID]:
    """So many more sessions that HeyGen is asked for at once."""
    ids = [each.pk for each in VideoSessionFactory.create_batch(count, workspace=wired.workspace)]
    fingerprint = wired.workspace.key_fingerprint
    schedule.enroll("session", ids, workspace_id=wired.workspace.pk, fingerprint=fingerprint, group=group)
    return ids


def row(session: VideoSession) -> PollState:
    return PollState.objects.get(kind="session", object_id=session.pk)


# --- one at a time


def assert_one_by_one(wired: Wired, sessions: Iterable[VideoSession]) -> None:
    for session in sessions:
        for one, other in itertools.pairwise(reads(wired, session)):
            assert (one["ended"] or float("inf")) <= other["at"], (one, other)


def one_reads_at_a_time(wired: Wired, *, seconds: float = 2) -> None:
    session = begun(wired, "A film about bees")
    wired.simulator.control.fault("slow", READ, method="GET", seconds=seconds)
    before = len(reads(wired, session))
    schedule.wake("session", [session.pk])
    wait_until(lambda: len(reads(wired, session)) > before, seconds=20, what="it is being read")
    wait_until(lambda: reads(wired, session)[before]["ended"], seconds=seconds + 10, what="that read is over")
    schedule.wake("session", [session.pk])
    wait_until(lambda: len(reads(wired, session)) > before + 1, seconds=20, what="it is read again")
    with promised():
        assert_one_by_one(wired, [session])


def a_read_longer_than_a_lease_is_the_only_one(wired: Wired) -> None:
    one_reads_at_a_time(wired, seconds=claims.LEASE_SECONDS + 3)


def all_are_read_again(wired: Wired, sessions: list[VideoSession]) -> None:
    numbers = {session: len(reads(wired, session)) for session in sessions}

    def was_read(session: VideoSession) -> bool:
        found = reads(wired, session)
        return len(found) > numbers[session] and bool(found[-1]["ended"])

    schedule.wake("session", [session.pk for session in sessions])
    wait_until(lambda: all(map(was_read, sessions)), seconds=20, what="all are read")


def two_workers_share(wired: Wired) -> None:
    """What comes due in one moment is seen by both."""
    wired.dailies.start("worker:2")
    sessions = [
        begun(wired, f"A film about {name}")
        for name in ("wasps", "flies", "gnats", "midges", "ticks", "lice")
    ]
    wait_until(lambda: heartbeats.live_workers() >= 3, seconds=20, what="both workers live")
    wired.simulator.control.fault("slow", READ, method="GET", seconds=0.7, count=None)
    for _ in range(4):
        all_are_read_again(wired, sessions)
    with promised():
        assert_one_by_one(wired, sessions)


def a_late_answer_is_dropped(wired: Wired) -> None:
    """A worker freezes with news in its hands, and another one brings later ones."""
    control, dailies = wired.simulator.control, wired.dailies
    session = begun(wired, "A film about ants")
    stop = stops.ask(dailies, "write", session.pk)
    control.messages(session.remote_id, {"say": "One thing first.", "role": "model"})
    stop.freeze("worker")
    control.messages(session.remote_id, {"ask": "Which one?"})
    dailies.start("worker:2")
    wired.until(session, "status == 'waiting_for_input'")
    dailies.kill("worker:2")
    control.messages(session.remote_id, {"say": "The red one, or the blue one?", "role": "model"})
    dailies.signal("worker", signal.SIGCONT)
    schedule.wake("session", [session.pk])
    # What it has in its hands it writes first.
    wired.until(session, "session.messages.filter(content__startswith='The red').exists()", seconds=40)
    statuses = Event.objects.filter(object_id=session.pk, what="session.status").values_list(
        "data", flat=True
    )
    with promised():
        assert [data for data in statuses if data["from"] == "waiting_for_input"] == []


# --- as it is now


def who_wakes_during_a_read_is_heard(wired: Wired) -> None:
    """The press is accepted while the session is being read, as it was before."""
    session = waiting(wired, "A film about newts")
    wired.simulator.control.fault("slow", READ, method="GET", seconds=3, after=True)
    # In its turn: one that was woken is read once more soon after, whatever it finds.
    PollState.objects.filter(object_id=session.pk).update(next_poll_at=Now())
    wait_until(lambda: reads(wired, session)[-1]["ended"] is None, what="it is being read")
    actions.send(session, text="Warmer, please", token=tokens.new(), by=wired.person)
    wait_until(lambda: wired.sent(), what="HeyGen took the message")
    with promised():
        wired.until(session, "status != 'waiting_for_input'", seconds=8)


def a_page_hears_what_is_stored(wired: Wired) -> None:
    """Not of what is about to be: it would ask too early, and believe that it had seen it."""
    wired.dailies.start("web")
    session = begun(wired, "A film about toads")
    page = Follower(wired.dailies, wired.person, session.pk, foreign="Ribbit")
    try:
        wait_until(lambda: page.shown, seconds=20, what="the page is open")
        wired.simulator.control.messages(
            session.remote_id, {"say": "Ribbit, said the toad.", "role": "model"}
        )
        wired.until(session, "session.messages.filter(content__startswith='Ribbit').exists()", seconds=20)
        with promised():
            wait_until(lambda: page.overheard, seconds=5, what="the page shows it")
    finally:
        page.leave()


# --- keys that rest


def asks_again(wired: Wired, session: VideoSession, until: float) -> bool:
    return any(call["at"] > until for call in reads(wired, session))


def nobody_asks_before_its_time(wired: Wired) -> None:
    session, other = begun(wired, "A film about cats"), begun(wired, "A film about dogs")
    wired.simulator.control.fault("status", READ, method="GET", status=429, retry_after=REST_SECONDS)
    wait_until(lambda: refused(wired, 429), seconds=20, what="HeyGen asks for a rest")
    since = refused(wired, 429)[0]["ended"]
    until = since + REST_SECONDS
    wait_until(lambda: time.time() > since + ON_THE_WAY_SECONDS, what="nothing is on its way any more")
    schedule.wake("session", [session.pk, other.pk])
    with promised():
        wait_until(lambda: asks_again(wired, session, until), seconds=20, what="it is read again")
        assert asked_between(wired, since + ON_THE_WAY_SECONDS, until - 0.1) == []


def a_wiped_redis_ends_no_rest(wired: Wired) -> None:
    """A press right after it: the mirror looks at the rows anyway."""
    session = begun(wired, "A film about hens")
    wired.simulator.control.fault("status", READ, method="GET", status=429, retry_after=REST_SECONDS)
    wait_until(lambda: refused(wired, 429), seconds=20, what="HeyGen asks for a rest")
    since = refused(wired, 429)[0]["ended"]
    until = since + REST_SECONDS
    wait_until(lambda: time.time() > since + ON_THE_WAY_SECONDS, what="nothing is on its way any more")
    assert keys.state(wired.workspace.key_fingerprint)
    wired.valkey.flush()
    made = wired.create("A film about ducks")
    wired.until(made, "remote_id is not None", seconds=20)
    with promised():
        wait_until(lambda: asks_again(wired, session, until), seconds=20, what="it is read again")
        assert asked_between(wired, since + ON_THE_WAY_SECONDS, until - 0.1) == []


def a_short_rest_shortens_no_long_one(wired: Wired) -> None:
    """A worker freezes with the wish for a second in its hands; then another process hears of a longer rest."""
    control, dailies = wired.simulator.control, wired.dailies
    session = begun(wired, "A film about pigs")
    fingerprint = wired.workspace.key_fingerprint
    stop = stops.ask(dailies, "close", fingerprint)
    control.fault("status", READ, method="GET", status=429, retry_after=1)
    stop.freeze("worker")
    control.fault("status", CREATE, method="POST", status=429, retry_after=REST_SECONDS)
    made = wired.create("A film about cows")
    wait_until(lambda: keys.state(fingerprint), seconds=20, what="HeyGen asks for a long rest")
    since = refused(wired, 429)[-1]["ended"]
    until = since + REST_SECONDS
    dailies.signal("worker", signal.SIGCONT)
    wired.until(made, "remote_id is not None", seconds=20)
    with promised():
        wait_until(lambda: asks_again(wired, session, until), seconds=20, what="it is read again")
        assert asked_between(wired, since + ON_THE_WAY_SECONDS, until - 0.1) == []


def a_late_refusal_closes_no_new_key(wired: Wired) -> None:
    """A worker freezes with a 401 in its hands; meanwhile somebody enters the key once more."""
    control, dailies = wired.simulator.control, wired.dailies
    session = begun(wired, "A film about goats")
    fingerprint = wired.workspace.key_fingerprint
    stop = stops.ask(dailies, "close", fingerprint)
    control.fault("status", READ, method="GET", status=401)
    stop.freeze("worker")
    workspace_keys.save(wired.workspace, wired.key, by=wired.person, checked=True)
    asked = len(reads(wired, session))
    dailies.signal("worker", signal.SIGCONT)
    with promised():
        wait_until(lambda: len(reads(wired, session)) > asked, seconds=12, what="it is read again")
        assert not KeyState.objects.filter(fingerprint=fingerprint, needs_person=True).exists()


# --- budgets


def assert_within_budget(wired: Wired, *, since: int = 0, share: float = 1) -> None:
    """Of the requests from the number `since` on."""
    times = sorted(at for at, _ in wired.proxy.requests[since:])
    within = [
        (times[end] - times[start], end - start + 1)
        for start in range(len(times))
        for end in range(start, len(times))
    ]
    over = [
        (seconds, number)
        for seconds, number in within
        if number > share * (wired.burst + wired.rate * seconds) + 3
    ]
    assert over == []


def many_do_not_exceed_the_budget(wired: Wired) -> None:
    before = len(wired.proxy.requests)
    ids = enrolled(wired, 150, group="working")
    wait_until(lambda: len(wired.proxy.requests) > before + 75, seconds=30, what="half of them are read")
    schedule.retire("session", ids)
    with promised():
        assert_within_budget(wired)


def each_takes_its_share_without_redis(wired: Wired) -> None:
    """It goes in the middle of a drain, which goes on."""
    before = len(wired.proxy.requests)
    ids = enrolled(wired, 400, group="working")
    wait_until(lambda: len(wired.proxy.requests) > before + 30, seconds=20, what="a drain is at it")
    wired.valkey.kill()
    number = len(wired.proxy.requests)
    wait_until(lambda: len(wired.proxy.requests) > number + 80, seconds=40, what="it goes on")
    schedule.retire("session", ids)
    wired.valkey.start()
    with promised():
        # It is one of three, so a third is its own.
        assert_within_budget(wired, since=number, share=0.4)


def what_rests_gets_its_turn(wired: Wired) -> None:
    """Ever more is due than the budget allows, of what is at work."""
    busy = enrolled(wired, 150, group="working")
    quiet = enrolled(wired, 2, group="done")
    # Only those: a row that is being updated here is skipped by a claim.
    hot = PollState.objects.filter(kind="session", object_id__in=busy, lease_token=None).filter(
        Q(next_poll_at=None) | Q(next_poll_at__gt=Now())
    )

    def all_are_read() -> bool:
        hot.update(next_poll_at=clock.later(-60), rank=Rank.HOT, missing=0, failures=0)
        asked = PollState.objects.filter(object_id__in=quiet, sequence__gt=0)
        return asked.count() == len(quiet)

    try:
        with promised():
            wait_until(all_are_read, seconds=20, what="the quiet ones are read")
    finally:
        schedule.retire("session", busy + quiet)


# --- back again


def all_comes_back_at_once(wired: Wired) -> None:
    """HeyGen was away for so long that everything has long pauses."""
    sessions = [
        begun(wired, f"A film about {name}") for name in ("oaks", "elms", "limes", "firs", "pines", "yews")
    ]
    mine = PollState.objects.filter(workspace=wired.workspace)
    wired.proxy.refuse()
    schedule.wake("session", [session.pk for session in sessions])
    away = heartbeats.REMOTE + wired.workspace.key_fingerprint
    wait_until(
        lambda: Heartbeat.objects.filter(name=away).exclude(data__reason="").exists(),
        seconds=20,
        what="it is known to be away",
    )
    wait_until(lambda: not mine.filter(lease_until__gt=Now()).exists(), seconds=20, what="nobody is asking")
    mine.filter(next_poll_at__isnull=False).update(
        next_poll_at=clock.later(600), failures=8, reason="unreachable", woken=False
    )
    wired.proxy.restore()
    moment = clock.now()
    ids = [session.pk for session in sessions]
    with promised():
        wait_until(
            lambda: PollState.objects.filter(object_id__in=ids, polled_at__gt=moment).count() == len(ids),
            seconds=HEAL_SECONDS + 2,
            what="all are read",
        )


def who_hangs_is_found_out(wired: Wired) -> None:
    """The worker lives and does nothing."""
    wired.dailies.start("web")
    session = begun(wired, "A film about sloths")
    page = Page(wired, wired.person)
    wait_until(lambda: page.says() == set(), seconds=60, what="all is quiet")
    stop = stops.ask(wired.dailies, "drain", "polls")
    schedule.wake("session", [session.pk])
    with promised():
        wait_until(lambda: page.says() == {"stalled"}, seconds=60, what="it is said on every page")
    stop.lift()


# --- undone


def without_leases(patch: pytest.MonkeyPatch) -> None:
    """Neither given nor renewed."""
    sql(without_lease)(patch)
    nothing(claims, "renew")(patch)


def takes_what_it_saw(patch: pytest.MonkeyPatch) -> None:
    """A claim in two steps: what was due a moment ago is taken, whoever has taken it meanwhile."""
    take = claims.claim

    def claim(lane: str, quotas: Any, **options: Any) -> list[Claim]:
        due = PollState.objects.filter(lane=lane, next_poll_at__lte=Now(), key_fingerprint__in=list(quotas))
        seen = list(due.values_list("pk", flat=True))
        if seen:
            time.sleep(0.3)
            PollState.objects.filter(pk__in=seen).update(next_poll_at=clock.later(-1))
        return take(lane, quotas, **options)

    patch.setattr(claims, "claim", claim)


def ranks_only(known: Statements) -> Statements:
    """The higher rank always goes first."""
    return replace(known, claim=known.claim.replace("(2, 16,", "(2, 1000000000,"))


def says_it_early(patch: pytest.MonkeyPatch) -> None:
    """And the commit takes its time."""

    def at_once(work: Any, **_: Any) -> None:
        work()
        time.sleep(0.5)

    patch.setattr(changes.transaction, "on_commit", at_once)


RULES = (
    Rule("lease", without_leases, one_reads_at_a_time, quick=True),
    Rule("lease renewed", nothing(claims, "renew"), a_read_longer_than_a_lease_is_the_only_one),
    Rule("claim in one step", takes_what_it_saw, two_workers_share),
    Rule("fence", sql(lambda known: without_token(without_sequence(known))), a_late_answer_is_dropped, quick=True),
    Rule("level-triggered", lambda patch: patch.setattr(schedule, "wake", wakes_only_what_rests), who_wakes_during_a_read_is_heard),
    Rule("nothing said before the commit", says_it_early, a_page_hears_what_is_stored),
    Rule("a rest is kept", nothing(keys, "close"), nobody_asks_before_its_time, quick=True),
    Rule("a rest outlives a wipe", nothing(budget, "_rests", {}), a_wiped_redis_ends_no_rest),
    Rule("a rest is never shortened", lambda patch: patch.setattr(keys, "_extend", shortens), a_short_rest_shortens_no_long_one),
    Rule("a late refusal is out of date", nothing(keys, "_entry", KeyEntry(epoch=0)), a_late_refusal_closes_no_new_key),
    Rule("budget", nothing(budget, "admit"), many_do_not_exceed_the_budget, quick=True),
    Rule("budget without Redis", nothing(budget._LocalBudget, "admit"), each_takes_its_share_without_redis),
    Rule("no rank starves", sql(ranks_only), what_rests_gets_its_turn),
    Rule("recovery", nothing(schedule, "recover"), all_comes_back_at_once),
    Rule("one that tries while all wait", nothing(schedule, "probe", False), all_comes_back_at_once),
    Rule("a stall is noticed", nothing(watchdog, "stalled", 0.0), who_hangs_is_found_out),
)  # fmt: skip
