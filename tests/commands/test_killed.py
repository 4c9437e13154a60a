"""Real senders in processes of their own, killed and frozen in the middle of a call. The real lease: about 8 s."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection

from commands import delivery, hints, leases
from commands.models import Command, State
from tests.commands.remote import Presser
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[..., "subprocess.Popen[bytes]"]


def database_url() -> str:
    """Of the test database, for another process."""
    its = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{its['NAME']}"
    return f"postgresql://{its['USER']}@{its['HOST']}:{its['PORT']}/{quote(str(its['NAME']))}"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[bytes]] = []

    def run(command: Command, log: Path, mode: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.commands.sender", str(command.pk), str(log), mode],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "tests.settings"),
                "TEST_DATABASE_URL": database_url(),
                # A killed process does not clean up after itself.
                "TMPDIR": str(tmp_path),
            },
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    told: list[Any] = []
    monkeypatch.setattr(hints, "deliver", told.append)
    return told


def lines(log: Path) -> list[str]:
    return log.read_text().split() if log.exists() else []


def state_after_tick(command: Command) -> str:
    delivery.tick()
    command.refresh_from_db()
    return command.state


def test_a_killed_sender_leaves_an_unknown_outcome_within_ten_seconds(
    press: Presser, start: Start, tmp_path: Path
) -> None:
    command, log = press(), tmp_path / "sends"
    process = start(command, log, "hang")
    wait_until(lambda: lines(log), seconds=20, what="the send")
    assert state_after_tick(command) == State.SENDING

    process.kill()
    process.wait()
    killed = time.monotonic()
    wait_until(lambda: state_after_tick(command) == State.UNKNOWN, seconds=11, what="unknown")

    assert time.monotonic() - killed < 10
    assert command.error["code"] == "sender_ended"
    # Another worker that is told about it looks, and does not send.
    delivery.advance(command.pk)
    assert lines(log) == [str(command.pk)]


def test_a_sender_killed_before_the_attempt_loses_nothing(
    press: Presser, start: Start, tmp_path: Path, pass_time: Callable[..., None], told: list[Any]
) -> None:
    command, log = press(), tmp_path / "sends"
    process = start(command, log, "hang")
    process.kill()
    process.wait()
    command.refresh_from_db()
    assert (command.state, lines(log)) == (State.QUEUED, [])

    told.clear()
    pass_time(3)
    delivery.tick()
    assert told == [command.pk]


def test_a_frozen_sender_is_called_unknown_and_its_late_answer_settles_it(
    press: Presser, start: Start, tmp_path: Path
) -> None:
    command, log = press(), tmp_path / "sends"
    process = start(command, log, "wait")
    wait_until(lambda: lines(log), seconds=20, what="the send")

    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: state_after_tick(command) == State.UNKNOWN, seconds=11, what="unknown")
    log.with_suffix(".go").touch()
    process.send_signal(signal.SIGCONT)
    assert process.wait(20) == 0

    command.refresh_from_db()
    assert (command.state, command.remote_ref, command.settled_by) == (
        State.ACCEPTED,
        "from the process",
        "answer",
    )
    assert lines(log) == [str(command.pk)]


def test_two_processes_told_of_one_command_send_it_once(press: Presser, start: Start, tmp_path: Path) -> None:
    command, log = press(), tmp_path / "sends"
    log.with_suffix(".go").touch()
    processes = [start(command, log, "wait") for _ in range(3)]

    assert [process.wait(30) for process in processes] == [0, 0, 0]
    assert lines(log) == [str(command.pk)]


def test_a_slow_living_sender_outlasts_its_lease(press: Presser, start: Start, tmp_path: Path) -> None:
    command, log = press(), tmp_path / "sends"
    process = start(command, log, "wait")
    wait_until(lambda: lines(log), seconds=20, what="the send")
    command.refresh_from_db()
    first_end = command.lease_until

    def past_the_first_end() -> bool:
        assert state_after_tick(command) == State.SENDING
        return bool(command.lease_until > first_end)

    wait_until(past_the_first_end, seconds=leases.LEASE_SECONDS, what="a renewed lease")
    log.with_suffix(".go").touch()
    assert process.wait(20) == 0
    assert state_after_tick(command) == State.ACCEPTED
