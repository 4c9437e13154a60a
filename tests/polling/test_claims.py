from __future__ import annotations

import datetime
import re
import threading
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from polling import claims, keys, schedule, watching
from polling.claims import Outcome
from polling.clock import later
from polling.models import PollState, Rank
from tests.polling.things import KEY, Things, make_due, row
from tests.processes import Valkey


def claimed(limit: int = 100, **quotas: int) -> list[UUID]:
    found = claims.claim("polls", quotas or {KEY: 1000}, token=uuid4(), limit=limit)
    return [claim.object_id for claim in found]


def test_a_claim_is_a_lease(things: Things) -> None:
    (pk,) = things.add()
    token = uuid4()

    (claim,) = claims.claim("polls", {KEY: 5}, token=token)

    state = row(pk)
    assert (claim.object_id, claim.workspace_id, claim.fingerprint) == (pk, things.workspace_id, KEY)
    assert (claim.sequence, claim.lease_token, claim.digest, claim.group) == (1, token, "", "working")
    assert (claim.polled_at, claim.changed_at, claim.watched, claim.woken) == (None, None, False, True)
    assert 0 <= claim.age < 5
    assert (state.lease_token, state.sequence) == (token, 1)
    assert state.lease_until == state.next_poll_at
    assert claimed() == []


def test_a_drain_that_died_heals_by_itself(things: Things) -> None:
    (pk,) = things.add()
    claimed()
    make_due(pk)  # eight seconds later
    assert claimed() == [pk]
    assert row(pk).sequence == 2


