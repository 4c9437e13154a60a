from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from workspaces_app import throttle
from workspaces_app.models import SignInBucket
from workspaces_app.throttle import Allowance, Bucket

NOW = 1_800_000_000.0
THREE = Bucket("three", Allowance(burst=3, seconds=10))


@pytest.mark.django_db
def test_burst_then_one_at_a_time() -> None:
    waits = [throttle.draw([THREE], now=NOW) for _ in range(5)]
    assert waits == [0.0, 0.0, 0.0, 10.0, 10.0]
    assert throttle.draw([THREE], now=NOW + 4) == 6.0
    assert throttle.draw([THREE], now=NOW + 10) == 0.0


@pytest.mark.django_db
def test_a_refused_try_costs_nothing_anywhere() -> None:
    wide = Bucket("wide", Allowance(burst=4, seconds=10))
    for _ in range(50):
        throttle.draw([wide, THREE], now=NOW)
    # Three went through both, so one is left of the wide one.
    assert [throttle.draw([wide], now=NOW) for _ in range(2)] == [0.0, 10.0]


@pytest.mark.django_db
def test_giving_back_makes_room() -> None:
    for _ in range(3):
        throttle.draw([THREE], now=NOW)
    throttle.give_back([THREE])
    assert throttle.draw([THREE], now=NOW) == 0.0


@pytest.mark.django_db
def test_strangers_slow_an_account_down_and_cannot_lock_it() -> None:
    for number in range(400):
        throttle.draw(
            throttle.buckets(email="amy@example.com", visitor=f"203.0.113.{number}", device=None), now=NOW
        )
    new_browser = throttle.buckets(email="amy@example.com", visitor="198.51.100.7", device=None)
    known_browser = throttle.buckets(email="amy@example.com", visitor="198.51.100.7", device="d1")
    wait = throttle.draw(new_browser, now=NOW)
    assert 0 < wait <= throttle.BY_ACCOUNT.seconds
    assert throttle.draw(new_browser, now=NOW + wait) == 0.0
    assert throttle.draw(known_browser, now=NOW) == 0.0


@pytest.mark.django_db
def test_table_names_nobody() -> None:
    throttle.draw(throttle.buckets(email="amy@example.com", visitor="203.0.113.9", device=None), now=NOW)
    keys = list(SignInBucket.objects.values_list("key", flat=True))
    assert len(keys) == 3
    assert not [key for key in keys if "amy" in key or "203" in key]


@pytest.mark.django_db
def test_empty_buckets_are_forgotten_after_an_hour() -> None:
    throttle.draw([THREE], now=NOW)
    assert throttle.forget_old(now=NOW + 3600) == 0
    assert throttle.forget_old(now=NOW + 3700) == 1


@pytest.mark.django_db(transaction=True)
def test_tries_at_the_same_time_share_no_token() -> None:
    throttle.draw([THREE], now=NOW)

    def one(_number: int) -> float:
        try:
            return throttle.draw([THREE], now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(one, range(16)))
    assert waits.count(0.0) == 2
