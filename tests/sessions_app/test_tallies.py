"""The numbers beside the filters: always what counting would say, whoever changes the rows, and also all at once."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections, transaction
from django.utils import timezone

from sessions_app import tallies
from sessions_app.models import LibraryTally, Resource, SessionTally, Video, VideoSession
from tests.factories import ResourceFactory, UserFactory, VideoFactory, VideoSessionFactory, WorkspaceFactory
from workspaces_app.models import Workspace

pytestmark = pytest.mark.django_db


def counted(workspace: Workspace) -> dict[str, dict[tuple[Any, ...], int]]:
    """What is there, row by row."""
    sessions = VideoSession.objects.filter(workspace=workspace)
    resources = Resource.objects.described().exclude(type="").filter(workspace=workspace)
    films = Video.objects.filter(workspace=workspace, group="done")
    return {
        "sessions": dict(Counter(sessions.values_list("archived", "group", "owner_id"))),
        "library": dict(
            Counter([(False, *row) for row in resources.values_list("type", "source", "session__owner_id")])
            + Counter((True, "", "", owner) for owner in films.values_list("session__owner_id", flat=True))
        ),
    }


def kept(workspace: Workspace) -> dict[str, dict[tuple[Any, ...], int]]:
    """What the tallies say."""
    return {
        name: tally.objects.filter(workspace_id=workspace.pk).all_numbers(tally.KEY[1:])
        for name, tally in (("sessions", SessionTally), ("library", LibraryTally))
    }


def test_every_way_to_change_a_row_is_counted():
    workspace, elsewhere = WorkspaceFactory.create_batch(2)
    owner = UserFactory()
    one, two, three = VideoSessionFactory.create_batch(3, workspace=workspace, owner=owner)
    picture = ResourceFactory(session=one, type="image", source="generated")
    announced = ResourceFactory(session=one, type="", read_at=None)
    film = VideoFactory(session=two, group="working")
    ResourceFactory(session=three, type="hologram")
    assert kept(workspace) == counted(workspace)

    def change(what: Any) -> None:
        what()
        assert kept(workspace) == counted(workspace)
        assert kept(elsewhere) == counted(elsewhere)

    change(lambda: VideoSession.objects.filter(pk=one.pk).update(group="done"))
    change(lambda: VideoSession.objects.filter(workspace=workspace).update(archived=True))
    change(lambda: Resource.objects.filter(pk=announced.pk).update(type="voice", read_at=timezone.now()))
    change(lambda: Video.objects.filter(pk=film.pk).update(group="done"))
    # As when an adopted session turns out to be that of a press.
    change(lambda: Resource.objects.filter(pk=picture.pk).update(session=three))
    change(lambda: VideoSession.objects.filter(pk=three.pk).update(owner=None))
    change(lambda: Video.objects.filter(pk=film.pk).update(title="Nothing that is counted"))
    change(one.delete)
    change(owner.delete)
    assert sum(kept(workspace)["sessions"].values()) == 2
    Workspace.objects.filter(pk=workspace.pk).delete()
    assert kept(workspace) == {"sessions": {}, "library": {}}


def test_what_was_undone_was_never_counted():
    session = VideoSessionFactory(group="working")
    with transaction.atomic():
        VideoSession.objects.filter(pk=session.pk).update(group="done")
        assert kept(session.workspace) == counted(session.workspace)
        transaction.set_rollback(True)
    assert kept(session.workspace) == counted(session.workspace)


def test_folding_changes_no_number_and_leaves_one_row_for_each(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tallies, "SPARE_ROWS", 0)
    session = VideoSessionFactory()
    for group in ("done", "working", "failed"):
        VideoSession.objects.filter(pk=session.pk).update(group=group)
    tallies.fold()
    rows = SessionTally.objects.filter(workspace_id=session.workspace_id)
    assert [(row.group, row.number) for row in rows] == [("failed", 1)]


def test_wrong_numbers_are_put_right():
    session = VideoSessionFactory(group="done")
    SessionTally.objects.create(workspace_id=session.workspace_id, archived=False, group="done", number=7)
    out = StringIO()
    call_command("recount", stdout=out)
    assert "1 of them were wrong" in out.getvalue()
    assert kept(session.workspace) == counted(session.workspace)


def test_after_a_migration_everything_is_counted_again():
    session = VideoSessionFactory(group="working")
    tallies.step_aside(plan=[])
    assert tallies.install() is False
    tallies.step_aside(plan=["a migration"])
    VideoSession.objects.filter(pk=session.pk).update(group="done")
    assert kept(session.workspace) != counted(session.workspace)
    assert tallies.install() is True
    assert kept(session.workspace) == counted(session.workspace)


@pytest.mark.django_db(transaction=True)
def test_people_poll_and_folding_at_once_never_make_them_drift(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tallies, "SPARE_ROWS", 0)
    workspace = WorkspaceFactory()
    owners = [None, *UserFactory.create_batch(2)]
    sessions = [VideoSessionFactory(workspace=workspace).pk for _ in range(8)]

    def work(seed: int) -> None:
        dice = random.Random(seed)
        try:
            for step in range(25):
                row = VideoSession.objects.filter(pk=dice.choice(sessions))
                match dice.randrange(5):
                    case 0:
                        row.update(group=dice.choice(["done", "working", "failed"]))
                    case 1:
                        row.update(archived=dice.random() < 0.5)
                    case 2:
                        row.update(owner=dice.choice(owners))
                    case 3:
                        found = row.first()
                        assert found is not None
                        ResourceFactory(session=found, resource_id=f"{seed}-{step}")
                    case 4:
                        tallies.fold() if step % 5 else tallies.recount()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert kept(workspace) == counted(workspace)
