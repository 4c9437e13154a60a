"""One key, ten processes that poll, serve pages and upload: HeyGen never sees more than the budget, nor a word too early."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from simulator.testing import Running
from tests.factories import WorkspaceFactory
from tests.installation import ROOT, installed
from tests.processes import Valkey, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.usually("postgresql"), pytest.mark.lasts(30)]

RATE, BURST = 5, 10
REST_SECONDS = 10
KINDS = ("poll",) * 4 + ("page",) * 3 + ("upload",) * 3


@pytest.fixture
def callers(transactional_db: None, simulator_process: Running, valkey: Valkey) -> Iterator[None]:
    simulator_process.control.reset()
    workspace = WorkspaceFactory(base_url=simulator_process.url, key=simulator_process.key)
    with installed(simulator_process.url, valkey, POLL_REQUESTS_PER_SECOND=RATE, POLL_BURST=BURST) as dailies:
        command = [sys.executable, "-m", "tests.faults.caller", str(workspace.pk), "45", *KINDS]
        process = subprocess.Popen(command, cwd=ROOT, env=dailies.environment)
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.usefixtures("callers")
def test_ten_processes_keep_the_budget_and_the_rest(simulator_process: Running, valkey: Valkey):
    control = simulator_process.control

    def called() -> list[dict[str, object]]:
        return list(control.calls(last=100_000)["calls"])

    wait_until(lambda: len({call["template"] for call in called()}) == 3, seconds=40, what="all kinds call")
    wait_until(lambda: len(called()) > BURST + 6 * RATE, seconds=30, what="the budget is used")
    control.fault("status", status=429, retry_after=REST_SECONDS)
    wait_until(lambda: any(call["status"] == 429 for call in called()), what="HeyGen asks for a rest")
    wipe = threading.Timer(REST_SECONDS / 2, valkey.flush)
    wipe.start()
    refused = next(call for call in called() if call["status"] == 429)
    wait_until(
        lambda: called()[-1]["at"] > refused["at"] + REST_SECONDS,
        seconds=REST_SECONDS + 10,
        what="the calls come back",
    )
    wipe.join()

    times = [float(str(call["at"])) for call in called()]
    for first in range(len(times)):
        for last in range(first, len(times)):
            # The request that a wiped limiter lets through, and the clock of the one who counts.
            assert last - first + 1 <= BURST + RATE * (times[last] - times[first]) + 2
    asked = float(str(refused["at"]))
    # What was on its way when the 429 was given is no disobedience.
    early = [at - asked for at in times if asked + 0.5 < at < asked + REST_SECONDS - 0.05]
    assert early == []
