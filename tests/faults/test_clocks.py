"""The clocks of machines are off, also from each other: nothing stops, nothing is done twice, nothing looks older than it is."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import requests
from django.conf import settings
from django.test import Client

from commands import tokens
from commands.models import Command
from polling import clock
from polling.models import Heartbeat, PollState
from sessions_app import actions
from sessions_app.models import VideoSession
from tests.faults.checkers import retry_after_obeyed
from tests.faults.drill import Drill
from tests.faults.wired import Wired
from tests.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.usually("postgresql"), pytest.mark.lasts(25)]

HEAL_SECONDS = 10.0
REST_SECONDS = 3
MINUTE, HOUR = 60, 3600


def told_age(wired: Wired, session: VideoSession) -> float:
    """Seconds since HeyGen was asked, as an open page of the session hears it."""
    door = Client()
    door.force_login(wired.person)
    cookie = door.cookies[settings.SESSION_COOKIE_NAME]
    address = f"{wired.dailies.url}/stream/session/{session.pk}/"
    with requests.get(
        address, cookies={cookie.key: cookie.value}, stream=True, timeout=HEAL_SECONDS
    ) as answer:
        event = ""
        for line in answer.iter_lines(decode_unicode=True):
            if line.startswith("event: "):
                event = line[7:]
            if line.startswith("data: ") and event == "alive":
                return float(json.loads(line[6:])["age"])
    raise AssertionError("the stream ended")


def ticked_after(moment: object) -> bool:
    return Heartbeat.objects.filter(name="tick", seen_at__gt=moment).exists()


def polled_after(session: VideoSession, moment: object) -> bool:
    return PollState.objects.filter(kind="session", object_id=session.pk, polled_at__gt=moment).exists()


def test_clocks_that_are_off_change_nothing(wired: Wired):
    dailies = wired.dailies
    dailies.set_clock("web", 10 * MINUTE)

    # Workers a minute ahead of those who send to them.
    for name in ("worker", "commands"):
        dailies.set_clock(name, MINUTE)
    session = wired.create("A film about sundials")
    busy = wired.create("A film about hourglasses [scenario: stuck-thinking]")
    wired.until(session, "status == 'waiting_for_input'", seconds=2 * HEAL_SECONDS)

    # And a minute behind.
    for name in ("worker", "commands"):
        dailies.set_clock(name, -MINUTE)
    actions.send(session, text="Longer shadows, please", token=tokens.new(), by=wired.person)
    wired.until(session, "status == 'reviewing'", seconds=2 * HEAL_SECONDS)
    assert 0 <= told_age(wired, session) < HEAL_SECONDS

    # HeyGen asks for a rest: it is as long as that by everybody's clock.
    wired.simulator.control.fault("status", path="/v3/video-agents*", status=429, retry_after=REST_SECONDS)
    wait_until(
        lambda: any(call["status"] == 429 for call in wired.simulator.control.calls(last=100)["calls"]),
        seconds=2 * HEAL_SECONDS,
        what="HeyGen asks for a rest",
    )
    moment = clock.now() + timedelta(seconds=REST_SECONDS)
    wait_until(
        lambda: polled_after(busy, moment), seconds=REST_SECONDS + HEAL_SECONDS, what="the rest is over"
    )

    # Somebody sets the clock of the machine on which beat runs back.
    dailies.set_clock("beat", -HOUR)
    moment = clock.now() + timedelta(seconds=1)  # what was sent before may still be on its way
    wait_until(lambda: ticked_after(moment), seconds=HEAL_SECONDS, what="beat goes on")

    wait_until(lambda: wired.stored_log(session) == wired.remote_log(session), what="the transcripts agree")
    retry_after_obeyed(Drill(wired, wired, seed=0), wired)
    assert len(wired.accepted()) == 3
    assert not Command.objects.exclude(state="accepted").exists()
    assert not session.messages.filter(role="user", command=None).exists()
