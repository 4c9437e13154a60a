"""Hints over a real broker: fast when it is there, harmless when it is not."""

from __future__ import annotations

import base64
import json
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery import current_app
from django.db import transaction

from commands import hints
from tests.commands.remote import Presser
from tests.processes import Valkey, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker(valkey: Valkey) -> Iterator[Valkey]:
    """Celery talks to that Valkey, over a connection that this test opened."""
    before = current_app.conf.broker_url
    current_app.conf.broker_url = valkey.url
    hints._start_anew()
    yield valkey
    current_app.conf.broker_url = before
    hints._start_anew()


def queued(broker: Valkey) -> list[Any]:
    """The arguments of the waiting hints, newest first."""
    with redis.Redis.from_url(broker.url) as client:
        messages = [json.loads(message) for message in client.lrange("commands", 0, -1)]
    assert all(message["headers"]["task"] == "commands.deliver" for message in messages)
    return [json.loads(base64.b64decode(message["body"]))[0] for message in messages]


def test_a_press_is_hinted_after_its_transaction(press: Presser, broker: Valkey) -> None:
    with transaction.atomic():
        command = press()
        assert queued(broker) == []

    wait_until(lambda: queued(broker), what="the hint")
    assert queued(broker) == [[str(command.pk)]]


def test_a_press_that_is_rolled_back_is_not_hinted(press: Presser, broker: Valkey) -> None:
    with transaction.atomic():
        press()
        transaction.set_rollback(True)
    kept = press()

    wait_until(lambda: queued(broker), what="the hint")
    assert queued(broker) == [[str(kept.pk)]]


@pytest.mark.parametrize("trouble", [signal.SIGKILL, signal.SIGSTOP], ids=["dead", "frozen"])
def test_a_press_never_waits_for_the_broker(press: Presser, broker: Valkey, trouble: signal.Signals) -> None:
    press()
    wait_until(lambda: queued(broker), what="the first hint")
    broker.signal(trouble)
    try:
        started = time.monotonic()
        for _ in range(20):
            press()
        assert time.monotonic() - started < 1.0
    finally:
        if trouble == signal.SIGSTOP:
            broker.signal(signal.SIGCONT)
        else:
            assert broker.process is not None
            broker.process.wait()
            broker.start()

    def hinted_again() -> bool:
        last = press()
        return [str(last.pk)] in queued(broker)

    wait_until(hinted_again, what="hints after the broker is back")
