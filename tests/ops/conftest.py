"""An operator's browser, and rows of everything that the board and the admin show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import uuid6
from django.test import Client
from django.utils import timezone

from commands.models import Command
from polling.models import Heartbeat, KeyState, PollState
from realtime_app.models import Stream, TextDelta, Word
from sessions_app import models as sessions
from tests.factories import PASSWORD, StreamFactory, UserFactory, WorkspaceFactory
from timeline import events, exchanges
from workspaces_app.models import User, Workspace


@pytest.fixture
def operator(db: None) -> User:
    return UserFactory(is_staff=True, is_superuser=True, name="Olga")


@pytest.fixture
def inside(operator: User) -> Client:
    """The operator's, who has just given the password."""
    client = Client()
    client.force_login(operator)
    client.post("/admin/confirm/", {"password": PASSWORD})
    return client


def command(workspace: Workspace, object_id: Any, **fields: Any) -> Command:
    """An unknown send that asks a person, unless `fields` say otherwise."""
    now = timezone.now()
    unknown = {"attempt_at": now, "unknown_at": now, "attempts": 1, "asks_person_since": now}
    if fields.get("state", "unknown") != "unknown":
        unknown = {}
    return Command.objects.create(
        **{
            "kind": "session.send",
            "object_id": object_id,
            "workspace": workspace,
            "token": str(uuid6.uuid7()),
            "state": "unknown",
            "error": {"code": "unclear", "message": "timeout", "reason": "not_seen"} if unknown else {},
            **unknown,
            **fields,
        }
    )


def poll(workspace: Workspace, kind: str, object_id: Any, **fields: Any) -> PollState:
    return PollState.objects.create(
        **{
            "kind": kind,
            "object_id": object_id,
            "workspace": workspace,
            "key_fingerprint": workspace.key_fingerprint,
            "next_poll_at": timezone.now() - timedelta(seconds=40),
            "polled_at": timezone.now() - timedelta(seconds=90),
            "failures": 2,
            "reason": "server_error",
            "message": "500: the sky fell",
            **fields,
        }
    )


Populate = Callable[[], sessions.VideoSession]


@pytest.fixture
def populate(db: None) -> Populate:
    """Makes one row of every model that there is, each in a workspace of its own; returns the session."""

    def one_of_each() -> sessions.VideoSession:
        now = timezone.now()
        number = sessions.VideoSession.objects.count()
        workspace = WorkspaceFactory(key=f"sk_{uuid6.uuid7().hex}")
        person = UserFactory()
        session = sessions.VideoSession.objects.create(
            workspace=workspace,
            owner=person,
            remote_id=f"remote_{number}",
            title=f"Launch {number}",
            status="thinking",
            active_at=now,
            status_since=now,
        )
        press = command(workspace, session.pk, by=person)
        message = sessions.Message.objects.create(
            session=session, position=0, role="user", type="text", content="Hello.", first_seen_at=now, version=1,
            command=press,
        )  # fmt: skip
        sessions.MessageRevision.objects.create(message=message, content="Helo.", replaced_at=now)
        sessions.Gap.objects.create(session=session, after_position=0, seen_at=now, version=1)
        resource = sessions.Resource.objects.create(
            workspace=workspace, session=session, resource_id=f"res_{number}", type="image", first_seen_at=now
        )
        video = sessions.Video.objects.create(
            workspace=workspace, session=session, video_id=f"vid_{number}", first_seen_at=now
        )
        sessions.MediaFile.objects.create(
            workspace=workspace, resource=resource, role="main", state="failed", failure="404"
        )
        sessions.MediaFile.objects.create(workspace=workspace, video=video, role="video")
        sessions.RawWindow.objects.create(
            session=session, seen_at=now, body=b"x\x9c\x8b\x8e\x05\x00\x01\x15\x00\xb9"
        )
        sessions.Note.objects.create(session=session, author=person, body="Good.")
        sessions.Upload.objects.create(
            workspace=workspace,
            owner=person,
            filename="a.png",
            content_type="image/png",
            size=3,
            asset_id="asset",
        )
        sessions.ListPosition.objects.create(workspace=workspace)
        sessions.SearchText.objects.create(session=session, position=0, text="hello")
        stream: Stream = StreamFactory(
            workspace=workspace, owner=person, started_at=now - timedelta(seconds=60)
        )
        said = command(
            workspace, stream.pk, kind="stream.append", state="queued", due_at=now, waiting_for="budget"
        )
        TextDelta.objects.create(stream=stream, sequence=0, text="Hi.", command=said)
        Word.objects.create(stream=stream, index=0, word="Hi.", start=0, end=0.5)
        poll(workspace, "session", session.pk)
        KeyState.objects.create(
            fingerprint=workspace.key_fingerprint, needs_person=True, reason="unauthorized", since=now
        )
        Heartbeat.objects.create(name=f"worker:host:{number}", seen_at=now)
        events.record(
            [
                events.NewEvent(
                    workspace.pk, "session", session.pk, "session.status", "poll", {"to": "thinking"}
                )
            ]
        )
        exchanges.keep(
            [exchanges.NewExchange(workspace.pk, "session", session.pk, "GET /x", None, {"a": 1}, status=200)]
        )
        return session

    return one_of_each
