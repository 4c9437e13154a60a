"""How far somebody has read, and what is new to them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from sessions_app import access, conversation, reading, session_page
from sessions_app.models import ReadMark, VideoSession
from sessions_app.reading import Unread
from tests.factories import MembershipFactory, MessageFactory, UserFactory, VideoSessionFactory
from tests.sessions_app.presses import press_in
from workspaces_app.models import Role, User

pytestmark = pytest.mark.django_db


def talk(size: int, **fields: Any) -> VideoSession:
    session: VideoSession = VideoSessionFactory(message_count=size, **fields)
    for position in range(size):
        MessageFactory(session=session, position=position)
    return session


def member(session: VideoSession) -> User:
    user: User = UserFactory()
    MembershipFactory(user=user, workspace=session.workspace, role=Role.VIEWER)
    return user


def unread(session: VideoSession, user: User) -> Unread | None:
    """As on a page that this person opens now. Where the page has it all, the database would say the same."""
    theirs = access.session(user, session.pk)
    newest = list(conversation.rows(theirs).order_by("-position")[: session_page.PAGE])[::-1]
    found = reading.unread(theirs, user, newest)
    assert found == reading.unread(theirs, user, [])
    return found


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_on_a_first_visit_nothing_is_called_new():
    session = talk(3)
    assert unread(session, member(session)) is None


def test_what_came_after_the_mark_is_new():
    session = talk(5)
    user = member(session)
    reading.mark_read(session, user, 1)
    assert unread(session, user) == Unread(first=2, count=3)
    assert unread(session, member(session)) is None


def test_ones_own_words_are_no_news():
    session = talk(1)
    user, other = member(session), member(session)
    reading.mark_read(session, user, 0)
    MessageFactory(session=session, position=1, role="user", command=press_in(session, "accepted", by=user))
    session.message_count = 2
    session.save()
    assert unread(session, user) is None
    MessageFactory(session=session, position=2, role="user", command=press_in(session, "accepted", by=other))
    session.message_count = 3
    session.save()
    assert unread(session, user) == Unread(first=2, count=1)


def test_a_mark_never_goes_back_nor_beyond_what_there_is():
    session = talk(3)
    user = member(session)
    for position, expected in ((1, 1), (0, 1), (99, 2)):
        reading.mark_read(session, user, position)
        assert [mark.position for mark in ReadMark.objects.filter(user=user)] == [expected]
    reading.mark_read(VideoSessionFactory(message_count=0), user, 0)
    assert ReadMark.objects.count() == 1


def test_the_page_leads_to_the_first_unread_and_a_pushed_fragment_says_nothing_of_it():
    session = talk(5)
    user = member(session)
    reading.mark_read(session, user, 1)
    html = client_of(user).get(session.get_absolute_url()).content.decode()
    assert 'data-chat-unread="2"' in html
    assert "3 new since your last visit" in html
    assert "data-chat-unread" not in session_page.fragments(session.pk, None, "en", "viewer")


def test_the_page_tells_how_far_somebody_read():
    session = talk(3)
    user = member(session)
    address = reverse("sessions:read", args=[session.pk])
    client = client_of(user)
    assert client.post(address, {"position": 1}).status_code == 204
    assert unread(session, user) == Unread(first=2, count=1)
    assert [client.post(address, {"position": bad}).status_code for bad in ("", "-1", "x")] == [422] * 3
    assert client.get(address).status_code == 405
    stranger = client_of(UserFactory())
    assert stranger.post(address, {"position": 2}).status_code == 404


def positions(html: str) -> list[int]:
    return [int(found) for found in re.findall(r'id="m(\d+)"', html)]


def test_a_jump_brings_all_that_lies_between():
    session = talk(session_page.PAGE * 2 + 20)
    client = client_of(member(session))
    address = reverse("sessions:messages", args=[session.pk])
    html = client.get(address, {"from": 3, "before": 70}, headers={"HX-Request": "true"}).content.decode()
    assert positions(html) == list(range(3, 70))
    assert f"{address}?before=3" in html


def test_without_javascript_the_jump_is_a_page_with_a_way_on():
    session = talk(session_page.PAGE + 20)
    client = client_of(member(session))
    address = reverse("sessions:messages", args=[session.pk])
    html = client.get(address, {"from": 3}).content.decode()
    assert positions(html) == list(range(3, 3 + session_page.PAGE))
    assert f"{address}?before=3" in html
    assert f"{address}?from={3 + session_page.PAGE}" in html
    last = client.get(address, {"from": 60}).content.decode()
    assert positions(last) == list(range(60, session_page.PAGE + 20))
    assert "Newer messages" not in last
