"""A drain that is killed or frozen in the middle, as a real process: another takes over, and no late answer counts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from polling import drains
from polling.models import PollState
from tests.polling.test_budget import database_url
from tests.polling.things import Things, make_due
from tests.processes import wait_until

DRAINER = """
import sys, threading, django
django.setup()
from uuid import UUID
from django.conf import settings
settings.POLL_REQUESTS_PER_SECOND = settings.POLL_BURST = 1000
from polling import drains
from tests.polling.things import Things
things = Things(UUID(sys.argv[1]), deadline=60)
things.values = {UUID(pk): "late" for pk in sys.argv[2].split()}
answer = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), answer.set())).start()
things.before = lambda claim: answer.wait() and None
drains.drain("polls")
"""


@pytest.fixture
def drainer(things: Things) -> Iterator[subprocess.Popen[str]]:
    """Another process that has five objects claimed, and waits for their answers until it is told on its stdin."""
    ids = things.add(5)
    process = subprocess.Popen(
        [sys.executable, "-c", DRAINER, str(things.workspace_id), " ".join(map(str, ids))],
        stdin=subprocess.PIPE,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "TEST_DATABASE_URL": database_url()},
    )
    try:
        wait_until(lambda: PollState.objects.exclude(lease_token=None).count() == 5, seconds=60)
        yield process
    finally:
        process.kill()
        process.communicate()


def taken_over(things: Things) -> None:
    make_due()  # the lease has run out
    assert drains.drain("polls") == 5
    assert sorted(things.reads) == sorted(things.values)


def test_a_killed_drain_is_taken_over(things: Things, drainer: subprocess.Popen[str]) -> None:
    assert drains.drain("polls") == 0
    drainer.kill()
    drainer.wait()

    taken_over(things)

    assert PollState.objects.filter(sequence=2, lease_token=None, digest="1").count() == 5


def test_a_frozen_drain_comes_too_late(things: Things, drainer: subprocess.Popen[str]) -> None:
    drainer.send_signal(signal.SIGSTOP)
    taken_over(things)
    before = list(PollState.objects.order_by("pk").values())

    drainer.send_signal(signal.SIGCONT)
    drainer.communicate("\n", timeout=30)

    assert drainer.returncode == 0
    assert list(PollState.objects.order_by("pk").values()) == before
    assert [things.stored(pk) for pk in things.values] == [1] * 5
