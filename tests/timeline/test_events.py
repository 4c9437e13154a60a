from __future__ import annotations

from typing import Any

import pytest
import uuid6
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from polling import clock
from timeline.append_only import AppendOnlyError
from timeline.events import NewEvent, events_of, record
from timeline.models import Event, Source
from workspaces_app.models import User, Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return Workspace.objects.create(name="Red", slug="red")


def new(workspace: Workspace, **fields: Any) -> NewEvent:
    return NewEvent(
        **{
            "workspace_id": workspace.pk,
            "object_kind": "session",
            "object_id": uuid6.uuid7(),
            "what": "status.changed",
            "source": Source.POLL,
            **fields,
        }
    )


def test_events_are_written_together_and_read_in_order(
    workspace: Workspace, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    session, person = uuid6.uuid7(), User.objects.create_user("maya@example.com", "a password", name="Maya")
    before = clock.now()
    with django_assert_num_queries(1):
        record(
            [
                new(workspace, object_id=session, what="first"),
                new(workspace, object_id=session, what="second", data={"to": "thinking"}),
                new(workspace, object_id=session, what="third", source="person", actor_id=person.pk),
                new(workspace, what="of another"),
                new(workspace, object_kind="stream", object_id=session, what="of another kind"),
            ]
        )

    with django_assert_num_queries(1):
        found = [
            (event.what, event.data, event.source, event.actor and event.actor.name)
            for event in events_of("session", session)
        ]
    assert found == [
        ("first", {}, "poll", None),
        ("second", {"to": "thinking"}, "poll", None),
        ("third", {}, "person", "Maya"),
    ]
    # The database says when: on PostgreSQL, when the statement began.
    assert all(before <= event.at <= clock.now() for event in Event.objects.all())


def test_nothing_to_write_asks_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        record([])


def test_events_are_only_added(workspace: Workspace) -> None:
    record([new(workspace)])
    event = Event.objects.get()

    event.what = "nothing"
    for change in (
        event.save,
        event.delete,
        Event.objects.all().delete,
        lambda: Event.objects.update(what="nothing"),
        lambda: Event.objects.bulk_update([event], ["what"]),
    ):
        with pytest.raises(AppendOnlyError):
            change()

    assert Event.objects.get().what == "status.changed"


def test_events_outlive_the_person_and_go_with_the_workspace(workspace: Workspace) -> None:
    person = User.objects.create_user("maya@example.com", "a password")
    record([new(workspace, source="person", actor_id=person.pk)])

    person.delete()
    assert Event.objects.get().actor is None
    workspace.delete()
    assert not Event.objects.exists()


@pytest.mark.parametrize("wrong", [{"source": "rumour"}, {"what": ""}], ids=str)
def test_the_database_takes_no_half_event(workspace: Workspace, wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        record([new(workspace, **wrong)])
