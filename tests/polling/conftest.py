"""A trivial kind of object, a workspace for it, and a process that remembers nothing from test to test."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from polling import budget, connection, drains, heartbeats, hints, kinds, readers, ticks, writing
from tests.polling.things import Things
from workspaces_app.models import Workspace


@pytest.fixture(autouse=True)
def hinted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Lanes for which a drain was hinted; nothing is sent. Everything that a process remembers is fresh."""
    monkeypatch.setattr(kinds, "_kinds", {})
    monkeypatch.setattr(readers, "_readers", {})
    monkeypatch.setattr(writing, "_fitting", {})
    monkeypatch.setattr(budget, "_local", budget._LocalBudget())
    monkeypatch.setattr(budget, "_untold", set())
    monkeypatch.setattr(connection, "breaker", connection.Breaker())
    monkeypatch.setattr(drains, "_ending", threading.Event())
    monkeypatch.setattr(drains, "_signs", heartbeats.Sometimes())
    monkeypatch.setattr(drains, "_remotes", heartbeats.Remotes())
    monkeypatch.setattr(ticks, "_signs", heartbeats.Sometimes())
    sent: list[str] = []
    monkeypatch.setattr(hints, "drain", lambda lane, count=1: sent.extend([lane] * count))
    return sent


@pytest.fixture
def workspace(transactional_db: None, settings: Settings) -> Workspace:
    # Tests of the budget set their own; the others are not about it.
    settings.POLL_REQUESTS_PER_SECOND = settings.POLL_BURST = 1000
    # Committed, not rolled back: readers and other drains have connections of their own.
    return Workspace.objects.create(name="Team", slug="team")


@pytest.fixture
def things(workspace: Workspace) -> Things:
    return Things(UUID(str(workspace.pk)))


@pytest.fixture
def queries() -> CaptureQueriesContext:
    return CaptureQueriesContext(connections["default"])
