"""A backfill that is killed again and again brings in every session once, and never too fast."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from sessions_app.models import ListPosition, VideoSession
from tests.faults.wired import Wired
from tests.installation import ROOT
from tests.processes import wait_until
from timeline.models import Event

pytestmark = [pytest.mark.faults, pytest.mark.lasts(30)]


def import_once(wired: Wired, *, kill_after_pages: int | None) -> bool:
    """One life of the command; True when it came to its end."""
    command = [sys.executable, "manage.py", "import_sessions", wired.workspace.slug]
    process = subprocess.Popen(
        command, cwd=ROOT, env=wired.dailies.environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    pages = 0
    with process.stdout:
        for line in process.stdout:
            pages += " listed, " in line
            if pages == kill_after_pages:
                process.kill()
                break
    return process.wait(20) == 0


def imported(wired: Wired, count: int, *, seed: int, pages: int) -> int:
    """Imports `count` sessions, killed after at most so many pages, and checks; how often it was killed."""
    chance = random.Random(seed)
    # Twice the budget: what was admitted evenly may arrive in bunches where processes fight for two cores.
    wired.simulator.control.account(wired.key, requests_per_second=wired.rate * 2)
    ids = wired.simulator.control.make_sessions(count, prompt="A film from elsewhere")
    kills = 0
    while not import_once(wired, kill_after_pages=chance.randint(1, pages)):
        kills += 1
    wait_until(
        lambda: VideoSession.objects.filter(workspace=wired.workspace).count() >= count,
        seconds=20,
        what="every session is there",
    )

    rows = list(VideoSession.objects.values_list("remote_id", flat=True))
    assert sorted(rows) == sorted(ids)
    assert Event.objects.filter(what="session.adopted").count() == count
    assert not ListPosition.objects.exclude(import_cursor="").exists()
    calls = wired.simulator.control.calls(last=100_000)["calls"]
    assert [call for call in calls if call["status"] == 429] == []
    return kills


@pytest.mark.usually("postgresql")
def test_an_import_that_is_killed_brings_in_every_session_once(wired: Wired):
    assert imported(wired, 600, seed=1, pages=4) > 0


@pytest.mark.long
def test_five_thousand_sessions_with_a_kill_every_few_seconds(wired: Wired):
    assert imported(wired, 5000, seed=2, pages=12) >= 4
