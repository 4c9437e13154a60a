from __future__ import annotations

import threading
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connections
from django.test import Client

from eventstream import hub, sessions
from tests.eventstream.conftest import Connect, Received, Things
from tests.factories import UserFactory
from tests.processes import Valkey, wait_until


@pytest.fixture
def thing() -> UUID:
    return uuid4()


# --- What a page gets on connect ----------------------------------------------------------------------------------


def test_brings_a_page_that_shows_nothing_to_the_present(connect: Connect, things: Things, thing: UUID):
    things.versions[thing] = 4
    things.ages[thing] = 2.5

    stream = connect(thing)

    assert stream.status == 200
    assert stream.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert stream.response.headers["X-Accel-Buffering"] == "no"
    assert stream.response.headers["Cache-Control"] == "no-store, no-transform"
    assert stream.next() == Received('{"version": 4, "age": 2.5}', name="alive")
    assert stream.next_frame() == Received("<hx-partial>None to 4\n</hx-partial>", id="4")


def test_brings_an_older_page_what_it_lacks(connect: Connect, things: Things, thing: UUID):
    things.versions[thing] = 4

    assert connect(thing, "?since=3").next_frame() == Received("<hx-partial>3 to 4\n</hx-partial>", id="4")


def test_sends_a_current_page_nothing_until_something_changes(connect: Connect, things: Things, thing: UUID):
    things.versions[thing] = 4
    stream = connect(thing, "?since=4")
    assert stream.next_alive() == {"version": 4, "age": None}

    things.change(thing)

    assert stream.next_frame() == Received("<hx-partial>4 to 5\n</hx-partial>", id="5")
    assert things.rendered == [(4, "en", "")]


def test_what_a_browser_says_on_reconnecting_counts_more_than_its_address(
    connect: Connect, things: Things, thing: UUID
):
    things.versions[thing] = 9

    stream = connect(thing, "?since=3", Last_Event_ID="8")

    assert stream.next_frame() == Received("<hx-partial>8 to 9\n</hx-partial>", id="9")


def test_a_page_from_a_future_that_was_undone_gets_everything(connect: Connect, things: Things, thing: UUID):
    things.versions[thing] = 4

    assert connect(thing, "?since=7").next_frame() == Received("<hx-partial>None to 4\n</hx-partial>", id="4")


@pytest.mark.parametrize("since", ["x", "-1", "1e3", "9" * 30, ""])
def test_a_version_that_is_none_counts_as_nothing_shown(
    connect: Connect, things: Things, thing: UUID, since: str
):
    assert connect(thing, f"?since={since}").next_frame() == Received(
        "<hx-partial>None to 1\n</hx-partial>", id="1"
    )


def test_language_and_variant_reach_the_fragments(connect: Connect, things: Things, thing: UUID):
    connect(thing, "?variant=approver").next_frame()

    assert things.rendered == [(None, "en", "approver")]


# --- Sharing and catching up --------------------------------------------------------------------------------------


def test_one_rendering_serves_all_who_look(connect: Connect, things: Things, thing: UUID):
    readers = [connect(thing, "?since=1") for _ in range(12)]
    for reader in readers:
        reader.next_alive()

    things.change(thing)

    frames = [reader.next_frame() for reader in readers]
    assert frames == [Received("<hx-partial>1 to 2\n</hx-partial>", id="2")] * 12
    assert things.rendered == [(1, "en", "")]


def test_changes_during_a_rendering_become_one_event(
    connect: Connect, things: Things, thing: UUID, fresh_hub: hub.Hub
):
    stream = connect(thing, "?since=1")
    stream.next_alive()
    things.hold.clear()
    things.change(thing)
    wait_until(lambda: fresh_hub._frames._under_way, what="the first rendering waits")
    for _ in range(5):
        things.change(thing)
    wait_until(lambda: fresh_hub._latest[("thing", thing)] == 7, what="the hub has heard of all")
    things.hold.set()

    frames = [stream.next_frame(), stream.next_frame()]

    assert [frame.id for frame in frames if frame] == ["2", "7"]
    assert [since for since, _, _ in things.rendered] == [1, 2]


def test_another_object_is_none_of_its_business(connect: Connect, things: Things, thing: UUID):
    stream = connect(thing, "?since=1")
    stream.next_alive()

    things.change(uuid4())
    things.change(thing)

    assert stream.next_frame() == Received("<hx-partial>1 to 2\n</hx-partial>", id="2")


def test_a_reader_that_takes_nothing_is_closed_and_holds_up_nobody(
    connect: Connect, things: Things, thing: UUID, fresh_hub: hub.Hub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hub, "SEND_SECONDS", 0.5)
    sleeping, awake = connect(thing, "?since=1"), connect(thing, "?since=1")
    things.padding = "x" * 4_000_000  # more than the kernel keeps for a reader
    versions = []
    for _ in range(4):
        things.change(thing)
        frame = awake.next_frame()
        assert frame is not None
        versions.append(frame.id)

    wait_until(lambda: len(fresh_hub) == 1, what="the sleeping reader is gone")
    assert versions == ["2", "3", "4", "5"]
    assert sleeping.status == 200


# --- When a word is lost ------------------------------------------------------------------------------------------


def test_a_lost_announcement_is_found_with_the_next_sign_of_life(
    connect: Connect, things: Things, thing: UUID
):
    stream = connect(thing, "?since=1")
    stream.next_alive()

    things.change(thing, tell=False)

    assert stream.next_frame() == Received("<hx-partial>1 to 2\n</hx-partial>", id="2")


