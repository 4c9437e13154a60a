from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from uuid import UUID

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from polling import budget, keys, watching
from polling import connection as redis_connection
from polling.budget import Closed, Priority
from polling.models import KeyState
from tests.polling.things import KEY
from tests.processes import Valkey

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def five_a_second(settings: Settings) -> None:
    settings.POLL_REQUESTS_PER_SECOND = 5
    settings.POLL_BURST = 10


def admitted(priority: Priority, *, key: str = KEY, most: int = 100) -> int:
    for number in range(most):
        try:
            budget.admit(key, priority)
        except Closed:
            return number
    return most


def known_and_full(key: str = KEY) -> None:
    """A key that every process knows, whose bucket is full."""
    budget.learn(key)
    redis_connection.client().hset(f"dailies:key:{key}", "tat", "0")


def test_a_burst_and_then_the_rate(valkey: Valkey) -> None:
    known_and_full()
    assert admitted(Priority.COMMAND) == 10
    with pytest.raises(Closed) as closed:
        budget.admit(KEY, Priority.COMMAND)
    assert closed.value.reason == "budget"
    assert closed.value.retry_after == pytest.approx(0.2, abs=0.05)
    time.sleep(closed.value.retry_after)
    assert admitted(Priority.COMMAND) == 1


def test_lower_priorities_leave_room(valkey: Valkey) -> None:
    known_and_full()
    # Six of ten, and one more of its own small rate; then down to a fifth, and its own; commands take all.
    assert admitted(Priority.BACKGROUND) == 7
    assert admitted(Priority.WATCHED) == 2
    assert admitted(Priority.COMMAND) == 1


def test_a_fast_key_has_several_admitted_at_once(valkey: Valkey, settings: Settings) -> None:
    settings.POLL_REQUESTS_PER_SECOND, settings.POLL_BURST = 1000, 1000
    known_and_full()
    asked = redis_connection.client().info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0)
    begun = time.monotonic()

    assert admitted(Priority.BACKGROUND, most=300) == 300

    most = 300 + 1000 * (time.monotonic() - begun) + 10
    level = budget.level(KEY)
    assert level is not None
    # What was made is taken from the bucket, and at most a hundredth of a second's requests more than that.
    assert 1000 - most <= level <= 1000 - 300 + 1000 * (time.monotonic() - begun)
    assert redis_connection.client().info("commandstats")["cmdstat_evalsha"]["calls"] - asked < 150


