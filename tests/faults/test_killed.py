"""A process is killed in the middle of a session. Ten seconds later all is as if it had not been."""

from __future__ import annotations

import pytest

from commands import tokens
from commands.models import Command
from sessions_app import actions
from tests.processes import wait_until
from tests.studio import Studio

pytestmark = pytest.mark.faults

HEAL_SECONDS = 10.0


def kill(studio: Studio, victim: str) -> None:
    if victim == "valkey":
        studio.valkey.kill()
        studio.valkey.start()
    elif victim == "flush":
        studio.valkey.flush()
    else:
        studio.dailies.kill(victim)
        studio.dailies.start(victim)


@pytest.mark.usually("postgresql")
@pytest.mark.lasts(55)
@pytest.mark.parametrize("victim", ["worker", "commands", "beat", "valkey", "flush"])
def test_a_killed_process_loses_nothing_and_doubles_nothing(studio: Studio, victim: str):
    session = studio.create("A film about a lighthouse [messages: 30]")
    studio.until(session, "message_count >= 2")

    kill(studio, victim)
    studio.until(session, "status == 'waiting_for_input'", seconds=30)

    actions.send(session, text="Calm, please", token=tokens.new(), by=studio.person)
    kill(studio, victim)
    wait_until(
        lambda: Command.objects.get(kind="session.send").state == "accepted",
        seconds=HEAL_SECONDS + 5,
        what="the press arrived",
    )
    studio.until(session, "status == 'reviewing'", seconds=30)

    wait_until(lambda: studio.stored_log(session) == studio.remote_log(session), what="the transcripts agree")
    assert len(studio.accepted()) == 2
    assert not Command.objects.exclude(state="accepted").exists()


@pytest.mark.usually("sqlite")
@pytest.mark.lasts(20)
def test_every_one_of_120_messages_arrives_in_order(studio: Studio):
    """At the usual pace of polling, with a window of 40: eight messages a second, for a quarter of a minute."""
    studio.simulator.control.set_speed(8)
    session = studio.create("A film with much to say [messages: 120]")
    studio.until(session, "message_count >= 120", seconds=90)

    assert studio.stored_log(session) == studio.remote_log(session)[: session.message_count]
    assert not session.gaps.exists()
