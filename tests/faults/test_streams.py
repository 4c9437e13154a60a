"""The web process is killed under fifty open pages: every one comes back and misses nothing."""

from __future__ import annotations

import contextlib

import pytest

from commands import tokens
from sessions_app import actions
from tests.factories import MembershipFactory, UserFactory
from tests.faults.checkers import HEAL_SECONDS
from tests.faults.followers import Follower
from tests.faults.wired import Wired
from tests.processes import wait_until
from workspaces_app.models import Role

pytestmark = [pytest.mark.faults, pytest.mark.usually("sqlite")]

PEOPLE, PAGES = 5, 10


def test_fifty_open_pages_come_back_and_miss_nothing(wired: Wired):
    session = wired.create("A film about a lighthouse")
    wired.until(session, "status == 'waiting_for_input'")
    people = [UserFactory() for _ in range(PEOPLE)]
    for person in people:
        MembershipFactory(user=person, workspace=wired.workspace, role=Role.VIEWER)

    def behind() -> list[int | None]:
        session.refresh_from_db()
        return [page.shown for page in pages if page.shown != session.version]

    with contextlib.ExitStack() as stack:
        pages = [Follower(wired.dailies, person, session.pk) for person in people for _ in range(PAGES)]
        for page in pages:
            stack.callback(page.leave)
        wait_until(lambda: not behind(), seconds=20, what="every page shows the session")
        before = session.version

        wired.dailies.kill("web")
        # It goes on while nobody can see it.
        actions.send(session, text="Calm, please", token=tokens.new(), by=wired.person)
        wired.until(session, "status == 'reviewing'")
        assert all(page.shown == before for page in pages)
        wired.dailies.start("web")

        wait_until(lambda: not behind(), seconds=HEAL_SECONDS, what="every page shows what it missed")
        assert session.version > before
        assert [page.streams for page in pages] == [2] * len(pages)