def test_what_was_admitted_ahead_ends_with_the_key(
    valkey: Valkey, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.POLL_REQUESTS_PER_SECOND, settings.POLL_BURST = 1, 1000
    known_and_full()
    # So long that what is left of the last handful would still be good.
    monkeypatch.setattr(budget, "AHEAD_SECONDS", 60)
    assert admitted(Priority.BACKGROUND, most=50) == 50

    keys.close(KEY, seconds=20, reason="rate_limited")

    with pytest.raises(Closed, match="rate_limited"):
        budget.admit(KEY, Priority.BACKGROUND)


def test_the_background_is_not_starved(valkey: Valkey, settings: Settings) -> None:
    settings.POLL_REQUESTS_PER_SECOND = 100
    known_and_full()
    counts: Counter[Priority] = Counter()
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        for priority in (Priority.WATCHED, Priority.WATCHED, Priority.BACKGROUND):
            try:
                budget.admit(KEY, priority)
                counts[priority] += 1
            except Closed:
                pass
    total = sum(counts.values())
    assert total <= 100 * 1.5 + 10 + 2
    # A tenth of the rate is the background's in any case; a busy machine may use less than all of it.
    assert counts[Priority.WATCHED] > counts[Priority.BACKGROUND] >= total * 0.08
    assert total > 50


def test_an_unknown_key_starts_with_one_request(valkey: Valkey) -> None:
    assert admitted(Priority.COMMAND) == 1


def test_what_needs_no_key_needs_no_budget(valkey: Valkey) -> None:
    assert admitted(Priority.BACKGROUND, key="", most=50) == 50


def test_keys_do_not_share(valkey: Valkey) -> None:
    known_and_full()
    known_and_full("b" * 16)
    admitted(Priority.COMMAND)
    assert admitted(Priority.COMMAND, key="b" * 16) == 10


def test_a_closed_key_is_closed_for_all_also_after_a_wipe(valkey: Valkey) -> None:
    known_and_full()
    keys.close(KEY, seconds=20, reason="rate_limited")
    for wipe in (False, True):
        if wipe:
            valkey.flush()
        with pytest.raises(Closed) as closed:
            budget.admit(KEY, Priority.COMMAND)
        assert closed.value.reason == "rate_limited"
        assert closed.value.retry_after == pytest.approx(20, abs=1)


def test_a_refused_key_waits_for_a_person(valkey: Valkey) -> None:
    keys.close(KEY, seconds=None, reason="unauthorized")
    with pytest.raises(Closed) as closed:
        budget.admit(KEY, Priority.COMMAND)
    assert (closed.value.reason, closed.value.retry_after) == ("unauthorized", None)

    keys.reopen(KEY)
    assert admitted(Priority.COMMAND) >= 1


def test_no_credit_stops_what_costs_money_only(valkey: Valkey) -> None:
    known_and_full()
    keys.close(KEY, seconds=None, reason="payment_required", scope="paid")
    budget.admit(KEY, Priority.COMMAND)
    with pytest.raises(Closed, match="payment_required"):
        budget.admit(KEY, Priority.COMMAND, paid=True)


def test_a_rest_is_never_shortened(valkey: Valkey) -> None:
    keys.close(KEY, seconds=60, reason="rate_limited")
    longer = KeyState.objects.get().closed_until
    keys.close(KEY, seconds=1, reason="rate_limited")
    closed = keys.state(KEY)
    assert closed is not None
    assert closed.closed_until == longer
    keys.close(KEY, seconds=None, reason="unauthorized")
    keys.close(KEY, seconds=90, reason="rate_limited")
    closed = keys.state(KEY)
    assert closed is not None
    assert (closed.needs_person, closed.reason) == (True, "unauthorized")
    assert KeyState.objects.count() == 1


def test_a_rest_ends_by_itself(valkey: Valkey) -> None:
    known_and_full()
    keys.close(KEY, seconds=0.2, reason="rate_limited")
    assert admitted(Priority.COMMAND) == 0
    time.sleep(0.25)
    assert admitted(Priority.COMMAND) == 10
    assert keys.state(KEY) is None


@pytest.mark.parametrize("ahead", [-60, 60])
def test_a_rest_is_as_long_whatever_the_clocks_say(
    ahead: float, valkey: Valkey, set_clock: Callable[[float], None]
) -> None:
    """One process is told to wait; its clock is off, and so is that of the next one that asks."""
    known_and_full()
    set_clock(ahead)
    keys.close(KEY, seconds=20, reason="rate_limited")
    for clock in (ahead, -ahead):
        set_clock(clock)
        valkey.flush()
        with pytest.raises(Closed) as closed:
            budget.admit(KEY, Priority.COMMAND)
        assert closed.value.retry_after == pytest.approx(20, abs=1)
        assert keys.state(KEY) is not None
    valkey.signal(signal.SIGSTOP)
    try:
        with pytest.raises(Closed) as closed:
            budget.admit(KEY, Priority.COMMAND)
        assert closed.value.retry_after == pytest.approx(20, abs=3)
    finally:
        valkey.signal(signal.SIGCONT)


def test_an_answer_from_before_the_key_was_entered_does_not_count(valkey: Valkey) -> None:
    begun = keys.epoch(KEY)
    keys.reopen(KEY)
    keys.close(KEY, seconds=None, reason="unauthorized", epoch=begun)
    assert keys.state(KEY) is None

    keys.close(KEY, seconds=None, reason="unauthorized", epoch=keys.epoch(KEY))
    assert keys.state(KEY) is not None


def test_a_key_that_is_entered_just_then_stays_open(valkey: Valkey) -> None:
    """The old answer arrives while the person's transaction is under way: it waits for it, and does not count either."""
    begun, waits = keys.epoch(KEY), threading.Event()

    def late_answer() -> None:
        waits.set()
        keys.close(KEY, seconds=None, reason="unauthorized", epoch=begun)
        connection.close()

    late = threading.Thread(target=late_answer)
    with transaction.atomic():
        keys.reopen(KEY)
        late.start()
        assert waits.wait(5)
        # Wherever it is by now, it must not come through before the commit.
        late.join(0.3)
    late.join(10)

    assert keys.state(KEY) is None


@pytest.fixture
def hiccup(valkey: Valkey) -> Iterator[None]:
    """Redis was silent a moment ago, so that for a second this process does not even try to reach it."""
    known_and_full()
    valkey.signal(signal.SIGSTOP)
    try:
        admitted(Priority.COMMAND, most=1)
    finally:
        valkey.signal(signal.SIGCONT)
    assert redis_connection.breaker.resting()


def test_redis_learns_of_a_closed_key_later(hiccup: None) -> None:
    keys.close(KEY, seconds=20, reason="rate_limited")
    redis_connection.breaker.heard()
    with pytest.raises(Closed, match="rate_limited"):
        budget.admit(KEY, Priority.COMMAND)


def test_a_key_that_was_closed_before_the_hiccup_is_opened_in_it(valkey: Valkey) -> None:
    known_and_full()
    keys.close(KEY, seconds=None, reason="unauthorized")
    valkey.signal(signal.SIGSTOP)
    try:
        admitted(Priority.COMMAND, most=1)
    finally:
        valkey.signal(signal.SIGCONT)
    keys.reopen(KEY)
    redis_connection.breaker.heard()

    # In another process, which knows nothing of what this one could not tell.
    budget._untold.clear()
    assert admitted(Priority.COMMAND, most=1) == 1


def test_redis_learns_of_a_closed_key_when_the_rows_can_be_read_again(hiccup: None) -> None:
    keys.close(KEY, seconds=20, reason="rate_limited")
    redis_connection.breaker.heard()

    def away(*_: object) -> None:
        raise OperationalError("the database is restarting")

    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        budget.tell_again()

    with pytest.raises(Closed, match="rate_limited"):
        budget.admit(KEY, Priority.COMMAND)


def test_a_redis_that_takes_no_writes_counts_as_away(valkey: Valkey) -> None:
    """As after a failover, or with a full disk: it answers, but with an error."""
    known_and_full()
    redis_connection.client().config_set("min-replicas-to-write", 1)
    try:
        assert admitted(Priority.COMMAND) == 1
        redis_connection.breaker.heard()
        assert not watching.begin("session", UUID(int=1))
        redis_connection.breaker.heard()
        assert not redis_connection.answers()
    finally:
        redis_connection.client().config_set("min-replicas-to-write", 0)


def test_a_known_key_costs_no_query(valkey: Valkey, queries: CaptureQueriesContext) -> None:
    budget.learn(KEY)
    with queries:
        admitted(Priority.COMMAND)
    assert len(queries.captured_queries) == 0


def test_without_redis_each_process_takes_its_share() -> None:
    budget.share_between(5)
    # One at once, then a fifth of the rate: one a second.
    assert admitted(Priority.COMMAND) == 1
    with pytest.raises(Closed) as closed:
        budget.admit(KEY, Priority.COMMAND)
    assert closed.value.retry_after == pytest.approx(1, abs=0.1)


def test_without_redis_a_closed_key_stays_closed() -> None:
    keys.close(KEY, seconds=20, reason="rate_limited")
    with pytest.raises(Closed, match="rate_limited"):
        budget.admit(KEY, Priority.COMMAND)


def test_a_frozen_redis_costs_half_a_second_once(valkey: Valkey) -> None:
    known_and_full()
    valkey.signal(signal.SIGSTOP)
    try:
        begun = time.monotonic()
        for _ in range(20):
            admitted(Priority.COMMAND, most=1)
        assert time.monotonic() - begun < 1.2
    finally:
        valkey.signal(signal.SIGCONT)


def test_headroom(valkey: Valkey) -> None:
    known_and_full()
    assert budget.headroom([KEY, "", "unknown"], seconds=1.0) == {KEY: 6 + 5, "unknown": 5}
    admitted(Priority.COMMAND)
    assert budget.headroom([KEY], seconds=1.0) == {KEY: 5}
    assert budget.level(KEY) == pytest.approx(0, abs=0.3)


def spend(url: str, priority: int, begin: Event, report: Connection) -> None:
    """Another process: takes what it gets for three seconds, and reports when."""
    settings.REDIS_URL = url
    begin.wait()
    times = []
    end = time.monotonic() + 3
    while time.monotonic() < end:
        try:
            budget.admit(KEY, Priority(priority))
            times.append(time.monotonic())  # the same clock for all processes of a machine
        except Closed as closed:
            time.sleep(min(closed.retry_after or 1, 0.02))
    report.send(times)
    # Without the exit handlers of the test run, whose copy this is.
    os._exit(0)


def test_ten_processes_share_one_budget(valkey: Valkey) -> None:
    """Also when Redis is wiped in the middle, the rate is never over by more than the burst."""
    known_and_full()
    # A fork must not inherit connections: each would read the other's answers.
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()
    redis_connection.client().connection_pool.disconnect()
    context = multiprocessing.get_context("fork")
    begin = context.Event()
    pipes, processes = [], []
    for number in range(10):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=spend, args=(valkey.url, number % 3, begin, sender))
        process.start()
        pipes.append(receiver)
        processes.append(process)
    wipe = threading.Timer(1.5, valkey.flush)
    wipe.start()
    begin.set()
    times = sorted(at for pipe in pipes for at in pipe.recv())
    wipe.join()
    for process in processes:
        process.join(10)

    # In every stretch of time: the burst and what the rate gives, and the one request after a wipe.
    for first in range(len(times)):
        for last in range(first, len(times)):
            assert last - first + 1 <= 10 + 5 * (times[last] - times[first]) + 1 + 0.5
    assert len(times) >= 5 * 3 * 0.9


def database_url() -> str:
    """The test database, for another process."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    return f"postgresql://{values['USER']}@{values['HOST']}:{values['PORT']}/{values['NAME']}"
