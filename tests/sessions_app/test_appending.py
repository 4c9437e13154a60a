"""Rows that are appended are those that `bulk_create` would have made, to the byte."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import uuid6
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone as clock

from sessions_app.mirror.appending import append
from sessions_app.models import Message
from tests.factories import VideoSessionFactory, WorkspaceFactory
from timeline.models import Event, Exchange

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 26, 9, 5, 7, 20_300, tzinfo=UTC)
ODD = "tab\tline\nreturn\r\\backslash \\N 'quote' \"double\" %s ? … 日本語 🎬"


def stored(model: type[models.Model], without: set[str]) -> list[tuple[Any, ...]]:
    """Every column as the database holds it, oldest row first."""
    columns = [
        connection.ops.quote_name(field.column)
        for field in model._meta.local_concrete_fields
        if field.attname not in without
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM {model._meta.db_table} ORDER BY id")
        return [tuple(row) for row in cursor.fetchall()]


def message(position: int, **values: Any) -> dict[str, Any]:
    return {
        "session_id": None,
        "position": position,
        "role": "model",
        "type": "message",
        "content": ODD,
        "remote_created_at": None,
        "resource_ids": [],
        "first_seen_at": NOW,
        "command_id": None,
        "vanished": False,
        "version": 2**40,
        **values,
    }


def test_messages() -> None:
    rows = [
        message(0, content="", remote_created_at=NOW.replace(microsecond=0)),
        message(1, resource_ids=["r1", ODD], vanished=True),
        message(2, remote_created_at=NOW.astimezone(timezone(timedelta(hours=-5)))),
    ]
    ours, theirs = VideoSessionFactory(), VideoSessionFactory()

    append(Message, [{**row, "session_id": ours.pk} for row in rows])
    Message.objects.bulk_create([Message(**{**row, "session_id": theirs.pk}) for row in rows])

    found = stored(Message, {"id", "session_id"})
    assert found[:3] == found[3:]
    assert list(ours.messages.values_list("content", flat=True)) == ["", ODD, ODD]


def test_events_and_exchanges() -> None:
    workspace = WorkspaceFactory()
    of = {"workspace_id": workspace.pk, "object_kind": "session", "object_id": uuid6.uuid7()}
    events = [
        {**of, "what": "a", "data": data, "source": "poll", "actor_id": None, "at": clock.now()}
        for data in ({}, {"from": None, "to": ODD, "numbers": [1, 2.5, True]})
    ]
    exchanges = [
        {
            **of,
            "operation": "read",
            "status": status,
            "milliseconds": None,
            "body": body,
            "size": 3,
            "at": NOW,
        }
        for status, body in ((200, b"\x00\xff\\"), (None, b""))
    ]
    for model, rows in ((Event, events), (Exchange, exchanges)):
        append(model, rows)
        model.objects.bulk_create([model(**row) for row in rows])  # type: ignore[attr-defined]
        found = stored(model, {"id"})
        assert len(found) == 4
        assert [as_bytes(row) for row in found[:2]] == [as_bytes(row) for row in found[2:]]


def as_bytes(row: tuple[Any, ...]) -> list[Any]:
    """PostgreSQL's driver gives a view of bytes."""
    return [bytes(value) if isinstance(value, memoryview) else value for value in row]


def test_one_row_that_cannot_be_stored_stores_none() -> None:
    session = VideoSessionFactory()
    rows = [message(position, session_id=session.pk) for position in (0, 1, 1)]

    with pytest.raises(IntegrityError), transaction.atomic():
        append(Message, rows)

    assert not Message.objects.exists()


def test_nothing_is_nothing() -> None:
    append(Message, [])
    assert not Message.objects.exists()
