"""A simulated HeyGen for tests of what goes there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.testing import Running, running


@pytest.fixture(scope="module")
def heygen() -> Iterator[Running]:
    with running() as simulator:
        yield simulator
