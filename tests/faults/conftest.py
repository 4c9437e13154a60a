"""One installation with a workspace of its own for each fault test."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from django.db import connection

from simulator.testing import Running, running
from tests.faults.proxy import Proxy, proxied
from tests.faults.wired import Wired, workspace_with_key
from tests.installation import Lender, database_url, reconnect
from tests.processes import Postgres, Valkey, postgres
from tests.studio import Studio, pointed_at


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


@pytest.fixture(scope="session")
def lender() -> Iterator[Lender]:
    with Lender() as lender:
        yield lender


@pytest.fixture(scope="session")
def wire_to() -> Iterator[Callable[[str], tuple[Proxy, str]]]:
    """A proxy in front of a server, and the server's URL through it: the same for every test, as nothing had happened."""
    wires: dict[str, tuple[Proxy, str]] = {}
    with contextlib.ExitStack() as stack:

        def lay(url: str) -> tuple[Proxy, str]:
            if url not in wires:
                wires[url] = stack.enter_context(proxied(url))
            wires[url][0].clear()
            return wires[url]

        yield lay


@pytest.fixture
def studio(
    transactional_db: None, simulator_process: Running, valkey: Valkey, lender: Lender
) -> Iterator[Studio]:
    simulator_process.control.reset()
    with (
        pointed_at(simulator_process, valkey),
        lender.lend(
            simulator_process.url,
            valkey,
            POLL_REQUESTS_PER_SECOND=100,
            POLL_BURST=100,
            COMMANDS_LOOK_SECONDS=20,
        ) as dailies,
    ):
        dailies.start("worker", "commands", "beat")
        workspace, person = workspace_with_key(simulator_process.url, simulator_process.key)
        yield Studio(dailies, simulator_process, valkey, workspace, person, simulator_process.key)


@pytest.fixture
def wired(
    request: pytest.FixtureRequest,
    transactional_db: None,
    simulator_process: Running,
    valkey: Valkey,
    lender: Lender,
    wire_to: Callable[[str], tuple[Proxy, str]],
) -> Iterator[Wired]:
    """With a web process, too, and clocks that a test can set. A parameter is what its processes find in their environment besides."""
    rate, burst = 20.0, 20
    simulator_process.control.reset()
    proxy, url = wire_to(simulator_process.url)
    database, address = None, database_url()
    if connection.vendor == "postgresql":
        database, address = wire_to(address)
    with (
        pointed_at(simulator_process, valkey),
        lender.lend(
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
        ) as dailies,
    ):
        dailies.collect_static()
        dailies.start("worker", "commands", "beat")
        workspace, person = workspace_with_key(url, simulator_process.key)
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
        workspace, person = workspace_with_key(url, key)
        yield replace(wired, workspace=workspace, person=person, key=key, proxy=proxy)
