"""Pages by cursor: nothing twice, nothing left out, also among rows of one moment."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.db import connection
from django.utils import timezone

from sessions_app import keyset
from sessions_app.models import VideoSession
from tests.factories import VideoSessionFactory, WorkspaceFactory


@pytest.mark.django_db
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_all_pages_together_are_the_whole_list(size: int):
    workspace = WorkspaceFactory()
    now = timezone.now()
    for minutes in (0, 0, 0, 1, 2, 2, 5):
        VideoSessionFactory(workspace=workspace, active_at=now - dt.timedelta(minutes=minutes))
    rows = VideoSession.objects.all()

    seen: list[uuid.UUID] = []
    after = ""
    for _ in range(20):
        page, after = keyset.page(rows, "active_at", after, size)
        seen += [session.pk for session in page]
        if not after:
            break

    assert seen == list(rows.order_by("-active_at", "-pk").values_list("pk", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_across_workspaces_leave_nothing_out(size: int):
    """One workspace is busy, one has old rows only, one has none."""
    busy, quiet, empty = WorkspaceFactory(), WorkspaceFactory(), WorkspaceFactory()
    now = timezone.now()
    for minutes in (0, 0, 1, 2, 2, 3, 9, 9):
        VideoSessionFactory(workspace=busy, active_at=now - dt.timedelta(minutes=minutes))
    for minutes in (2, 9, 9, 12):
        VideoSessionFactory(workspace=quiet, active_at=now - dt.timedelta(minutes=minutes))
    rows = VideoSession.objects.all()

    seen: list[uuid.UUID] = []
    after = ""
    for _ in range(20):
        page, after = keyset.page(rows, "active_at", after, size, workspaces=[busy.pk, quiet.pk, empty.pk])
        seen += [session.pk for session in page]
        if not after:
            break

    assert seen == list(rows.order_by("-active_at", "-pk").values_list("pk", flat=True))


@pytest.mark.django_db
def test_a_page_that_remembers_how_far_it_reached_is_the_same_page():
    workspaces = [WorkspaceFactory() for _ in range(2)]
    now = timezone.now()
    for minute in range(20):
        VideoSessionFactory(
            workspace=workspaces[minute % 2], title=str(minute), active_at=now - dt.timedelta(minutes=minute)
        )

    def first_page() -> list[str]:
        rows = VideoSession.objects.filter(archived__in=[False])
        found, _after = keyset.page(
            rows, "active_at", "", 5, workspaces=[each.pk for each in workspaces], called=workspaces[0].pk
        )
        return [session.title for session in found]

    assert first_page() == ["0", "1", "2", "3", "4"]
    # Not less than there is where rows have left the list, and what is new.
    VideoSession.objects.filter(title__in=["0", "1", "2", "3", "5", "6", "7", "8"]).update(archived=True)
    assert first_page() == ["4", "9", "10", "11", "12"]
    VideoSessionFactory(workspace=workspaces[1], title="new", active_at=now)
    assert first_page() == ["new", "4", "9", "10", "11"]
    VideoSession.objects.exclude(title="4").update(archived=True)
    assert first_page() == ["4"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "~",
        "nonsense",
        "2026-01-01T00:00:00+00:00~nonsense",
        "2026-01-01T00:00:00~00000000-0000-4000-8000-000000000001",
    ],
)
def test_a_broken_cursor_is_none(text: str):
    assert keyset.Cursor.read(text) is None


def test_a_cursor_survives_an_address():
    cursor = keyset.Cursor(dt.datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC), uuid.uuid4())
    assert keyset.Cursor.read(str(cursor)) == cursor


@pytest.mark.postgresql
@pytest.mark.django_db
def test_postgresql_starts_no_helper_for_the_rows_of_a_page():
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_parallel_workers_per_gather")
        assert cursor.fetchone() == ("0",)
