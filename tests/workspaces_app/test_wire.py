"""What staff can read of the wire: of news and presses, without keys and signatures, never more than a bound."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError

import heygen
from commands.models import Command
from polling.budget import Priority
from polling.kinds import Change
from sessions_app.mirror.sessions import SESSION
from sessions_app.models import VideoSession
from simulator.testing import Running
from tests.factories import VideoSessionFactory, WorkspaceFactory
from tests.fakes import FakeClient, remote_session
from tests.sessions_app.mirroring import claim_of, poll
from tests.workspaces_app.conftest import API_KEY
from timeline import exchanges
from timeline.models import Exchange
from workspaces_app import wire
from workspaces_app.connections import connection_to

pytestmark = pytest.mark.django_db

KEY = API_KEY


def said() -> list[tuple[str, int | None, Any]]:
    """Operation, status and content of what is kept, oldest first."""
    rows = Exchange.objects.order_by("pk")
    return [(row.operation, row.status, exchanges.read(row)) for row in rows]


def test_news_is_kept_and_what_is_unchanged_is_not() -> None:
    session = VideoSessionFactory()
    answer = remote_session(status="thinking")
    first = poll(SESSION, session, FakeClient(poll_session=heygen.PolledSession("d" * 32, answer)))
    poll(
        SESSION,
        session,
        FakeClient(poll_session=heygen.PolledSession("e" * 32, answer)),
        digest=first.digest,  # type: ignore[union-attr]
    )

    [(operation, status, content)] = said()
    assert (operation, status) == ("read session", 200)
    assert content["answer"]["status"] == "thinking"
    assert content["answer"]["messages"] == wire.LEFT_OUT


def test_polls_keep_a_bounded_number() -> None:
    session = VideoSessionFactory()
    for sequence in range(1, 121):
        claim = replace(claim_of(session, SESSION), sequence=sequence)
        change = Change(claim, None, None, "", "working")
        wire.keep_polls("read session", [(change, {"progress": sequence})])
    kept = Exchange.objects.filter(object_id=session.pk)
    assert exchanges.KEPT_EACH <= kept.count() < exchanges.KEPT_EACH + wire.TIDY_EVERY
    assert exchanges.read(kept.latest("pk"))["answer"] == {"progress": 120}


def test_signatures_of_links_are_not_kept() -> None:
    session = VideoSessionFactory()
    change = Change(claim_of(session, SESSION), None, None, "", "working")
    link = "https://files.example/a.mp4?Expires=1&Policy=abc&Signature=s1gnature&Key-Pair-Id=K1"
    wire.keep_polls("read video", [(change, {"video_url": link, "nested": [{"api_key": KEY}]})])
    [(_, _, content)] = said()
    assert content["answer"] == {
        "video_url": "https://files.example/a.mp4?Expires=1&Policy=[redacted]&Signature=[redacted]"
        "&Key-Pair-Id=[redacted]",
        "nested": [{"api_key": "[redacted]"}],
    }


def press(session: VideoSession) -> Command:
    return Command(kind="session.send", object_id=session.pk, workspace=session.workspace, pk=uuid.uuid4())


def stop_nobody(session: VideoSession) -> None:
    """A press that fails, as `sending` makes it."""
    with wire.noted(press(session)) as listener:
        client = connection_to(session.workspace).client(priority=Priority.COMMAND, listener=listener)
        client.stop_session("nobody")


def test_a_press_is_kept_as_it_went_over_the_wire_without_the_key(simulator: Running) -> None:
    workspace = WorkspaceFactory(key=API_KEY, base_url=simulator.url)
    session = VideoSessionFactory(workspace=workspace)
    with wire.noted(press(session)) as listener:
        client = connection_to(workspace).client(priority=Priority.COMMAND, listener=listener)
        created = client.create_session(heygen.CreateSession(prompt=f"My key is {API_KEY}", mode="chat"))
    with pytest.raises(heygen.NotFound):
        stop_nobody(session)

    (made, made_status, content), (stopped, stopped_status, refused) = said()
    assert (made, made_status) == ("POST /v3/video-agents", 200)
    assert content["request"] == {"prompt": "My key is [key]", "mode": "chat"}
    assert content["answer"]["data"]["session_id"] == created.session_id
    assert (stopped, stopped_status) == ("POST /v3/video-agents/{session_id}/stop", 404)
    assert "error" in refused["answer"]
    assert API_KEY not in json.dumps([content, refused])
    for row in Exchange.objects.all():
        assert row.milliseconds is not None


def test_an_attempt_without_an_answer_is_kept_as_such() -> None:
    session = VideoSessionFactory(workspace=WorkspaceFactory(key=KEY))
    with pytest.raises(heygen.NotSent):
        stop_nobody(session)
    assert said() == [
        ("POST /v3/video-agents/{session_id}/stop", None, {"request": {}, "answer": None}),
    ]


def test_the_outcome_of_a_send_survives_a_database_that_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(exchanges, "keep", full)
    session = VideoSessionFactory()
    with wire.noted(press(session)):
        outcome = "accepted"
    assert outcome == "accepted"
