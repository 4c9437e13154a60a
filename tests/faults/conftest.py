"""One installation with a workspace of its own for each fault test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from commands import tokens
from config.celery import app as celery_app
from sessions_app import actions
from sessions_app.models import VideoSession
from simulator.testing import Running, running
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory
from tests.installation import Installation, installed
from tests.processes import Valkey, wait_until
from workspaces_app import keys
from workspaces_app.models import Role, User, Workspace


@dataclass
class Studio:
    """A running Dailies, its simulated HeyGen, and a person who may do everything in its one workspace."""

    dailies: Installation
    simulator: Running
    valkey: Valkey
    workspace: Workspace
    person: User

    def create(self, prompt: str, *, mode: str = "chat", token: str = "") -> VideoSession:
        return actions.create(
            self.workspace,
            values={"prompt": prompt, "mode": mode},
            files=[],
            token=token or tokens.new(),
            by=self.person,
        )

    def stored_log(self, session: VideoSession) -> list[tuple[str, str]]:
        """(role, text) of every message that we have, oldest first."""
        return list(session.messages.order_by("position").values_list("role", "content"))

    def remote_log(self, session: VideoSession) -> list[tuple[str, str]]:
        """The same as HeyGen knows it, beyond what it shows."""
        truth = self.simulator.control.session(session.remote_id)
        return [(message["role"], message["content"]) for message in truth["message_log"]]

    def accepted(self) -> list[dict[str, Any]]:
        """Paid calls that HeyGen accepted."""
        return list(self.simulator.control.ledger()["accepted"])

    def until(self, session: VideoSession, condition: str, *, seconds: float = 30) -> None:
        """Waits until `session`, read again, fulfils e.g. `group == "needs_you"`; shows the logs when it does not."""

        def fulfilled() -> bool:
            session.refresh_from_db()
            return bool(eval(condition, {}, vars(session) | {"session": session}))

        try:
            wait_until(fulfilled, seconds=seconds, what=condition)
        except AssertionError:
            logs = "\n".join(
                f"--- {name}\n{self.dailies.log(name)[-3000:]}" for name in ("worker", "commands", "beat")
            )
            raise AssertionError(f"{condition}: {vars(session)}\n{logs}") from None


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[Running]:
    with running(speed=20) as simulator:
        yield simulator


@pytest.fixture
def studio(
    transactional_db: None,
    simulator_process: Running,
    valkey: Valkey,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Studio]:
    simulator_process.control.reset()
    settings.HEYGEN_BASE_URL = simulator_process.url
    settings.MEDIA_HOSTS = [simulator_process.url]
    # The hints of presses that the test makes itself go to the same broker.
    monkeypatch.setattr(celery_app.conf, "broker_url", valkey.url)
    workspace = WorkspaceFactory(base_url=simulator_process.url)
    person = UserFactory()
    MembershipFactory(user=person, workspace=workspace, role=Role.ADMIN)
    with installed(simulator_process.url, valkey, POLL_REQUESTS_PER_SECOND=100, POLL_BURST=100) as dailies:
        dailies.start("worker", "commands", "beat")
        keys.save(workspace, simulator_process.key, by=person, checked=True)
        yield Studio(dailies, simulator_process, valkey, workspace, person)
