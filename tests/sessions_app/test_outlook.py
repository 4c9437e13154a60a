"""What to expect of a new session, by what the team's own took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sessions_app.models import StatusSpell, VideoSession
from sessions_app.outlook import Outlook, outlook, seconds_until
from sessions_app.usual import Usual
from tests.factories import UserFactory, VideoSessionFactory, WorkspaceFactory
from timeline.models import Event, Source

START = datetime(2026, 9, 1, 12, tzinfo=UTC)


def changes(*each: tuple[int, str]) -> list[tuple[datetime, str]]:
    return [(START + timedelta(seconds=seconds), status) for seconds, status in each]


def test_the_first_turn_counts_and_a_failure_before_it_does_not():
    asked = changes((2, "thinking"), (30, "waiting_for_input"), (90, "reviewing"))
    assert seconds_until("needs_you", START, asked) == 30
    assert seconds_until("needs_you", START, changes((5, "failed"), (30, "reviewing"))) is None
    assert seconds_until("done", START, asked) is None


@pytest.mark.django_db
def test_only_the_workspaces_own_sessions_count():
    workspace = WorkspaceFactory()

    def had(mode: str, *each: tuple[int, str], owned: bool = True, there: object = None) -> None:
        owner = UserFactory() if owned else None
        session = VideoSessionFactory(workspace=there or workspace, owner=owner, mode=mode)
        VideoSession.objects.filter(pk=session.pk).update(created_at=START)
        Event.objects.bulk_create(
            Event(
                workspace_id=session.workspace_id,
                object_kind="session",
                object_id=session.pk,
                what="session.status",
                source=Source.POLL,
                data={"to": status},
                at=at,
            )
            for at, status in changes(*each)
        )

    for seconds in (60, 120, 180, 240, 300):
        had("chat", (1, "thinking"), (seconds, "reviewing"), (900, "generating"), (1000, "completed"))
        StatusSpell.objects.create(workspace=workspace, status="generating", seconds=600, ended_at=START)
        had("chat", (900, "reviewing"), owned=False)
        had("chat", (900, "reviewing"), there=WorkspaceFactory())
    had("generate", (50, "completed"))
    found = outlook(workspace)
    assert found == Outlook(first_turn=Usual(180, 300, 5), rendering=Usual(600, 600, 5), straight=None)
    assert found.chat_words == (
        "Your turn comes after 3 min, in nine of ten within 5 min (5 sessions)."
        " Rendering takes 10 min, in nine of ten within 10 min (5)."
    )
    assert found.generate_words == ""
