"""What the ledger promises, and what is seen in real processes when one of its rules is undone."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from commands import delivery, hints, tokens
from commands.models import Command, State
from config.celery import app as celery_app
from polling import clock
from sessions_app import actions
from sessions_app.models import VideoSession
from tests.commands import test_mutations as within
from tests.faults import stops
from tests.faults.pages import Page
from tests.faults.rule import CREATE, Rule, accepted, begun, promised, refused, waiting
from tests.faults.wired import Wired
from tests.processes import wait_until
from timeline.models import Event

LIST = CREATE
STOP = "/v3/video-agents/{session_id}/stop"


def press_of(session: VideoSession) -> Command:
    return Command.objects.filter(object_id=session.pk).latest("id")


def send(wired: Wired, session: VideoSession, text: str) -> Command:
    return actions.send(session, text=text, token=tokens.new(), by=wired.person)


def hint(command: Command, *, times: int = 1) -> None:
    for _ in range(times):
        celery_app.send_task(hints.TASK, [str(command.pk)], queue=hints.QUEUE)


def state(command: Command) -> str:
    command.refresh_from_db()
    return command.state


def answered(wired: Wired) -> bool:
    """No paid call is under way."""
    return all(
        call["ended"]
        for call in wired.simulator.control.calls(last=100_000)["calls"]
        if call["method"] == "POST"
    )


# --- once


def a_hint_that_comes_many_times_sends_once(wired: Wired) -> None:
    """Eight threads get the same word in the same moment."""
    wired.simulator.control.fault("slow", CREATE, method="POST", seconds=1, after=True, count=None)
    stops.freeze(wired.dailies, "commands")
    session = wired.create("A film about larks")
    hint(press_of(session), times=8)
    wired.dailies.signal("commands", signal.SIGCONT)
    wait_until(lambda: accepted(wired, session), seconds=20, what="HeyGen made it")
    wait_until(lambda: answered(wired), what="all answers are here")
    with promised():
        assert accepted(wired, session) == 1


def a_sender_that_is_killed_is_not_followed_by_another(wired: Wired) -> None:
    wired.simulator.control.fault("slow", CREATE, method="POST", seconds=2, after=True)
    session = wired.create("A film about foxes")
    wait_until(lambda: accepted(wired, session), seconds=20, what="HeyGen made it")
    wired.dailies.kill("commands")
    wired.dailies.start("commands")
    wired.until(session, "remote_id is not None", seconds=40)
    with promised():
        assert accepted(wired, session) == 1


def a_lost_answer_is_looked_for(wired: Wired) -> None:
    wired.simulator.control.fault("drop", CREATE, method="POST", after=True)
    session = wired.create("A film about owls")
    wired.until(session, "remote_id is not None", seconds=40)
    with promised():
        assert accepted(wired, session) == 1


def what_is_looked_for_cannot_be_sent_again(wired: Wired) -> None:
    """A person presses the button of a page that was drawn when nobody was looking any more."""
    wired.dailies.start("web")
    page = Page(wired, wired.person)
    control = wired.simulator.control
    control.fault("status", LIST, method="GET", status=500, count=None)  # so that it is not found yet
    control.fault("drop", CREATE, method="POST", after=True)
    session = wired.create("A film about geese")
    command = press_of(session)
    wait_until(lambda: state(command) == State.UNKNOWN, seconds=20, what="nobody knows")
    page.press(f"/commands/{command.pk}/again/")
    control.clear_faults()
    wired.until(session, "remote_id is not None", seconds=20)
    wait_until(
        lambda: not Command.objects.filter(state__in=("queued", "sending")).exists(),
        what="nothing is under way",
    )
    with promised():
        assert accepted(wired, session) == 1


def what_heygen_did_not_take_is_sent_when_it_allows(wired: Wired) -> None:
    wired.simulator.control.fault("status", CREATE, method="POST", status=429, retry_after=1)
    command = press_of(wired.create("A film about wrens"))
    wait_until(
        lambda: state(command) in (State.ACCEPTED, State.UNKNOWN), seconds=30, what="it is known how it went"
    )
    with promised():
        assert state(command) == State.ACCEPTED
    assert refused(wired, 429)


# --- in order


def what_was_pressed_first_is_sent_first(wired: Wired) -> None:
    """Only the later of two is heard of."""
    session = waiting(wired, "A film about herons")
    for name in ("commands", "beat"):
        wired.dailies.kill(name)
    send(wired, session, "First")
    second = send(wired, session, "Second")
    wired.valkey.flush()
    hint(second)
    wired.dailies.start("commands")
    wait_until(
        lambda: state(second) != State.QUEUED or second.waiting_for, seconds=20, what="its turn was looked at"
    )
    wired.dailies.start("beat")
    wait_until(lambda: len(wired.sent()) == 2, seconds=20, what="both are sent")
    with promised():
        assert wired.sent() == ["First", "Second"]


# --- whose word counts


def a_sender_that_was_overtaken_changes_nothing(wired: Wired) -> None:
    """It freezes with a refusal in its hands; another one stops the session meanwhile."""
    dailies = wired.dailies
    session = begun(wired, "A film about cranes")
    wired.simulator.control.fault("status", STOP, method="POST", status=400)
    stops.freeze(dailies, "commands")
    command = actions.stop(session, token=tokens.new(), by=wired.person)
    stop = stops.ask(dailies, "answer", command.pk)
    dailies.signal("commands", signal.SIGCONT)
    stop.freeze("commands")
    dailies.start("commands:2")
    wait_until(lambda: state(command) == State.ACCEPTED, seconds=30, what="another one has sent it")
    dailies.kill("commands:2")
    dailies.signal("commands", signal.SIGCONT)
    later = begun(wired, "A film about storks")
    assert press_of(later).state == State.ACCEPTED
    with promised():
        assert state(command) == State.ACCEPTED


def a_sender_that_was_only_slow_is_not_given_up(wired: Wired) -> None:
    """Its lease ran out, somebody saw that, and then it renewed it."""
    dailies = wired.dailies
    wired.simulator.control.fault("slow", CREATE, method="POST", seconds=16, after=True)
    session = wired.create("A film about plovers")
    wait_until(lambda: accepted(wired, session), seconds=20, what="HeyGen made it")
    command = press_of(session)
    stops.freeze(dailies, "commands")
    stop = stops.ask(dailies, "sweep", command.pk)
    dailies.start("commands:2")
    stop.freeze("commands:2")
    dailies.signal("commands", signal.SIGCONT)
    wait_until(
        lambda: Command.objects.filter(pk=command.pk, lease_until__gt=Now()).exists(), what="it is renewed"
    )
    dailies.signal("commands:2", signal.SIGCONT)
    wait_until(lambda: answered(wired), seconds=20, what="the answer is here")
    wait_until(lambda: state(command) == State.ACCEPTED, what="and written")
    with promised():
        assert not Event.objects.filter(object_id=session.pk, what="command.unknown").exists()


def a_slow_clock_ends_no_lease(wired: Wired) -> None:
    """The machine of the sender is an hour behind that of the database."""
    wired.dailies.set_clock("commands", -3600)
    wired.simulator.control.fault("slow", CREATE, method="POST", seconds=3, after=True)
    session = wired.create("A film about sundials")
    wired.until(session, "remote_id is not None", seconds=30)
    with promised():
        assert not Event.objects.filter(object_id=session.pk, what="command.unknown").exists()


# --- to its end


def what_nobody_can_see_is_asked_of_a_person(wired: Wired) -> None:
    wired.simulator.control.fault("drop", CREATE, method="POST")
    command = press_of(wired.create("A film about terns"))
    wait_until(lambda: state(command) == State.UNKNOWN, seconds=20, what="nobody knows")
    with promised():
        wait_until(lambda: state(command) and command.asks_person_since, seconds=25, what="a person is asked")


@contextlib.contextmanager
def no_remote_ids() -> Iterator[None]:
    """What HeyGen made cannot be noted: the database has something against it."""
    table, postgresql = VideoSession._meta.db_table, connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if postgresql:
            cursor.execute(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'check_violation'; END $$"
            )
        cursor.execute(
            f"CREATE TRIGGER no_remote_ids BEFORE UPDATE OF remote_id ON {table} FOR EACH ROW "
            + ("EXECUTE FUNCTION refuse()" if postgresql else "BEGIN SELECT RAISE(ABORT, 'no'); END")
        )
        try:
            yield
        finally:
            if postgresql:
                cursor.execute("DROP FUNCTION refuse CASCADE")
            else:
                cursor.execute("DROP TRIGGER no_remote_ids")


def what_follows_from_a_press_is_done_once_it_can_be(wired: Wired) -> None:
    with no_remote_ids():
        session = wired.create("A film about rails")
        command = press_of(session)
        wait_until(
            lambda: state(command) == State.ACCEPTED, seconds=20, what="its end is stored all the same"
        )
    with promised():
        wired.until(session, "remote_id is not None", seconds=12)


# --- undone


def two_steps(patch: pytest.MonkeyPatch) -> None:
    """It is looked at, and a moment later taken, whoever was faster."""
    within.sends_unasked(patch)
    take = delivery._claim_for_sending

    def look_then_take(*arguments: Any) -> bool:
        time.sleep(0.2)
        return take(*arguments)

    patch.setattr(delivery, "_claim_for_sending", look_then_take)


def by_its_own_clock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(clock, "later", lambda seconds: timezone.now() + timedelta(seconds=seconds))


RULES = (
    Rule("one worker sends", two_steps, a_hint_that_comes_many_times_sends_once),
    Rule("on record before the network", within.sends_off_the_record, a_sender_that_is_killed_is_not_followed_by_another, quick=True),
    Rule("unknown is never repeated", within.repeats_blindly, a_lost_answer_is_looked_for, quick=True),
    Rule("order", within.without_order, what_was_pressed_first_is_sent_first),
    Rule("the attempt is the fence", within.any_attempt_counts, a_sender_that_was_overtaken_changes_nothing),
    Rule("a renewed lease is left alone", within.sweeps_living_ones, a_sender_that_was_only_slow_is_not_given_up),
    Rule("moments are the database's", by_its_own_clock, a_slow_clock_ends_no_lease, quick=True),
    Rule("a 429 took nothing", within.takes_a_429_for_unclear, what_heygen_did_not_take_is_sent_when_it_allows, quick=True),
    Rule("a person is asked in the end", within.never_asks, what_nobody_can_see_is_asked_of_a_person),
    Rule("what follows is repeated", within.forgets_what_follows, what_follows_from_a_press_is_done_once_it_can_be),
    Rule("sent again only when it is over", within.repeats_what_may_have_happened, what_is_looked_for_cannot_be_sent_again),
)  # fmt: skip
