"""What is wrong is said on every page within a minute, by its right name, and no longer once it is over.

Real processes, a real browser's requests. Between the steps all must be quiet again.
"""

from __future__ import annotations

import signal

import pytest

from commands.models import Command
from polling import schedule
from sessions_app.models import VideoSession
from tests.factories import VideoSessionFactory
from tests.faults.pages import Page
from tests.faults.wired import Wired
from tests.processes import wait_until
from workspaces_app import keys

pytestmark = [pytest.mark.faults, pytest.mark.usually("postgresql"), pytest.mark.lasts(90)]

WITHIN = 60.0
# One interval: a try of a silent key, or a sign of life, and what a page believes of it.
GONE_WITHIN = 15.0


@pytest.fixture
def visitor(wired: Wired) -> Page:
    """All is quiet, and there is something to poll."""
    session = wired.create("A film about owls [scenario: stuck-thinking]")
    wired.until(session, "message_count > 0")
    opened = Page(wired, wired.person)
    wait_until(lambda: opened.says() == set(), seconds=WITHIN, what="all is quiet")
    return opened


def expect(page: Page, *codes: str, seconds: float = WITHIN) -> None:
    wait_until(lambda: page.says() == set(codes), seconds=seconds, what=f"{codes} instead of {page.says()}")


def test_what_is_wrong_with_the_others_is_named_and_goes_with_its_cause(wired: Wired, visitor: Page):
    # Redis: pages are served and buttons work meanwhile; the press goes out when it is back.
    wired.valkey.kill()
    expect(visitor, "redis_gone")
    path = visitor.start("A film about the quiet")
    assert "A film about the quiet" in visitor.read(path)
    for listed in ("/sessions/", "/library/", "/live/"):
        visitor.read(listed)
    press = Command.objects.get(payload__prompt="A film about the quiet")
    wired.valkey.start()
    expect(visitor, seconds=GONE_WITHIN)
    wait_until(lambda: Command.objects.get(pk=press.pk).state == "accepted", what="the press goes out")

    # HeyGen cannot be reached.
    wired.proxy.refuse()
    expect(visitor, "heygen_unreachable")
    wired.proxy.restore()
    expect(visitor, seconds=GONE_WITHIN)

    # The key is refused, until somebody enters a good one.
    wired.simulator.control.account(wired.key, key_works=False)
    expect(visitor, "key_refused")
    wired.simulator.control.account(wired.key, key_works=True)
    keys.save(wired.workspace, wired.key, by=wired.person, checked=True)
    expect(visitor, seconds=GONE_WITHIN)


def test_which_process_is_gone_is_named_until_it_is_back(wired: Wired, visitor: Page):
    dailies = wired.dailies

    # All frozen at once, so that one wait is enough for all; one after the other is back.
    for name in ("beat", "worker", "commands"):
        dailies.signal(name, signal.SIGSTOP)
    expect(visitor, "beat_gone", "worker_gone")
    dailies.signal("worker", signal.SIGCONT)
    expect(visitor, "beat_gone", "commands_gone", seconds=GONE_WITHIN)
    dailies.signal("beat", signal.SIGCONT)
    expect(visitor, "commands_gone", seconds=GONE_WITHIN)
    dailies.signal("commands", signal.SIGCONT)
    expect(visitor, seconds=GONE_WITHIN)
    dailies.signal("worker", signal.SIGSTOP)
    expect(visitor, "polls_gone")
    dailies.signal("worker", signal.SIGCONT)
    expect(visitor, seconds=GONE_WITHIN)


@pytest.mark.long
def test_a_budget_that_is_used_up_is_named(wired: Wired, visitor: Page):
    many = VideoSessionFactory.create_batch(1500, workspace=wired.workspace)
    ids = [session.pk for session in many]
    for number, session in enumerate(many):
        session.remote_id = f"none-{number}"
    VideoSession.objects.bulk_update(many, ["remote_id"])
    fingerprint = wired.workspace.key_fingerprint
    schedule.enroll("session", ids, workspace_id=wired.workspace.pk, fingerprint=fingerprint, group="working")

    expect(visitor, "budget_exhausted")
    schedule.retire("session", ids)
    expect(visitor, seconds=GONE_WITHIN)
