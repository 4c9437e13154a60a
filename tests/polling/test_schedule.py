from __future__ import annotations

from uuid import UUID, uuid4

from django.db import transaction

from polling import claims, drains, keys, schedule
from polling.clock import later
from polling.kinds import Failed
from polling.models import PollState, Rank
from polling.schedule import Freshness
from tests.polling.things import KEY, Things, make_due, row
from tests.processes import Valkey
from workspaces_app.models import Workspace


def test_enrolling_twice_is_enrolling_once(things: Things, hinted: list[str]) -> None:
    (pk,) = things.add()
    drains.drain("polls")
    before = row(pk)

    schedule.enroll("thing", [pk], workspace_id=things.workspace_id, fingerprint="other", group="done")

    after = row(pk)
    assert (after.next_poll_at, after.key_fingerprint, after.group) == (before.next_poll_at, KEY, "working")
    assert "polls" in hinted


def test_a_hint_waits_for_the_commit(things: Things, hinted: list[str]) -> None:
    with transaction.atomic():
        things.add()
        assert hinted == []
    assert hinted == ["polls"]


def test_nothing_is_enrolled_by_a_transaction_that_fails(things: Things, hinted: list[str]) -> None:
    with transaction.atomic():
        things.add()
        transaction.set_rollback(True)
    assert (PollState.objects.count(), hinted) == (0, [])


def test_waking_brings_back_what_was_done_with(things: Things) -> None:
    (pk,) = things.add()
    schedule.retire("thing", [pk])
    assert claims.due_keys("polls") == []

    schedule.wake("thing", [pk])

    assert claims.due_keys("polls") == [KEY]
    assert row(pk).rank == Rank.WATCHED
    drains.drain("polls")
    assert things.paces[-1].woken is True
    make_due(pk)
    drains.drain("polls")
    assert things.paces[-1].woken is False


def test_rekey_tries_again_what_failed(things: Things) -> None:
    ok, bad = things.add(2)
    things.before = lambda claim: Failed("unauthorized", "") if claim.object_id == bad else None
    drains.drain("polls")
    keyless = things.add(1, key="")[0]

    schedule.rekey(things.workspace_id, "b" * 16)

    assert sorted(claims.due_keys("polls")) == ["", "b" * 16]
    assert {pk: row(pk).key_fingerprint for pk in (ok, bad, keyless)} == {
        ok: "b" * 16,
        bad: "b" * 16,
        keyless: "",
    }
    assert (row(bad).failures, row(ok).failures) == (0, 0)
    assert [claim.object_id for claim in claims.claim("polls", {"b" * 16: 9}, token=uuid4())] == [bad]


def test_without_a_key_objects_wait_and_come_back(things: Things) -> None:
    (pk,) = things.add()

    schedule.rekey(things.workspace_id, "")
    assert claims.due_keys("polls") == []
    assert schedule.freshness("thing", [pk])[pk].reason == "no_key"

    schedule.rekey(things.workspace_id, "c" * 16)
    assert claims.due_keys("polls") == ["c" * 16]


def test_rekey_leaves_other_workspaces_alone(things: Things) -> None:
    other = Things(UUID(str(Workspace.objects.create(name="B", slug="b").pk)))
    (theirs,) = other.add(key="b" * 16)
    things.add()
    schedule.rekey(things.workspace_id, "c" * 16)
    assert row(theirs).key_fingerprint == "b" * 16


def test_watching_makes_a_finished_object_due_once(things: Things, valkey: Valkey) -> None:
    (pk,) = things.add()
    things.pause = None
    drains.drain("polls")
    PollState.objects.update(polled_at=later(-60))

    schedule.watch("thing", pk)
    first = row(pk).next_poll_at
    assert first is not None
    schedule.watch("thing", pk)

    assert row(pk).next_poll_at == first
    assert row(pk).rank == Rank.WATCHED
    make_due(pk)
    drains.drain("polls")
    assert things.paces[-1].watched is True


def test_watching_what_was_just_read_asks_nothing(things: Things, valkey: Valkey) -> None:
    (pk,) = things.add()
    things.pause = None
    drains.drain("polls")
    schedule.watch("thing", pk)
    assert row(pk).next_poll_at is None


def test_watching_without_redis_does_nothing(things: Things) -> None:
    (pk,) = things.add()
    schedule.retire("thing", [pk])
    schedule.watch("thing", pk)
    assert row(pk).next_poll_at is None


def test_freshness(things: Things) -> None:
    fresh, failing, overdue, refused = things.add(3) + things.add(1, key="b" * 16)
    things.before = lambda claim: Failed("server_error", "500") if claim.object_id == failing else None
    drains.drain("polls")
    PollState.objects.filter(object_id=overdue).update(next_poll_at=later(-30))
    keys.close("b" * 16, seconds=None, reason="unauthorized")

    found = schedule.freshness("thing", [fresh, failing, overdue, refused, uuid4()])

    state = row(fresh)
    age = found[fresh].age
    assert age is not None
    assert 0 <= age < 10
    assert found[fresh] == Freshness(
        polled_at=state.polled_at,
        age=age,
        changed_at=state.changed_at,
        next_poll_at=state.next_poll_at,
        failures=0,
        reason="",
        message="",
        late=False,
    )
    assert (found[failing].late, found[failing].reason, found[failing].failures) == (True, "server_error", 1)
    assert (found[overdue].late, found[overdue].reason) == (True, "")
    assert found[refused].reason == "unauthorized"
    assert len(found) == 4
