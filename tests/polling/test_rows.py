"""Rows are those that `bulk_create` and `update` would have made, to the byte."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import uuid6
from django.db import DataError, IntegrityError, connection, models, transaction
from django.utils import timezone as clock

from polling.rows import append, overwrite
from sessions_app.models import Message, VideoSession
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


def test_columns_of_rows_that_are_there_are_overwritten() -> None:
    ours = VideoSessionFactory.create_batch(3, title="before", progress=1)
    theirs = VideoSessionFactory.create_batch(2, title="before", progress=1)
    values: list[dict[str, Any]] = [
        {"title": ODD, "progress": 7, "version": 2**40, "gone_at": None, "status_since": NOW},
        {"title": "", "progress": 0, "version": 2, "gone_at": NOW, "status_since": NOW},
    ]
    gone = ours.pop()
    gone_id = gone.pk
    gone.delete()

    overwrite(
        VideoSession,
        [
            {"id": pk, **new}
            for pk, new in zip([ours[0].pk, ours[1].pk, gone_id], [*values, values[0]], strict=True)
        ],
    )
    for row, new in zip(theirs, values, strict=True):
        VideoSession.objects.filter(pk=row.pk).update(**new)

    columns = ("title", "progress", "version", "gone_at", "status_since", "prompt", "status")
    found = {row["pk"]: row for row in VideoSession.objects.values("pk", *columns)}
    assert [{**found[row.pk], "pk": 0} for row in ours] == [{**found[row.pk], "pk": 0} for row in theirs]
    assert found[ours[0].pk]["title"] == ODD
    assert gone_id not in found


@pytest.mark.postgresql
def test_a_text_that_is_too_long_is_refused_and_not_cut_off() -> None:
    session = VideoSessionFactory()

    with pytest.raises(DataError), transaction.atomic():
        overwrite(VideoSession, [{"id": session.pk, "title": "x" * 501}])
