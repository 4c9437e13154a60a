"""One installation and one simulated HeyGen for all browser tests; each test has a workspace and people of its own."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test.utils import setup_databases, teardown_databases
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.plugin import DjangoDbBlocker

from polling import health
from polling.models import PollState
from simulator.testing import Running, running
from tests.e2e.browsers import PATIENCE_MS, Browsers, watched_for
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory
from tests.installation import Installation, installed
from tests.processes import Valkey, wait_until
from tests.studio import Studio, pointed_at
from tests.suite import chromium
from workspaces_app import catalogue, keys
from workspaces_app.models import CatalogueItem, Role, User

# Story seconds per second: the agent's pauses are nothing that these tests look at.
SPEED = 60
# What the tests wait for most is the next look at HeyGen: they see the same states, sooner.
POLLS = {
    "POLL_REQUESTS_PER_SECOND": 100,
    "POLL_BURST": 100,
    "POLL_LIST_SECONDS": 5,
    "POLL_WORKING_SECONDS": 0.3,
    "POLL_WORKING_MAX_SECONDS": 1,
    "POLL_GENERATING_SECONDS": 0.3,
    "POLL_GENERATING_MAX_SECONDS": 1,
    "POLL_WAITING_SECONDS": 1,
    "POLL_WATCHED_WORKING_MAX_SECONDS": 1,
    "POLL_WATCHED_WAITING_MAX_SECONDS": 1,
    "POLL_WOKEN_SECONDS": 0.3,
}
_number = itertools.count(1)

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "e2e":
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    found = chromium()
    if found is None:
        pytest.skip("no Chromium: apt install chromium, or set CHROMIUM to one")
    arguments = [*browser_type_launch_args.get("args", []), "--autoplay-policy=no-user-gesture-required"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")
    return {**browser_type_launch_args, "executable_path": found, "args": arguments}


@pytest.fixture(scope="package")
def database(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_keepdb: bool,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """A database for the length of the package. pytest-django would empty it under the hands of the processes."""
    # Playwright's synchronous API runs an event loop in this thread, and Django would refuse to ask the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with django_db_blocker.unblock():
        before = setup_databases(verbosity=0, interactive=False, keepdb=django_db_keepdb)
        yield
        teardown_databases(before, verbosity=0)


@pytest.fixture(scope="package")
def site(database: None, valkey_server: Valkey) -> Iterator[tuple[Installation, Running, Valkey]]:
    """The processes, started once. Rows stay: tests look at their own workspace only."""
    with (
        running(speed=SPEED) as simulator,
        pointed_at(simulator, valkey_server),
        installed(
            simulator.url,
            valkey_server,
            DJANGO_SETTINGS_MODULE="tests.e2e.settings",
            **POLLS,
        ) as dailies,
    ):
        dailies.collect_static()
        dailies.start("worker", "commands", "beat", "web")
        wait_until(lambda: not health.problems(), seconds=60, what="every process has given a sign of life")
        yield dailies, simulator, valkey_server


@dataclass
class Team(Studio):
    """A workspace of a test's own; `person` is its approver."""

    def member(self, role: Role, name: str) -> User:
        user: User = UserFactory(name=name)
        MembershipFactory(user=user, workspace=self.workspace, role=role)
        return user

    def go_live(self) -> None:
        """Makes the simulator's clock fit for live streams: their pictures and speech run in real time.

        On a busy machine a test takes longer than HeyGen would wait for the next text.
        """
        self.simulator.control.set_speed(1)
        self.simulator.control.settings(idle_seconds=300)
        self.wait_for_catalogue()

    def wait_for_catalogue(self) -> None:
        """Has the account's looks and voices read; most tests pick none, and the reading would go on beside them."""
        PollState.objects.filter(kind=catalogue.KIND, workspace=self.workspace).update(
            next_poll_at=timezone.now()
        )
        wait_until(
            lambda: (
                {"look", "voice"}
                <= set(CatalogueItem.objects.filter(workspace=self.workspace).values_list("kind", flat=True))
            ),
            seconds=30,
            what="looks and voices are read",
        )


@contextlib.contextmanager
def a_team(dailies: Installation, simulator: Running, valkey: Valkey) -> Iterator[Team]:
    """A workspace of its own at an account of its own, and its approver."""
    key = f"browser-test-key-{next(_number)}"
    simulator.control.account(key)
    workspace = WorkspaceFactory(name="Bright Studio", base_url=simulator.url)
    person = UserFactory(name="Ada Approver")
    MembershipFactory(user=person, workspace=workspace, role=Role.APPROVER)
    keys.save(workspace, key, by=person, checked=True)
    PollState.objects.filter(kind=catalogue.KIND, workspace=workspace).update(next_poll_at=None)
    yield Team(dailies, simulator, valkey, workspace, person, key)
    # What a test leaves behind is not looked at any more, or the last test would share the machine with all of it.
    PollState.objects.filter(workspace=workspace).update(next_poll_at=None)


@pytest.fixture
def team(site: tuple[Installation, Running, Valkey]) -> Iterator[Team]:
    with a_team(*site) as made:
        yield made
    _dailies, simulator, _valkey = site
    simulator.control.thaw()
    simulator.control.clear_faults()
    simulator.control.settings(idle_seconds=30)
    simulator.control.set_speed(SPEED)
    simulator.control.thaw()


@pytest.fixture
def browsers(browser: Browser, team: Team) -> Iterator[Browsers]:
    with watched_for(browser, team.dailies.url, lambda: team.dailies.log("web")) as made:
        yield made
