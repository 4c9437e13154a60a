from __future__ import annotations

from collections.abc import Iterator

import pytest

import heygen
from heygen import decoding
from simulator.testing import Running, running
from tests.heygen.dialects import in_dialect
from tests.heygen.server import KEY, Server


@pytest.fixture(autouse=True)
def fresh_notes() -> None:
    """What was logged once in another test may be logged again."""
    decoding.forget_notes()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        yield found


@pytest.fixture
def client(server: Server) -> heygen.Client:
    return heygen.Client(base_url=server.url, key=KEY, read_deadline=10, write_deadline=10)


@pytest.fixture
def old_client(client: heygen.Client) -> heygen.Client:
    return in_dialect(client, heygen.Dialect.SESSIONS)


@pytest.fixture(scope="session")
def simulator() -> Iterator[Running]:
    with running(speed=200) as found:
        yield found
