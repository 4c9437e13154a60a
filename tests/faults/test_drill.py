"""The random drill: people work while processes die, the broker forgets, and HeyGen misbehaves. Seeded, bounded. One of the
two workspaces speaks the older dialect.

`./run test --faults 600` goes on for ten minutes, `--fault-seed 7` picks another run. See `drill` for what goes wrong
and `checkers` for what must be true afterwards.
"""

from __future__ import annotations

import pytest

from tests.faults.checkers import check
from tests.faults.drill import LEAST_FAULTS, NEIGHBOURS_SESSIONS, SESSIONS, Drill
from tests.faults.wired import Wired
from tests.processes import Postgres

pytestmark = [pytest.mark.faults, pytest.mark.lasts(80)]


def test_random_faults_lose_nothing_and_double_nothing(
    own_postgres: Postgres | None, wired: Wired, neighbour: Wired, pytestconfig: pytest.Config
):
    seconds = pytestconfig.getoption("--fault-seconds")
    neighbour.workspace.dialect = "sessions"
    neighbour.workspace.save(update_fields=["dialect"])
    drill = Drill(wired, neighbour, seed=pytestconfig.getoption("--fault-seed"), postgres=own_postgres)
    try:
        drill.run(seconds)

        took = check(drill)
    finally:
        drill.stop()

    print(f"{len(drill.struck)} faults, {drill.presses} presses: {dict(drill.counts)}; {took}")  # noqa: T201
    assert len(drill.struck) >= LEAST_FAULTS
    assert drill.presses >= SESSIONS + NEIGHBOURS_SESSIONS
