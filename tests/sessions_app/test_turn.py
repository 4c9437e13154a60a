"""Whose turn it is: stages, what is usual, when to say that it takes long."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from sessions_app import session_page, turn, usual
from sessions_app.mirror.sessions import SESSION
from sessions_app.models import StatusSpell, VideoSession
from sessions_app.usual import Usual
from tests.factories import UserFactory, VideoSessionFactory, WorkspaceFactory
from tests.fakes import FakeClient, remote_session
from tests.sessions_app.mirroring import poll
from workspaces_app.models import Workspace

pytestmark = pytest.mark.django_db


def spells(workspace: Workspace, *seconds: float, status: str = "thinking") -> None:
    now = timezone.now()
    StatusSpell.objects.bulk_create(
        StatusSpell(
            workspace=workspace, status=status, seconds=length, ended_at=now - dt.timedelta(minutes=number)
        )
        for number, length in enumerate(seconds)
    )


def stages(*, has_storyboard: bool = False, has_video: bool = False, **fields: Any) -> list[tuple[str, str]]:
    session = VideoSessionFactory.build(**fields)
    found = turn.stages(session, has_storyboard=has_storyboard, has_video=has_video)
    return [(stage.word, stage.state) for stage in found]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "thinking"}, "Planning:here Storyboard:ahead Rendering:ahead Done:ahead"),
        ({"status": ""}, "Planning:here Storyboard:ahead Rendering:ahead Done:ahead"),
        (
            {"status": "waiting_for_input", "group": "needs_you"},
            "Planning:here Storyboard:ahead Rendering:ahead Done:ahead",
        ),
        ({"status": "thinking", "mode": "generate"}, "Planning:here Rendering:ahead Done:ahead"),
        (
            {"status": "reviewing", "group": "needs_you", "has_storyboard": True},
            "Planning:past Storyboard:here Rendering:ahead Done:ahead",
        ),
        (
            {"status": "thinking", "has_storyboard": True},
            "Planning:past Storyboard:here Rendering:ahead Done:ahead",
        ),
        (
            {"status": "generating", "has_storyboard": True},
            "Planning:past Storyboard:past Rendering:here Done:ahead",
        ),
        ({"status": "generating"}, "Planning:past Rendering:here Done:ahead"),
        (
            {"status": "completed", "group": "done", "has_storyboard": True, "has_video": True},
            "Planning:past Storyboard:past Rendering:past Done:past",
        ),
        ({"status": "completed", "group": "done"}, "Planning:past Done:past"),
        (
            {"status": "failed", "group": "failed", "has_storyboard": True},
            "Planning:past Storyboard:failed Rendering:ahead Done:ahead",
        ),
        (
            {"status": "failed", "group": "failed", "has_video": True},
            "Planning:past Rendering:failed Done:ahead",
        ),
        ({"status": "pondering", "group": "unknown"}, ""),
        ({"status": "thinking", "gone_at": timezone.now()}, ""),
    ],
)
def test_stages_are_read_off_what_is_there(fields: dict[str, Any], expected: str):
    assert " ".join(f"{word}:{state}" for word, state in stages(**fields)) == expected


def test_a_usual_length_is_one_that_occurred():
    assert usual.of([5, 1, 4, 2, 3]) == Usual(half=3, most=5, sample=5)
    assert usual.of([float(n) for n in range(1, 101)]) == Usual(half=50, most=90, sample=100)
    assert usual.of([1, 2, 3, 4]) is None


def test_what_is_usual_is_told_by_the_newest_of_the_workspace_and_the_status():
    workspace = WorkspaceFactory()
    spells(workspace, *[60.0] * usual.SAMPLE, *[9000.0] * 50)
    spells(workspace, *[7.0] * 5, status="generating")
    spells(WorkspaceFactory(), *[1.0] * 9)
    assert usual.usual(workspace.pk, "Thinking") == Usual(60, 60, usual.SAMPLE)
    assert usual.usual(workspace.pk, "generating") == Usual(7, 7, 5)
    assert usual.usual(workspace.pk, "processing") is None


def shown(session: VideoSession) -> str:
    return session_page.fragments(session.pk, None, "en", "creator")


def ago(**fields: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(**fields)


def hidden(html: str, words: str) -> bool:
    """Whether the element in which `words` stand waits for its moment."""
    return "hidden" in html[: html.index(words)].rpartition("<p")[2].partition(">")[0]


def test_it_says_what_is_usual_and_waits_for_the_moment_to_say_that_it_is_longer():
    session = VideoSessionFactory(status_since=ago(seconds=30), owner=UserFactory())
    assert "Usually" not in shown(session)
    spells(session.workspace, 20, 40, 60, 80, 240)
    usual._usual.cache_clear()
    html = shown(session)
    assert "Usually 1 min, nine of ten within 4 min (the last 5 here)." in html
    assert hidden(html, "It takes longer than usual.")


def test_longer_than_usual_is_said_once_and_gives_way_to_advice():
    session = VideoSessionFactory(status_since=ago(minutes=5), active_at=ago(minutes=5))
    spells(session.workspace, 20, 40, 60, 80, 100)
    html = shown(session)
    assert not hidden(html, "It takes longer than usual.")
    assert hidden(html, "the agent may be stuck")
    nothing_to_do = "hidden>The agent is working on it. Nothing to do for you."
    assert nothing_to_do not in html

    VideoSession.objects.filter(pk=session.pk).update(status_since=ago(minutes=20), active_at=ago(minutes=16))
    html = shown(session)
    assert hidden(html, "It takes longer than usual.")
    assert not hidden(html, "the agent may be stuck")
    assert nothing_to_do in html


def test_what_still_talks_is_not_stuck():
    session = VideoSessionFactory(status_since=ago(hours=2), active_at=ago(minutes=1))
    assert hidden(shown(session), "the agent may be stuck")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"mode": "chat"}, "Write to it to go on"),
        ({"mode": "generate"}, "Wait, or stop it"),
        ({"status": "generating"}, "rendering for an hour"),
    ],
)
def test_advice_fits_the_session(fields: dict[str, Any], words: str):
    session = VideoSessionFactory(status_since=ago(hours=2), active_at=ago(hours=2), **fields)
    assert not hidden(shown(session), words)


@pytest.mark.parametrize("group", ["needs_you", "done", "failed"])
def test_nothing_takes_long_while_the_agent_does_not_work(group: str):
    session = VideoSessionFactory(group=group, status="reviewing", status_since=ago(days=2))
    spells(session.workspace, *[1.0] * 9, status="reviewing")
    html = shown(session)
    assert "Usually" not in html
    assert "stuck" not in html


def test_the_mirror_notes_how_long_each_working_spell_took():
    session = VideoSessionFactory(
        owner=UserFactory(), status="thinking", status_since=ago(seconds=90), message_count=0
    )
    poll(SESSION, session, FakeClient(read_session=remote_session(status="waiting_for_input")))
    (spell,) = StatusSpell.objects.all()
    assert (spell.workspace_id, spell.status) == (session.workspace_id, "thinking")
    assert spell.seconds == pytest.approx(90, abs=5)

    session.refresh_from_db()
    poll(SESSION, session, FakeClient(read_session=remote_session(status="thinking")))
    assert StatusSpell.objects.count() == 1, "a person's time is not the agent's"


def test_a_session_found_at_heygen_tells_nothing_of_what_is_usual():
    session = VideoSessionFactory(owner=None, status="thinking", status_since=ago(seconds=90))
    poll(SESSION, session, FakeClient(read_session=remote_session(status="waiting_for_input")))
    assert not StatusSpell.objects.exists()