def test_what_was_said_while_redis_was_away_is_looked_up(
    connect: Connect, things: Things, thing: UUID, valkey: Valkey, fresh_hub: hub.Hub
):
    stream = connect(thing, "?since=1")
    stream.next_alive()
    fresh_hub._rounds = [set() for _ in range(1000)]  # no sign of life that could find it
    valkey.kill()
    things.change(thing, tell=False)

    valkey.start()

    assert stream.next_frame() == Received("<hx-partial>1 to 2\n</hx-partial>", id="2")


def test_a_rendering_that_fails_ends_the_stream(
    connect: Connect, things: Things, thing: UUID, monkeypatch: pytest.MonkeyPatch
):
    stream = connect(thing, "?since=1")
    stream.next_alive()
    monkeypatch.setattr(things, "versions", {})  # a KeyError inside of the template

    sessions.hub._loop.call_soon_threadsafe(sessions.hub.changed, "thing", thing, 2)

    assert stream.ended()


# --- Who may listen -----------------------------------------------------------------------------------------------


def test_strangers_and_nonsense_are_refused(connect: Connect, things: Things, thing: UUID, person: Client):
    stranger = Client()
    user = UserFactory()
    stranger.force_login(user)
    things.strangers.add(user.pk)
    forged = Client()
    forged.cookies["dailies_session"] = "0123456789abcdefghijklmnopqrstuv"

    refused = {
        "nobody": connect(thing, who=None).status,
        "stranger": connect(thing, who=stranger).status,
        "forged session": connect(thing, who=forged).status,
        "unknown kind": connect(thing, path=f"/stream/nothing/{thing}/").status,
        "no id": connect(thing, path="/stream/thing/12/").status,
        "almost an id": connect(thing, path=f"/stream/thing/{'-' * 36}/").status,
        "other host": connect(thing, Host="evil.example").status,
        "other method": connect(thing, method="POST").status,
        "odd variant": connect(thing, "?variant=%3Cscript%3E").status,
    }

    assert refused == dict.fromkeys(refused, 403)
    assert connect(thing).status == 200


@pytest.mark.parametrize("change", [{"is_active": False}, {"must_change_password": True}])
def test_a_user_who_may_not_use_the_pages_may_not_listen(
    connect: Connect, thing: UUID, change: dict[str, bool]
):
    get_user_model().objects.update(**change)

    assert connect(thing).status == 403


def test_signing_out_ends_the_stream_at_once(
    connect: Connect, thing: UUID, person: Client, fresh_hub: hub.Hub
):
    stream = connect(thing, "?since=1")
    stream.next_alive()
    session_key = person.session.session_key
    fresh_hub._rounds = [set() for _ in range(1000)]  # not by the next sign of life
    person.session.flush()

    sessions.ended(session_key)

    assert stream.ended()
    assert connect(thing).status == 403


def test_who_is_no_longer_allowed_is_cut_off_by_the_next_sign_of_life(
    connect: Connect, things: Things, thing: UUID
):
    stream = connect(thing, "?since=1")
    stream.next_alive()

    things.strangers.update(get_user_model().objects.values_list("pk", flat=True))

    assert stream.ended()


def test_a_changed_password_ends_the_streams_of_other_sessions(connect: Connect, thing: UUID):
    stream = connect(thing, "?since=1")
    stream.next_alive()
    user = get_user_model().objects.get()
    user.set_password("another correct horse")
    user.save(update_fields=["password"])

    sessions.ended_for(user.pk)

    assert stream.ended()


def test_without_a_database_nobody_is_admitted_and_told_to_come_back(
    connect: Connect, things: Things, thing: UUID
):
    things.broken = OperationalError("gone")

    refusal = connect(thing)

    assert (refusal.status, refusal.response.headers["Retry-After"]) == (503, "5")


def test_one_person_has_so_many_streams(
    connect: Connect, thing: UUID, monkeypatch: pytest.MonkeyPatch, fresh_hub: hub.Hub
):
    monkeypatch.setattr(hub, "STREAMS_PER_USER", 2)
    first, second = connect(thing), connect(thing)
    assert [first.status, second.status, connect(thing).status] == [200, 200, 503]

    first.close()
    wait_until(lambda: len(fresh_hub) == 1, what="the server has noticed")

    assert connect(thing).status == 200


# --- Leaving nothing behind ---------------------------------------------------------------------------------------


def test_a_browser_that_goes_leaves_nothing_behind(connect: Connect, thing: UUID, fresh_hub: hub.Hub):
    connect(thing, "?since=1").close()
    wait_until(lambda: len(fresh_hub) == 0, what="the server has noticed")

    assert not fresh_hub._readers
    assert not fresh_hub._per_user
    assert not fresh_hub._latest
    assert not any(fresh_hub._rounds)


def test_no_database_connection_stays_open(connect: Connect, things: Things, thing: UUID, fresh_hub: hub.Hub):
    stream = connect(thing)
    stream.next_frame()
    stream.next_alive()

    barrier = threading.Barrier(4)

    def still_open() -> bool:
        barrier.wait(5)  # one answer from each thread
        return connections["default"].connection is not None

    answers = [fresh_hub._threads.submit(still_open) for _ in range(4)]

    assert [answer.result(5) for answer in answers] == [False] * 4


def test_streams_end_when_the_server_does(connect: Connect, thing: UUID, fresh_hub: hub.Hub):
    stream = connect(thing, "?since=1")
    stream.next_alive()

    fresh_hub._loop.call_soon_threadsafe(fresh_hub.close)

    assert stream.ended()
    assert connect(thing).status == 503
