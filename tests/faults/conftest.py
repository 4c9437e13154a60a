"""One installation with a workspace of its own for each fault test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.testing import Running, running
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory
from tests.installation import installed
from tests.processes import Valkey
from tests.studio import Studio, pointed_at
from workspaces_app import keys
from workspaces_app.models import Role


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[Running]:
    with running(speed=20) as simulator:
        yield simulator


@pytest.fixture
def studio(transactional_db: None, simulator_process: Running, valkey: Valkey) -> Iterator[Studio]:
    simulator_process.control.reset()
    with (
        pointed_at(simulator_process, valkey),
        installed(
            simulator_process.url,
            valkey,
            POLL_REQUESTS_PER_SECOND=100,
            POLL_BURST=100,
            COMMANDS_LOOK_SECONDS=20,
        ) as dailies,
    ):
        workspace = WorkspaceFactory(base_url=simulator_process.url)
        person = UserFactory()
        MembershipFactory(user=person, workspace=workspace, role=Role.ADMIN)
        dailies.start("worker", "commands", "beat")
        keys.save(workspace, simulator_process.key, by=person, checked=True)
        yield Studio(dailies, simulator_process, valkey, workspace, person, simulator_process.key)
