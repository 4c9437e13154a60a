"""The page on which a person finds out what became of a press."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from commands.models import Command
from sessions_app.models import VideoSession
from tests.factories import MembershipFactory, MessageFactory, UserFactory, VideoSessionFactory
from tests.sessions_app.presses import press_in
from timeline.events import NewEvent, record
from timeline.models import Source
from workspaces_app.models import Role

pytestmark = pytest.mark.django_db


def unclear(session: VideoSession, kind: str = "session.send", **payload: object) -> Command:
    now = timezone.now()
    return press_in(
        session,
        "unknown",
        kind,
        payload=payload,
        asks_person_since=now,
        due_at=None,
        attempt_at=now - timedelta(minutes=10),
        settle_tries=14,
        error={"code": "unclear", "message": "HeyGen did not answer within 120 s."},
    )


def signed_in(session: VideoSession, role: Role = Role.APPROVER) -> Client:
    client = Client()
    client.force_login(MembershipFactory(workspace=session.workspace, role=role).user)
    return client


def page(client: Client, command: Command) -> str:
    answer = client.get(reverse("sessions:press", args=[command.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_message_shows_what_was_sent_and_what_was_seen_since():
    session = VideoSessionFactory(status="waiting_for_input", group="needs_you")
    command = unclear(
        session, message="Make it blue", voice_id="voice-7", files=[{"type": "url", "url": "x"}]
    )
    MessageFactory(
        session=session,
        position=0,
        role="model",
        content="Long ago",
        remote_created_at=timezone.now() - timedelta(days=1),
    )
    MessageFactory(
        session=session, position=1, role="user", content="Make it  blue", remote_created_at=timezone.now()
    )
    record([NewEvent(session.workspace_id, "session", session.pk, "session.gap", Source.POLL)])

    html = page(signed_in(session), command)

    for said in (
        "Make it blue",
        "voice-7",
        "one file",
        "HeyGen did not answer within 120 s.",
        "14 times",
        "A message with the same words is in the conversation",
        "Make it  blue",
        "Messages may have passed unseen",
        reverse("sessions:press-happened", args=[command.pk]),
        reverse("sessions:press-did-not-happen", args=[command.pk]),
        reverse("sessions:press-again", args=[command.pk]),
    ):
        assert said in html
    assert "Long ago" not in html


def test_a_create_shows_the_sessions_that_it_may_have_made_and_takes_one():
    session = VideoSessionFactory(remote_id=None, prompt="A film about owls", status="")
    command = unclear(session, "session.create", prompt="A film about owls", dialect="current")
    now = timezone.now()
    other = VideoSessionFactory(
        workspace=session.workspace, remote_id="other", prompt="Bees", remote_created_at=now
    )
    same = VideoSessionFactory(
        workspace=session.workspace, remote_id="same", prompt="A film about owls", remote_created_at=now
    )
    VideoSessionFactory(
        workspace=session.workspace, remote_id="old", remote_created_at=now - timedelta(days=2)
    )
    pressed = VideoSessionFactory(workspace=session.workspace, remote_id="pressed", remote_created_at=now)
    press_in(pressed, "accepted", "session.create")
    client = signed_in(session)

    html = page(client, command)

    assert html.index("<code>same</code>") < html.index("<code>other</code>")
    assert html.count("begins with the same words") == 1
    assert "<code>old</code>" not in html
    assert "<code>pressed</code>" not in html

    client.post(reverse("sessions:press-happened", args=[command.pk]), {"remote_id": "same"})
    command.refresh_from_db()
    session.refresh_from_db()
    assert (command.state, session.remote_id) == ("accepted", "same")
    assert not VideoSession.objects.filter(pk=same.pk).exists()
    assert VideoSession.objects.filter(pk=other.pk).exists()
    assert "There is nothing to decide any more." in page(client, command)


@pytest.mark.parametrize("nonsense", ["sess_\x00", "s" * 256])
def test_what_can_be_no_id_decides_nothing(nonsense: str):
    session = VideoSessionFactory(remote_id=None)
    command = unclear(session, "session.create", prompt="A film")

    answer = signed_in(session).post(
        reverse("sessions:press-happened", args=[command.pk]), {"remote_id": nonsense}
    )

    assert answer.status_code == 302
    command.refresh_from_db()
    assert command.state == "unknown"


def test_the_session_leads_there():
    session = VideoSessionFactory()
    command = unclear(session, message="Make it blue")

    html = signed_in(session).get(session.get_absolute_url()).content.decode()

    assert reverse("sessions:press", args=[command.pk]) in html


def test_strangers_see_nothing_and_viewers_may_not():
    session = VideoSessionFactory()
    command = unclear(session, message="Make it blue")
    address = reverse("sessions:press", args=[command.pk])
    stranger = Client()
    stranger.force_login(UserFactory())

    assert stranger.get(address).status_code == 404
    assert signed_in(session, Role.VIEWER).get(address).status_code == 403
    assert signed_in(session).post(address).status_code == 405
