from __future__ import annotations

import asyncio
import signal
import time
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from polling import changes, connection
from polling.changes import Announcement, Subscriber, announce
from tests.processes import Valkey

WORKSPACE = UUID("018f0000-0000-7000-8000-000000000001")


def announcement(version: int = 1) -> Announcement:
    return Announcement(WORKSPACE, "session", UUID(int=7), version)


async def heard(publish: list[bytes], count: int) -> list[Announcement]:
    """What a subscriber hears of raw messages that are published once it listens."""
    found: list[Announcement] = []

    def begin() -> None:
        for message in publish:
            connection.client().publish(changes.CHANNEL, message)

    async with asyncio.timeout(5):
        listening = Subscriber(begin).listen()
        async for said in listening:
            found.append(said)
            if len(found) == count:
                break
        await listening.aclose()  # type: ignore[attr-defined]
    return found


def test_a_message_is_the_documented_json() -> None:
    encoded = changes.encode([announcement(3)])
    assert encoded == (
        b'[{"workspace": "018f0000-0000-7000-8000-000000000001", "kind": "session",'
        b' "object": "00000000-0000-0000-0000-000000000007", "version": 3}]'
    )
    assert changes.decode(encoded) == [announcement(3)]


@pytest.mark.parametrize("message", [b"", b"1", b"[{}]", b'[{"workspace": 1}]', b'{"workspace": 1}', b"\xff"])
def test_what_is_no_announcement(message: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any kind of it
        changes.decode(message)


def test_what_is_announced_is_heard(valkey: Valkey) -> None:
    messages = [
        changes.encode([announcement(1), announcement(2)]),
        b"rubbish",
        changes.encode([announcement(3)]),
    ]
    assert asyncio.run(heard(messages, 3)) == [announcement(1), announcement(2), announcement(3)]


def test_a_subscriber_comes_back_with_redis(valkey: Valkey) -> None:
    connects: list[float] = []

    async def story() -> Announcement:
        subscriber = Subscriber(lambda: connects.append(time.monotonic()))
        listening = subscriber.listen()
        first = asyncio.ensure_future(anext(listening))
        async with asyncio.timeout(10):
            while not connects:
                await asyncio.sleep(0.01)
            valkey.kill()
            while subscriber.connected:
                await asyncio.sleep(0.01)
            valkey.start()
            while len(connects) < 2:
                await asyncio.sleep(0.01)
            connection.client().publish(changes.CHANNEL, changes.encode([announcement(9)]))
            said = await first
        await listening.aclose()  # type: ignore[attr-defined]
        return said

    assert asyncio.run(story()) == announcement(9)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_said_before_the_commit(valkey: Valkey) -> None:
    with connection.client().pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe(changes.CHANNEL)
        pubsub.get_message(timeout=1)
        with transaction.atomic():
            announce([announcement(1), announcement(3), announcement(2)])
            assert pubsub.get_message(timeout=0.1) is None
        message = pubsub.get_message(timeout=1)
        assert message is not None
        # The newest version of an object is enough.
        assert changes.decode(message["data"]) == [announcement(3)]
        assert pubsub.get_message(timeout=0.1) is None


@pytest.mark.django_db(transaction=True)
def test_a_frozen_redis_delays_half_a_second_at_most(valkey: Valkey) -> None:
    announce([announcement(1)])
    valkey.signal(signal.SIGSTOP)
    try:
        begun = time.monotonic()
        for _ in range(3):
            announce([Announcement(WORKSPACE, "session", uuid4(), 1)])
        assert time.monotonic() - begun < 0.7
    finally:
        valkey.signal(signal.SIGCONT)


@pytest.mark.django_db(transaction=True)
def test_no_redis_is_no_error() -> None:
    announce([announcement(1)])
