"""People of one workspace, with a browser for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from simulator.testing import Running, running
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory
from workspaces_app.models import Role, User, Workspace

API_KEY = "sk_live_4f9a-only-for-tests-9XYZ"


@pytest.fixture
def workspace(db: None) -> Workspace:
    return WorkspaceFactory(name="Studio", slug="studio")


Browse = Callable[[User | None], Client]


@pytest.fixture
def browse() -> Browse:
    """A browser that is signed in as somebody."""

    def signed_in(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def member(workspace: Workspace) -> Callable[[Role], User]:
    def made(role: Role) -> User:
        return MembershipFactory(workspace=workspace, role=role).user

    return made


@pytest.fixture
def admin(member: Callable[[Role], User]) -> User:
    return member(Role.ADMIN)


@pytest.fixture
def viewer(member: Callable[[Role], User]) -> User:
    return member(Role.VIEWER)


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody with a workspace of their own."""
    return MembershipFactory(role=Role.ADMIN, user=UserFactory()).user


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[Running]:
    with running(keys=[API_KEY]) as simulator:
        yield simulator


@pytest.fixture
def simulator(simulator_process: Running, valkey: object, settings: Settings) -> Running:
    """A HeyGen that answers over HTTP, with a budget that doesn't slow the tests down."""
    settings.POLL_REQUESTS_PER_SECOND = 1000
    settings.POLL_BURST = 10
    simulator_process.control.clear_faults()
    return simulator_process
