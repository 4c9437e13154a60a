"""`/ops/`: who sees it, what it shows, what it costs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from commands.words import why_unclear, why_waiting
from ops import board as boards
from ops import mirror, work
from polling import budget
from polling.models import Heartbeat, KeyState, PollState
from polling.schedule import NO_KEY
from sessions_app.models import VideoSession
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory
from tests.ops.conftest import Populate, command, poll
from tests.processes import Valkey
from workspaces_app.models import User

pytestmark = pytest.mark.django_db


def test_only_staff_see_it(operator: User) -> None:
    client = Client()
    assert client.get("/ops/")["Location"] == "/sign-in/?next=%2Fops%2F"
    client.force_login(UserFactory())
    assert client.get("/ops/").status_code == 404
    client.force_login(operator)
    assert client.get("/ops/").status_code == 200
    assert client.post("/ops/").status_code == 405


def test_the_navigation_leads_there(inside: Client) -> None:
    assert '<a href="/ops/" aria-current="page">' in inside.get("/ops/").content.decode()


def test_an_empty_installation_says_what_is_missing(inside: Client) -> None:
    shown = inside.get("/ops/")
    assert [problem.code for problem in shown.context["board"].problems] == [
        "redis_gone",
        "worker_gone",
        "beat_gone",
    ]
    assert "No worker is running." in shown.content.decode()
    assert "3 things need a look" in shown.content.decode()


def test_a_healthy_one_says_that_all_is_well(inside: Client, valkey: Valkey) -> None:
    for name in ("beat", "tick", "worker:host:1"):
        Heartbeat.objects.create(name=name, seen_at=timezone.now())
    shown = inside.get("/ops/")
    assert shown.context["board"].troubles == []
    assert (shown.context["board"].tone, shown.context["board"].redis) == ("done", True)
    assert "All is well" in shown.content.decode()


def test_the_refresh_brings_the_part_that_changes_and_nothing_else(inside: Client) -> None:
    part = inside.get("/ops/", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="ops-board"')
    assert "<html" not in part


def test_it_costs_the_same_with_one_row_and_with_three(
    inside: Client, populate: Populate, valkey: Valkey, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for more in (1, 2):
        for _ in range(more):
            populate()
        inside.get("/ops/")
        with django_assert_num_queries(25):
            shown = inside.get("/ops/")
    board = shown.context["board"]
    assert (len(board.mirror.keys), board.work.asking, board.work.queued, board.work.gaps) == (3, 3, 3, 3)


def test_lanes_count_what_waits_for_an_open_key_only(populate: Populate) -> None:
    closed = populate()
    workspace = WorkspaceFactory(key="sk_open")
    now = timezone.now()
    poll(workspace, "session", closed.pk.__class__(int=1), next_poll_at=now - timedelta(seconds=20))
    poll(workspace, "session", closed.pk.__class__(int=2), next_poll_at=now + timedelta(seconds=20))
    poll(workspace, "video", closed.pk.__class__(int=3), next_poll_at=None)
    poll(workspace, "session", closed.pk.__class__(int=4), key_fingerprint=NO_KEY)

    seen = mirror.look(now)

    polls = next(lane for lane in seen.lanes if lane.name == "polls")
    assert (polls.due, round(polls.lag)) == (1, 20)
    assert seen.lag_text == "20 s"
    [kind] = seen.kinds
    assert (kind.name, kind.scheduled, kind.due, kind.failing) == ("session", 4, 3, 4)


def test_failures_are_counted_by_reason_with_what_was_said_last(populate: Populate) -> None:
    session = populate()
    workspace = WorkspaceFactory(key="sk_open")
    later = timezone.now() + timedelta(seconds=60)
    newest = poll(workspace, "session", workspace.pk, message="503: later", next_poll_at=later)
    poll(workspace, "video", workspace.pk, reason="not_found", message="404")
    poll(workspace, "video", session.pk, failures=0, reason="", message="")

    assert [
        (failure.kind, failure.reason, failure.count, failure.message, failure.object_id)
        for failure in mirror.look(timezone.now()).failures
    ] == [
        ("session", "server_error", 2, "503: later", newest.object_id),
        ("video", "not_found", 1, "404", workspace.pk),
    ]


def test_keys_tell_budget_closures_and_the_last_429(valkey: Valkey) -> None:
    now = timezone.now()
    red, blue = WorkspaceFactory(name="Red", key="sk_red"), WorkspaceFactory(name="Blue", key="sk_blue")
    KeyState.objects.create(
        fingerprint=red.key_fingerprint,
        reason="rate_limited",
        since=now - timedelta(hours=1),
        closed_until=now - timedelta(minutes=59),
    )
    KeyState.objects.create(
        fingerprint=blue.key_fingerprint,
        scope="paid",
        reason="payment_required",
        needs_person=True,
        since=now,
    )
    budget.admit(red.key_fingerprint, budget.Priority.COMMAND)

    by_name = {key.workspaces[0]: key for key in mirror.look(now).keys}

    assert by_name["Red"].closures == ()
    assert by_name["Red"].slowed_at == now - timedelta(hours=1)
    # A bucket that nobody knew begins almost empty, and fills up while a busy machine looks.
    assert by_name["Red"].used_percent > 90
    assert [closure.reason for closure in by_name["Blue"].closures] == ["payment_required"]
    assert (by_name["Blue"].slowed_at, by_name["Blue"].used_percent) == (None, None)


def test_a_press_that_asks_leads_a_member_to_the_page_and_other_staff_to_the_admin(
    operator: User, populate: Populate
) -> None:
    mine, other = populate(), populate()
    MembershipFactory(user=operator, workspace=mine.workspace)

    links = {
        press.command.object_id: (press.href, press.may_decide, press.why)
        for press in work.look(operator, timezone.now()).presses
    }

    why = why_unclear("not_seen")
    assert links == {
        mine.pk: (f"/sessions/{mine.pk}/", True, why),
        other.pk: (f"/admin/sessions_app/videosession/{other.pk}/change/", False, why),
    }


def test_commands_are_told_by_state_and_by_what_they_wait_for(populate: Populate) -> None:
    session = populate()
    command(session.workspace, session.pk, state="queued", due_at=timezone.now())
    refused = {"settled_at": timezone.now(), "settled_by": "answer", "applied_at": timezone.now()}
    command(session.workspace, session.pk, state="refused", error={"code": "invalid_parameter"}, **refused)

    seen = work.look(None, timezone.now())

    assert [(str(pile.state), pile.why, pile.count) for pile in seen.piles] == [
        ("queued", "", 1),
        ("queued", why_waiting("budget"), 1),
        ("unknown", "", 1),
    ]
    assert (seen.queued, seen.sending, seen.unknown, seen.asking) == (2, 0, 1, 1)
    assert [(refusal.kind, refusal.code, refusal.count) for refusal in seen.refusals] == [
        ("session.send", "invalid_parameter", 1)
    ]


def test_sessions_streams_and_files(populate: Populate) -> None:
    populate()
    VideoSession.objects.filter(pk=populate().pk).update(gone_at=timezone.now(), group="done")
    VideoSession.objects.filter(pk=populate().pk).update(archived=True)

    seen = work.look(None, timezone.now())

    assert {str(group): number for group, number in seen.sessions.items()} == {
        "working": 1,
        "needs_you": 0,
        "done": 0,
        "failed": 0,
        "unknown": 0,
    }
    assert seen.sessions_gone == 1
    assert (seen.streams_running, round(seen.price_per_second, 2)) == (3, 0.15)
    assert [round(live.cost, 1) for live in seen.streams] == [3.0, 3.0, 3.0]
    assert (seen.files.wanted, seen.files.stored, seen.files.failed) == (3, 0, 3)
    assert seen.files.failures == [("404", 3)]
    assert seen.files.disk_total


def test_what_a_person_must_act_on_stands_first(populate: Populate, valkey: Valkey) -> None:
    populate()
    Heartbeat.objects.create(name="beat", seen_at=timezone.now())
    Heartbeat.objects.create(name="tick", seen_at=timezone.now())
    PollState.objects.all().delete()
    board = boards.look()
    assert [(trouble.tone, str(trouble.text)[:40]) for trouble in board.troubles] == [
        ("error", "HeyGen refuses the workspace's API key. "),
        ("warning", "Presses of unknown outcome wait for a pe"),
    ]
    assert board.tone == "failed"
