"""Messages carry no time at all; what bounds them is the length of their queue."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator

import pytest
import redis
from celery import current_app
from django.conf import settings

from commands import hints as deliveries
from config.beat import Scheduler
from config.celery import DELIVERY, DRAIN, TICK, Application
from polling import hints
from tests.processes import Valkey


@pytest.fixture
def app(valkey: Valkey) -> Iterator[Application]:
    """One as the processes have it, sending to the test's Valkey."""
    before = current_app._get_current_object()
    with Application("test", broker=valkey.url, set_as_current=True) as found:
        found.config_from_object("django.conf:settings", namespace="CELERY")
        found.conf.broker_transport_options = {
            **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
            "socket_timeout": 0.5,
        }
        yield found
    before.set_default()
    before.set_current()


def waiting(valkey: Valkey, queue: str) -> int:
    with redis.Redis.from_url(valkey.url) as client:
        return int(client.llen(queue))  # type: ignore[arg-type]


def test_ticks_that_nobody_takes_are_few(app: Application, valkey: Valkey):
    scheduler = Scheduler(app)
    for _ in range(3 * TICK):
        for entry in scheduler.schedule.values():
            scheduler.apply_entry(entry, producer=scheduler.producer)

    assert waiting(valkey, "polls") == waiting(valkey, "commands") == TICK
    scheduler.close()


def test_drains_leave_room_for_ticks(app: Application, valkey: Valkey):
    send = hints.to_lanes()
    for _ in range(3 * DRAIN):
        send("polls")
    assert waiting(valkey, "polls") == DRAIN
    for _ in range(3 * TICK):
        app.send_task("polling.tick", queue="polls")
    assert waiting(valkey, "polls") == TICK


def test_deliveries_are_bounded_too(app: Application, valkey: Valkey):
    with redis.Redis.from_url(valkey.url) as client:
        client.rpush("commands", *["{}"] * (DELIVERY - 1))
    for _ in range(3):
        deliveries._Messenger()._publish("0")

    assert waiting(valkey, "commands") == DELIVERY


def test_a_message_says_nothing_of_time(app: Application, valkey: Valkey):
    scheduler = Scheduler(app)
    for entry in scheduler.schedule.values():
        scheduler.apply_entry(entry, producer=scheduler.producer)
    hints.to_lanes()("polls")
    deliveries._Messenger()._publish("0")
    scheduler.close()

    with redis.Redis.from_url(valkey.url) as client:
        raw = [*client.lrange("polls", 0, -1), *client.lrange("commands", 0, -1)]  # type: ignore[misc]
    messages = [json.loads(message)["headers"] for message in raw]
    assert {message["task"] for message in messages} >= {"polling.tick", "polling.drain", "commands.deliver"}
    assert {(message["expires"], message["eta"]) for message in messages} == {(None, None)}


@pytest.mark.parametrize("trouble", [signal.SIGKILL, signal.SIGSTOP], ids=["dead", "frozen"])
def test_a_broker_that_is_away_costs_a_sender_its_patience_once(
    app: Application, valkey: Valkey, trouble: signal.Signals
):
    scheduler = Scheduler(app)
    tick = scheduler.schedule["polling.tick"]
    scheduler.apply_entry(tick, producer=scheduler.producer)
    valkey.signal(trouble)
    try:
        begun = time.monotonic()
        scheduler.apply_entry(tick, producer=scheduler.producer)
        assert time.monotonic() - begun < 3
    finally:
        if trouble == signal.SIGSTOP:
            valkey.signal(signal.SIGCONT)
        else:
            assert valkey.process is not None
            valkey.process.wait()
            valkey.start()

    before = waiting(valkey, "polls")
    scheduler.apply_entry(tick, producer=scheduler.producer)
    assert waiting(valkey, "polls") > before
    scheduler.close()
