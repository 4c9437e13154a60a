"""Where the same things are in HeyGen's own application, and which pages lead there."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app.models import VideoSession
from tests.factories import MediaFileFactory, MembershipFactory, VideoFactory, VideoSessionFactory
from tests.sessions_app.presses import press_in
from workspaces_app.models import Role

pytestmark = pytest.mark.django_db

LEADS_THERE = re.compile(r'href="(https://app\.heygen\.com[^"]*)" rel="noreferrer"')


def links(session: VideoSession, address: str) -> list[str]:
    client = Client()
    client.force_login(MembershipFactory(workspace=session.workspace, role=Role.APPROVER).user)
    return LEADS_THERE.findall(client.get(address).content.decode())


def at_heygen(**fields: object) -> VideoSession:
    session: VideoSession = VideoSessionFactory(workspace__base_url="https://api.heygen.com/", **fields)
    return session


def test_a_session_and_its_videos_are_found_there():
    session = at_heygen(remote_id="a/b?c")
    VideoFactory(session=session, video_id="v 1", page_url="javascript:alert(1)")
    VideoFactory(session=session, page_url="https://app.heygen.com/share/2")
    assert links(session, session.get_absolute_url()) == [
        "https://app.heygen.com/share/2",
        "https://app.heygen.com/videos/v%201",
        "https://app.heygen.com/video-agent/a%2Fb%3Fc",
    ]


def test_who_has_to_find_out_about_a_press_is_led_there():
    session = at_heygen(remote_id="sess_1")
    unmade = at_heygen(remote_id=None)
    for its, kind, link in (
        (session, "session.send", "https://app.heygen.com/video-agent/sess_1"),
        (unmade, "session.create", "https://app.heygen.com"),
    ):
        press = press_in(its, "unknown", kind, asks_person_since=timezone.now())
        assert links(its, reverse("sessions:press", args=[press.pk])) == [link]


def test_a_simulated_heygen_has_no_such_pages():
    session = VideoSessionFactory()
    VideoFactory(session=session)
    assert links(session, session.get_absolute_url()) == []


def test_a_film_that_cannot_be_copied_is_not_said_to_be_on_its_way():
    session = at_heygen()
    video = VideoFactory(session=session)
    MediaFileFactory(
        resource=None, video=video, role="video", state="failed", failure="the link's host is not listed"
    )
    client = Client()
    client.force_login(MembershipFactory(workspace=session.workspace).user)
    page = client.get(session.get_absolute_url()).content.decode()
    assert "could not be copied here: <bdi>the link&#x27;s host is not listed</bdi>" in page
    assert "being copied here" not in page
