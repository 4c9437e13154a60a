from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator

import pytest
from celery import Celery, current_app

from polling import connection, hints
from polling.hints import Messenger
from tests.processes import Valkey, wait_until


@pytest.fixture
def broker(valkey: Valkey) -> Iterator[Valkey]:
    """The Celery application of this process sends to the test's Valkey."""
    before = current_app._get_current_object()
    with Celery("hints", broker=valkey.url, set_as_current=True):
        yield valkey
    before.set_default()
    before.set_current()


def queued(lane: str) -> list[list[str]]:
    messages = [json.loads(raw) for raw in connection.client().lrange(lane, 0, -1)]
    return [message["headers"]["argsrepr"] for message in messages]


def test_a_hint_is_a_message_on_the_queue_of_its_lane(broker: Valkey) -> None:
    messenger = Messenger(hints.to_lanes())
    messenger.add("polls")
    messenger.add("files", 2)
    wait_until(lambda: (len(queued("polls")), len(queued("files"))) == (1, 2))
    assert queued("files") == ["['files']"] * 2


def test_hints_that_wait_are_one() -> None:
    sent: list[str] = []
    gate, began = threading.Event(), threading.Event()

    def send(lane: str) -> None:
        began.set()
        gate.wait(10)
        sent.append(lane)

    messenger = Messenger(send)
    messenger.add("polls")
    assert began.wait(10)
    for _ in range(50):
        messenger.add("polls")
    gate.set()
    wait_until(lambda: len(sent) == 2)
    assert messenger._waiting == {}


def test_a_frozen_redis_holds_nobody_up(broker: Valkey) -> None:
    messenger = Messenger(hints.to_lanes())
    messenger.add("polls")
    wait_until(lambda: len(queued("polls")) == 1)
    broker.signal(signal.SIGSTOP)
    try:
        begun = time.monotonic()
        messenger.add("polls")
        assert time.monotonic() - begun < 0.1
    finally:
        broker.signal(signal.SIGCONT)
    messenger.add("polls")
    wait_until(lambda: len(queued("polls")) >= 2, seconds=20)


def test_a_lost_hint_is_no_error() -> None:
    sent: list[str] = []

    def send(lane: str) -> None:
        if lane == "polls":
            raise OSError("no broker")
        sent.append(lane)

    messenger = Messenger(send)
    messenger.add("polls")
    messenger.add("files")
    wait_until(lambda: sent == ["files"])
