"""The database crashes, is held up or takes no writes. What cannot be written is not done, and afterwards all goes on."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
import redis
from django.db import connection

from commands import hints, tokens
from commands.models import Command
from config.celery import app as celery_app
from sessions_app import actions
from sessions_app.models import VideoSession
from tests.faults.checkers import HEAL_SECONDS, healed
from tests.faults.pages import Page
from tests.faults.wired import Wired
from tests.installation import reconnect
from tests.processes import Postgres, wait_until
from tests.studio import Studio

pytestmark = [pytest.mark.faults, pytest.mark.lasts(40)]

# Longer than a lease.
HELD_SECONDS = 9.0
# Long enough for pauses between tries to have grown.
OUTAGE_SECONDS = 30.0


def working(studio: Studio) -> VideoSession:
    """A session that has begun to say something and goes on with it for a while."""
    session = studio.create("A film about a lighthouse [messages: 30]")
    studio.until(session, "message_count >= 2")
    return session


def press(studio: Studio, session: VideoSession) -> Command:
    return actions.send(session, text="Calm, please", token=tokens.new(), by=studio.person)


def all_is_well(studio: Studio, session: VideoSession) -> None:
    """Within ten seconds everything is read again, and the press has arrived once."""
    wait_until(healed, seconds=HEAL_SECONDS, what="everything is read again")
    wait_until(
        lambda: not Command.objects.exclude(state="accepted").exists(),
        seconds=HEAL_SECONDS,
        what="the press arrived",
    )
    wait_until(
        lambda: studio.stored_log(session) == studio.remote_log(session),
        seconds=HEAL_SECONDS,
        what="the transcripts agree",
    )
    assert studio.sent() == ["Calm, please"]


def answered(studio: Studio) -> bool:
    """No paid call is under way any more."""
    calls = studio.simulator.control.calls(last=10_000)["calls"]
    return all(call["ended"] for call in calls if call["method"] == "POST")


def kept(studio: Studio) -> bool:
    """The sender could not write the answer, and goes on trying."""
    return "writing the answer to command" in studio.dailies.log("commands")


@pytest.mark.postgresql
def test_an_answer_that_comes_while_postgresql_is_down_is_kept(own_postgres: Postgres, studio: Studio):
    session = working(studio)
    control = studio.simulator.control
    control.fault("slow", "/v3/video-agents/{session_id}", method="POST", seconds=3, after=True)
    command = press(studio, session)
    wait_until(lambda: studio.sent(), what="HeyGen took the message")

    own_postgres.crash()
    wait_until(lambda: answered(studio), what="the answer came")
    wait_until(lambda: kept(studio), seconds=20, what="it cannot be written")
    own_postgres.start()
    reconnect()

    all_is_well(studio, session)
    command.refresh_from_db()
    assert (command.attempts, command.settled_by) == (1, "answer")


@pytest.mark.postgresql
@pytest.mark.long
def test_an_outage_of_half_a_minute_heals_as_fast(own_postgres: Postgres, studio: Studio):
    session = working(studio)
    own_postgres.crash()
    time.sleep(OUTAGE_SECONDS)
    own_postgres.start()
    reconnect()

    press(studio, session)
    all_is_well(studio, session)


@pytest.mark.sqlite
def test_a_shell_that_holds_the_lock_for_seconds_only_delays(studio: Studio):
    session = working(studio)
    shell = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None, check_same_thread=False)
    shell.execute("BEGIN IMMEDIATE")
    threading.Timer(HELD_SECONDS, shell.close).start()

    begun = time.monotonic()
    press(studio, session)  # waits for the lock, as a page would

    assert time.monotonic() - begun > HELD_SECONDS - 1
    all_is_well(studio, session)


# --- What cannot be written


@contextlib.contextmanager
def full_disk(wired: Wired) -> Iterator[None]:
    wired.dailies.fill_disk()
    try:
        yield
    finally:
        wired.dailies.fill_disk(False)


@contextlib.contextmanager
def full_server(wired: Wired) -> Iterator[None]:
    """PostgreSQL has no room for what anybody else than this connection writes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (own,) = cursor.fetchone()
        cursor.execute(
            f"""
            CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF pg_backend_pid() <> {own} THEN
                    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
                END IF;
                RETURN NULL;
            END $$
            """
        )
        tables = [name for name in connection.introspection.table_names(cursor) if "migrations" not in name]
        try:
            for table in tables:
                cursor.execute(
                    f"CREATE TRIGGER no_room BEFORE INSERT OR UPDATE OR DELETE ON {table}"
                    " EXECUTE FUNCTION no_room()"
                )
            yield
        finally:
            cursor.execute("DROP FUNCTION no_room CASCADE")


@contextlib.contextmanager
def read_only(wired: Wired) -> Iterator[None]:
    """As after a failover: who connects from now on finds a server that takes no writes."""

    def others_find(value: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"ALTER DATABASE {connection.settings_dict['NAME']} SET default_transaction_read_only = {value}"
            )
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    others_find("on")
    try:
        yield
    finally:
        others_find("off")


@pytest.mark.parametrize(
    "unwritable",
    [
        pytest.param(
            full_disk,
            marks=[pytest.mark.sqlite, pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit")],
        ),
        pytest.param(full_server, marks=pytest.mark.postgresql),
        pytest.param(read_only, marks=pytest.mark.postgresql),
    ],
)
def test_what_cannot_be_written_is_not_sent(
    wired: Wired, unwritable: Callable[[Wired], AbstractContextManager[None]]
):
    session = working(wired)
    page = Page(wired, wired.person)
    filled_in = page.fill_in("A film about bees")
    control = wired.simulator.control
    control.fault("slow", "/v3/video-agents/{session_id}", method="POST", seconds=3, after=True)
    sent = press(wired, session)
    wait_until(lambda: wired.sent(), what="HeyGen took the message")

    with unwritable(wired):
        held = wired.create("A film about owls")  # this process has room
        waiting = Command.objects.get(object_id=held.pk)
        hinted(wired, waiting, times=3)
        refused = page.send_form(filled_in)
        wait_until(lambda: answered(wired), what="the answer came")
        if connection.vendor == "postgresql":  # where the disk is full there is no log either
            wait_until(lambda: kept(wired), what="it cannot be written")

        assert (refused.status_code, "Something broke on our side" in refused.text) == (500, True)
        waiting.refresh_from_db()
        assert (waiting.state, waiting.attempts) == ("queued", 0)
        assert len(wired.accepted()) == 2

    all_is_well(wired, session)
    again = page.send_form(filled_in)
    assert again.status_code == 200
    wait_until(lambda: len(wired.accepted()) == 4, what="what was typed is sent")
    wait_until(lambda: not Command.objects.exclude(state="accepted").exists(), what="and its answer is known")
    sent.refresh_from_db()
    assert (sent.attempts, sent.settled_by, Command.objects.count()) == (1, "answer", 4)


def hinted(wired: Wired, command: Command, *, times: int) -> None:
    """The sender is told of the command so often, and has looked each time."""
    with redis.Redis.from_url(wired.valkey.url) as broker:
        for _ in range(times):
            celery_app.send_task(hints.TASK, [str(command.pk)], queue=hints.QUEUE)
            wait_until(
                lambda: not broker.llen(hints.QUEUE) and not broker.hlen("unacked"), what="the hint is taken"
            )
