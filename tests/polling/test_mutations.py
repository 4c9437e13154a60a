"""Each rule of the engine undone by a patch: the test that guards it has to fail."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.db.models.functions import Now

from polling import budget, cadence, changes, claims, keys, schedule, watchdog
from polling.clock import later
from polling.models import KeyEntry, PollState
from polling.statements import POSTGRESQL, SQLITE, Statements
from tests.mutations import Case, Undo, each, noticing
from tests.polling import (
    test_budget,
    test_cadence,
    test_changes,
    test_claims,
    test_drains,
    test_health,
    test_recovery,
)
from tests.polling.test_health import alive  # noqa: F401, a fixture
from tests.polling.test_recovery import away  # noqa: F401, a fixture

# The rule, what undoes it, and the test that must notice, with its parameters.


def sql(change: Callable[[Statements], Statements]) -> Undo:
    """Other statements, on both databases."""

    def undo(patch: pytest.MonkeyPatch) -> None:
        changed = {POSTGRESQL: change(POSTGRESQL), SQLITE: change(SQLITE)}
        assert all(before != after for before, after in changed.items())
        original = claims._statements
        patch.setattr(claims, "_statements", lambda: changed[original()])

    return undo


def nothing(module: Any, name: str, answer: Any = None) -> Undo:
    return lambda patch: patch.setattr(module, name, lambda *_, **__: answer)


def without_token(known: Statements) -> Statements:
    return replace(known, finish=known.finish.replace("polling_pollstate.lease_token = %s", "%s IS NOT NULL"))


def without_sequence(known: Statements) -> Statements:
    fence = "AND polling_pollstate.sequence = outcome.sequence"
    return replace(known, finish=known.finish.replace(fence, ""))


def without_lease(known: Statements) -> Statements:
    """Claimed, and due all the same."""
    moved = re.sub(
        r"next_poll_at = lease\.until", "next_poll_at = polling_pollstate.next_poll_at", known.claim
    )
    moved = re.sub(
        r"next_poll_at = (strftime\(.*?\|\| ' seconds'\))", r"next_poll_at = min(next_poll_at, \1)", moved
    )
    return replace(known, claim=moved)


def without_turns(known: Statements) -> Statements:
    return replace(known, claim=known.claim.replace("(2, 16,", "(2, 1,").replace("(1, 4,", "(1, 1,"))


def looks_then_takes(lane: str, quotas: Any, *, token: UUID, limit: int = claims.BATCH) -> list[PollState]:
    """A claim in two steps."""
    rows = list(PollState.objects.filter(lane=lane, next_poll_at__lte=Now()).order_by("id")[:limit])
    time.sleep(0.1)
    PollState.objects.filter(pk__in=[row.pk for row in rows]).update(next_poll_at=later(8))
    return rows


def wakes_only_what_rests(kind: str, ids: list[UUID]) -> None:
    free = PollState.objects.filter(object_id__in=ids, lease_token=None)
    free.update(next_poll_at=Now(), woken_at=Now())


def at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(changes.transaction, "on_commit", lambda work, **_: work())


def shortens(row: Any, now: Any, until: Any, reason: str) -> None:
    row.closed_until, row.needs_person, row.reason = until, until is None, reason
    row.save()


def forgets_retry_after(failures: int, *, retry_after: float | None, jitter: float) -> float:
    return max(1.0, 4 * 2.0 ** (failures - 1) * jitter)


CASES: list[Case] = [
    ("fence: lease token", sql(without_token), test_claims.test_the_fence, {"wrong": "token"}),
    ("fence: sequence", sql(without_sequence), test_claims.test_the_fence, {"wrong": "sequence"}),
    ("fence: a late answer", sql(lambda s: without_token(without_sequence(s))), test_drains.test_a_late_answer_is_dropped, {}),
    ("lease", sql(without_lease), test_claims.test_a_claim_is_a_lease, {}),
    ("lease renewed", nothing(claims, "renew"), test_claims.test_only_a_drains_own_leases_are_renewed, {}),
    ("claim in one step", lambda patch: patch.setattr(claims, "claim", looks_then_takes), test_claims.test_racing_claims_share_without_overlap, {}),
    ("no rank starves", sql(without_turns), test_claims.test_ranks_take_turns_and_none_starves, {}),
    ("level-triggered", lambda patch: patch.setattr(schedule, "wake", wakes_only_what_rests), test_drains.test_a_wake_during_a_read_is_not_lost, {}),
    ("a refused key rests", nothing(keys, "close"), test_drains.test_a_failure_that_closes_the_key_stops_its_other_objects, {}),
    ("a rest outlives a wipe", nothing(budget, "learn"), test_budget.test_a_closed_key_is_closed_for_all_also_after_a_wipe, {}),
    ("a rest is never shortened", lambda patch: patch.setattr(keys, "_extend", shortens), test_budget.test_a_rest_is_never_shortened, {}),
    ("a late refusal is out of date", nothing(keys, "_entry", KeyEntry(epoch=0)), test_budget.test_an_answer_from_before_the_key_was_entered_does_not_count, {}),
    ("budget", nothing(budget, "admit"), test_budget.test_a_burst_and_then_the_rate, {}),
    ("budget without Redis", nothing(budget._LocalBudget, "admit"), test_budget.test_without_redis_each_process_takes_its_share, {}),
    ("nothing said before the commit", at_once, test_changes.test_nothing_is_said_before_the_commit, {}),
    ("Retry-After is the least", lambda patch: patch.setattr(cadence, "after_failures", forgets_retry_after), test_cadence.test_failures_double_the_bound, {"failures": 1, "jitter": 0.5, "retry_after": 60.0, "pause": 62}),
    ("a stall is noticed", nothing(watchdog, "stalled", 0.0), test_health.test_a_stall_is_work_due_and_nothing_written, {}),
    ("recovery", nothing(schedule, "recover"), test_recovery.test_one_answer_brings_back_all_that_failed_meanwhile, {}),
    ("one that tries while all wait", nothing(schedule, "probe", False), test_recovery.test_a_tick_lets_one_object_try_every_few_seconds, {}),
]  # fmt: skip


@pytest.mark.django_db(transaction=True)
@each(CASES)
def test_without_the_rule_its_test_fails(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    undo: Undo,
    test: Callable[..., None],
    given: dict[str, Any],
) -> None:
    with noticing(request, test, **given):
        undo(monkeypatch)
