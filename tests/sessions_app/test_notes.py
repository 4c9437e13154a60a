"""Internal notes: everybody reads them, only who wrote one changes it, HeyGen never hears of any."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from commands.models import Command
from sessions_app import actions, session_page
from sessions_app.models import Note, VideoSession
from tests.factories import MembershipFactory, UserFactory, VideoSessionFactory
from timeline.models import Event
from workspaces_app.models import Role, User

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def member(session: VideoSession, role: Role = Role.VIEWER) -> User:
    user: User = UserFactory()
    MembershipFactory(user=user, workspace=session.workspace, role=role)
    return user


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(name: str, note: Note) -> str:
    return reverse(f"sessions:{name}", args=[note.session_id, note.public_id])


def written(**fields: Any) -> tuple[Note, Client]:
    session = VideoSessionFactory()
    author = member(session)
    return actions.note(session, body=fields.get("body", "Ask legal"), by=author), client_of(author)


def said(note: Note) -> list[str]:
    rows = Event.objects.filter(object_id=note.session_id, what__startswith="session.note").order_by("id")
    return [row.what for row in rows]


def test_with_htmx_a_new_note_comes_back_in_the_list_and_the_page_is_not_loaded_again():
    session = VideoSessionFactory()
    response = client_of(member(session)).post(
        reverse("sessions:note", args=[session.pk]), {"body": "Ask legal"}, headers=HTMX
    )
    assert response.status_code == 200
    assert "Ask legal" in response.content.decode()
    assert 'hx-target="#note-list"' in response.content.decode()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_empty_note_is_refused_at_its_field(headers: dict[str, str]):
    session = VideoSessionFactory()
    response = client_of(member(session)).post(
        reverse("sessions:note", args=[session.pk]), {"body": "  "}, headers=headers
    )
    assert response.status_code == 422
    assert "This field is required" in response.content.decode()
    assert not Note.objects.exists()


def test_the_author_changes_a_note_and_everybody_is_told():
    note, client = written()
    before = VideoSession.objects.get(pk=note.session_id).version
    assert "Ask legal" in client.get(address("note-edit", note)).content.decode()
    assert "<!DOCTYPE html>" not in client.get(address("note-edit", note), headers=HTMX).content.decode()
    response = client.post(address("note-edit", note), {"body": "Ask <finance>"}, headers=HTMX)
    assert "Ask &lt;finance&gt;" in response.content.decode()
    note.refresh_from_db()
    assert note.edited_at is not None
    assert VideoSession.objects.get(pk=note.session_id).version > before
    assert "Ask &lt;finance&gt;" in session_page.fragments(note.session_id, None, "en", "viewer")
    assert said(note) == ["session.note", "session.note_changed"]


def test_the_same_text_changes_nothing():
    note, client = written()
    client.post(address("note-edit", note), {"body": "Ask legal"})
    note.refresh_from_db()
    assert note.edited_at is None
    assert said(note) == ["session.note"]


def test_an_emptied_note_is_refused_and_kept():
    note, client = written()
    response = client.post(address("note-edit", note), {"body": ""}, headers=HTMX)
    assert response.status_code == 422
    note.refresh_from_db()
    assert note.body == "Ask legal"


def test_the_author_deletes_a_note():
    note, client = written()
    response = client.post(address("note-delete", note))
    assert response["Location"].endswith("#notes")
    assert not Note.objects.exists()
    assert said(note) == ["session.note", "session.note_deleted"]
    assert not Command.objects.exists()


def test_nobody_changes_somebody_elses_note():
    note, _ = written()
    for role in (Role.VIEWER, Role.ADMIN):
        other = client_of(member(note.session, role))
        assert other.get(address("note-edit", note)).status_code == 403
        assert other.post(address("note-edit", note), {"body": "x"}).status_code == 403
        assert other.post(address("note-delete", note)).status_code == 403
    stranger = client_of(UserFactory())
    assert stranger.get(address("note-edit", note)).status_code == 404
    assert stranger.post(address("note-delete", note)).status_code == 404
    note.refresh_from_db()
    assert note.body == "Ask legal"


def test_a_note_is_found_in_its_own_session_only():
    note, client = written()
    other = VideoSessionFactory(workspace=note.session.workspace)
    elsewhere = reverse("sessions:note-edit", args=[other.pk, note.public_id])
    assert client.get(elsewhere).status_code == 404


def test_a_deletion_is_a_post():
    note, client = written()
    assert client.get(address("note-delete", note)).status_code == 405
