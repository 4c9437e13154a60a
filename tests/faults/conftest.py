"""One installation with a workspace of its own for each fault test."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from django.db import connection

from simulator.testing import Running, running
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory
from tests.faults.proxy import proxied
from tests.faults.wired import Wired
from tests.installation import Installation, database_url, installed, reconnect
from tests.processes import Postgres, Valkey, postgres
from tests.studio import Studio, pointed_at
from workspaces_app import keys
from workspaces_app.models import Role, User, Workspace


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is measured here runs in processes of its own. In this one the fault proxy cuts connections wherever they are, and
    one that was just being accepted may only be found by the garbage collector, in whatever test comes next."""
    for item in items:
        if item.get_closest_marker("faults"):
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[Running]:
    with running(speed=20) as simulator:
        yield simulator


@pytest.fixture
def own_postgres(transactional_db: None) -> Iterator[Postgres | None]:
    """A PostgreSQL that the test may crash, with the schema of the one that tests share; None on SQLite.

    What comes after it in the list of a test's fixtures works on it, the test's own process included.
    """
    if connection.vendor == "sqlite":
        yield None
        return
    with postgres(durable=True) as server:
        server.fill(database_url())
        with pytest.MonkeyPatch.context() as patch:
            address = urlsplit(server.url)
            for name, value in {
                "HOST": address.hostname,
                "PORT": address.port,
                "NAME": address.path[1:],
            }.items():
                patch.setitem(connection.settings_dict, name, value)
            reconnect()
            yield server
        reconnect()


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
        workspace, person = _opened(dailies, simulator_process.url, simulator_process.key)
        yield Studio(dailies, simulator_process, valkey, workspace, person, simulator_process.key)


@pytest.fixture
def wired(
    request: pytest.FixtureRequest, transactional_db: None, simulator_process: Running, valkey: Valkey
) -> Iterator[Wired]:
    """With a web process, too, and clocks that a test can set. A parameter is what its processes find in their environment besides."""
    rate, burst = 20.0, 20
    simulator_process.control.reset()
    with contextlib.ExitStack() as stack:
        proxy, url = stack.enter_context(proxied(simulator_process.url))
        database, address = None, database_url()
        if connection.vendor == "postgresql":
            database, address = stack.enter_context(proxied(address))
        stack.enter_context(pointed_at(simulator_process, valkey))
        dailies = stack.enter_context(
            installed(
                simulator_process.url,
                valkey,
                # Its static files are in a folder apart.
                DJANGO_SETTINGS_MODULE="tests.e2e.settings",
                HEYGEN_BASE_URL=url,
                DATABASE_URL=address,
                POLL_REQUESTS_PER_SECOND=rate,
                POLL_BURST=burst,
                COMMANDS_LOOK_SECONDS=10,
                TESTS_OWN_CLOCKS=True,
                **getattr(request, "param", {}),
            )
        )
        dailies.collect_static()
        workspace, person = _opened(dailies, url, simulator_process.key)
        dailies.start("web")
        yield Wired(
            dailies,
            simulator_process,
            valkey,
            workspace,
            person,
            simulator_process.key,
            proxy=proxy,
            database=database,
            rate=rate,
            burst=burst,
        )


@pytest.fixture
def neighbour(wired: Wired) -> Iterator[Wired]:
    """Another workspace of the same installation, with people, a key and a wire of its own."""
    key = "key-of-the-neighbour-0123456789"
    wired.simulator.control.account(key)
    with proxied(wired.simulator.url) as (proxy, url):
        workspace, person = _workspace(url, key)
        yield replace(wired, workspace=workspace, person=person, key=key, proxy=proxy)


def _opened(dailies: Installation, heygen_url: str, key: str) -> tuple[Workspace, User]:
    """Lets the processes begin, and gives them a workspace with a key and its administrator."""
    dailies.start("worker", "commands", "beat")
    return _workspace(heygen_url, key)


def _workspace(heygen_url: str, key: str) -> tuple[Workspace, User]:
    workspace: Workspace = WorkspaceFactory(base_url=heygen_url)
    person: User = UserFactory()
    MembershipFactory(user=person, workspace=workspace, role=Role.ADMIN)
    keys.save(workspace, key, by=person, checked=True)
    return workspace, person
