from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from commands import kinds
from commands.models import Command
from tests.commands.remote import Presser, Remote
from workspaces_app.models import User, Workspace


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> Remote:
    """The kinds that the product registers are replaced by the test's own."""
    monkeypatch.setattr(kinds, "_registered", {})
    remote = Remote()
    remote.kind("session.create", makes_object=True, proof="list")
    remote.kind("session.send", ordered=True, hold_after_unknown=30.0, proof="window")
    remote.kind("session.stop", repeatable=True, settle=None)
    remote.kind("stream.create", makes_object=True, settle=None)
    remote.kind("stream.append", ordered=True)
    return remote


@pytest.fixture
def workspace() -> Workspace:
    return Workspace.objects.create(name="Red", slug="red")


@pytest.fixture
def person() -> User:
    return User.objects.create_user("maya@example.com", "a password")


@pytest.fixture
def press(remote: Remote, workspace: Workspace, person: User) -> Presser:
    return Presser(workspace, person)


@pytest.fixture
def together() -> Iterator[Callable[..., list[Any]]]:
    """Runs functions at the same time, each in a thread of its own, and returns what they return."""
    pool = ThreadPoolExecutor(16)

    def run(*functions: Callable[[], Any]) -> list[Any]:
        def closing(function: Callable[[], Any]) -> Any:
            try:
                return function()
            finally:
                connections.close_all()

        return [future.result(30) for future in [pool.submit(closing, function) for function in functions]]

    yield run
    pool.shutdown()


@pytest.fixture
def pass_time() -> Callable[..., None]:
    """Makes the rows older, as if that many seconds had passed."""

    def pass_seconds(seconds: float) -> None:
        moments = ("created_at", "not_before", "due_at", "lease_until", "attempt_at", "unknown_at")
        for command in Command.objects.all():
            older = {
                name: getattr(command, name) - timedelta(seconds=seconds)
                for name in moments
                if getattr(command, name) is not None
            }
            Command.objects.filter(pk=command.pk).update(**older)

    return pass_seconds


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)