def test_racing_claims_share_without_overlap(things: Things) -> None:
    ids = things.add(300)
    results: list[list[UUID]] = []
    start = threading.Barrier(6)

    def race() -> None:
        try:
            start.wait()
            mine: list[UUID] = []
            while batch := claims.claim("polls", {KEY: 1000}, token=uuid4(), limit=20):
                mine += [claim.object_id for claim in batch]
            results.append(mine)
        finally:
            connection.close()

    racers = [threading.Thread(target=race) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()

    counted = Counter(pk for mine in results for pk in mine)
    assert counted == Counter(ids)


def test_keys_take_turns(things: Things) -> None:
    busy = set(things.add(50, key="a" * 16))
    quiet = set(things.add(3, key="b" * 16))

    found = set(claimed(limit=10, **{"a" * 16: 100, "b" * 16: 100}))

    assert (len(found & busy), len(found & quiet)) == (7, 3)


def test_a_key_gets_no_more_than_its_quota(things: Things) -> None:
    things.add(50)
    assert len(claimed(**{KEY: 7})) == 7
    assert claimed(**{KEY: 0}) == []


def test_ranks_take_turns_and_none_starves(things: Things) -> None:
    by_rank = {rank: things.add(100) for rank in Rank}
    for rank, ids in by_rank.items():
        # The lower rank has waited longer.
        PollState.objects.filter(object_id__in=ids).update(rank=rank, next_poll_at=later(-10 * (1 + rank)))

    found = set(claimed(limit=100))

    counts = {rank: len(found & set(ids)) for rank, ids in by_rank.items()}
    assert counts == {
        Rank.WATCHED: pytest.approx(77, abs=2),
        Rank.HOT: pytest.approx(19, abs=1),
        Rank.IDLE: pytest.approx(5, abs=1),
    }


def test_none_starves_where_claims_are_smaller_than_a_round_of_turns(things: Things) -> None:
    """A key with the usual budget is allowed two or three reads at a time."""
    hot, (idle,) = things.add(30), things.add(1)
    PollState.objects.filter(object_id__in=hot).update(rank=Rank.HOT)
    PollState.objects.filter(object_id=idle).update(rank=Rank.IDLE)

    def gets_its_turn() -> bool:
        make_due(*hot)
        return idle in claimed(**{KEY: 2})

    # One turn in three on average: this many in vain are as good as never.
    assert any(gets_its_turn() for _ in range(100))


def test_the_longest_waiting_goes_first(things: Things) -> None:
    ids = things.add(5)
    for seconds, pk in enumerate(ids):
        PollState.objects.filter(object_id=pk).update(next_poll_at=later(-seconds - 1))
    assert set(claimed(limit=2)) == {ids[4], ids[3]}


def test_closed_keys_are_skipped(things: Things) -> None:
    things.add(1, key="a" * 16)
    things.add(1, key="b" * 16)
    things.add(1, key="c" * 16)
    things.add(1, key="")
    keys.close("a" * 16, seconds=None, reason="unauthorized")
    keys.close("b" * 16, seconds=60, reason="rate_limited")
    keys.close("c" * 16, seconds=None, reason="payment_required", scope="paid")

    assert sorted(claims.due_keys("polls")) == ["", "c" * 16]

    keys.reopen("a" * 16)
    assert sorted(claims.due_keys("polls")) == ["", "a" * 16, "c" * 16]


def later_time(seconds: float) -> datetime.datetime:
    return timezone.now() + datetime.timedelta(seconds=seconds)


def test_lanes_are_apart(things: Things) -> None:
    things.add(1)
    assert claims.due_keys("files") == []
    assert claims.claim("files", {KEY: 5}, token=uuid4()) == []


def test_a_watched_object_is_told(things: Things, valkey: Valkey) -> None:
    ids = things.add(2)
    watching.begin("thing", ids[0])

    found = claims.claim("polls", {KEY: 5}, token=uuid4())

    assert {claim.object_id: claim.watched for claim in found} == {ids[0]: True, ids[1]: False}


def outcome(pk: int, sequence: int, **fields: object) -> Outcome:
    values = {
        "delay": 5.0,
        "group": "working",
        "rank": 1,
        "digest": "d",
        "polled": True,
        "changed": False,
        "failures": 0,
        "missing": 0,
        "reason": "",
        "message": "",
    }
    return Outcome(pk=pk, sequence=sequence, **{**values, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["token", "sequence"])
def test_the_fence(things: Things, wrong: str) -> None:
    (pk,) = things.add()
    (claim,) = claims.claim("polls", {KEY: 5}, token=uuid4())
    token = uuid4() if wrong == "token" else claim.lease_token
    sequence = claim.sequence + (wrong == "sequence")

    assert claims.finish(token, [outcome(claim.pk, sequence)]) == set()
    assert row(pk).polled_at is None
    assert claims.finish(claim.lease_token, [outcome(claim.pk, claim.sequence)]) == {claim.pk}
    assert claims.finish(claim.lease_token, [outcome(claim.pk, claim.sequence)]) == set()


def test_an_outcome_keeps_what_it_does_not_name(things: Things) -> None:
    (pk,) = things.add()
    PollState.objects.update(digest="old", reason="r", message="m")
    (claim,) = claims.claim("polls", {KEY: 5}, token=uuid4())

    claims.finish(
        claim.lease_token,
        [outcome(claim.pk, claim.sequence, delay=None, digest=None, polled=False, reason=None, message=None)],
    )

    state = row(pk)
    assert (state.digest, state.reason, state.message, state.polled_at) == ("old", "r", "m", None)
    assert (state.next_poll_at, state.lease_until) == (None, None)


def test_only_a_drains_own_leases_are_renewed(things: Things) -> None:
    ids = things.add(2)
    mine, other = uuid4(), uuid4()
    claims.claim("polls", {KEY: 1}, token=mine)
    claims.claim("polls", {KEY: 1}, token=other)
    PollState.objects.update(lease_until=later(1), next_poll_at=later(1))
    before = {state.lease_token: state.lease_until for state in map(row, ids)}

    claims.renew(mine, [row(pk).pk for pk in ids])

    after = {state.lease_token: state.lease_until for state in map(row, ids)}
    assert after[other] == before[other]
    assert after[mine] > before[mine]  # type: ignore[operator]


def test_a_retired_object_does_not_come_back_with_a_late_answer(things: Things) -> None:
    (pk,) = things.add()
    (claim,) = claims.claim("polls", {KEY: 5}, token=uuid4())

    schedule.retire("thing", [pk])

    assert claims.finish(claim.lease_token, [outcome(claim.pk, claim.sequence)]) == set()
    assert row(pk).next_poll_at is None


def test_a_claim_walks_the_index(things: Things) -> None:
    """Among thousands of rows of which few are due: the planner must not fall back to a scan of them all."""
    rows = [
        PollState(
            kind="thing",
            object_id=uuid4(),
            workspace_id=things.workspace_id,
            key_fingerprint=KEY,
            next_poll_at=None if number % 2 else later_time(1000),
        )
        for number in range(5000)
    ]
    PollState.objects.bulk_create(rows)
    things.add(10)
    explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    executed: list[tuple[str, Any]] = []

    def record(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        executed.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(record):
        claims.open_keys("polls")
        claims.claim("polls", {KEY: 100, "other": 100}, token=uuid4())

    assert len(executed) == 2
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE polling_pollstate")
        for sql, parameters in executed:
            cursor.execute(explain + sql, parameters)
            plan = "\n".join(str(line[-1]) for line in cursor.fetchall())
            assert "poll_state_due" in plan
            assert not re.search(r"Seq Scan on polling_pollstate|SCAN (s|due|polling_pollstate)\b", plan), (
                plan
            )
