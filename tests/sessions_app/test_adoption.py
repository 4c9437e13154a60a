"""Which sessions of HeyGen's list become ours, and which are left alone for a create of ours."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

import heygen
from polling.kinds import Changed, Reading, Unchanged
from sessions_app.mirror.adoption import SESSION_LIST
from sessions_app.mirror.sessions import SESSION
from sessions_app.models import ListPosition, VideoSession
from sessions_app.sending import CREATE_KIND
from tests.factories import VideoSessionFactory, WorkspaceFactory
from tests.fakes import CREATED, FakeClient, page, remote_message, remote_session, session_summary
from tests.sessions_app.mirroring import poll, polled
from tests.sessions_app.presses import press_in
from workspaces_app.models import Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    made: Workspace = WorkspaceFactory()
    # The poll's object is the workspace itself.
    made.workspace_id = made.pk  # type: ignore[attr-defined]
    return made


def listed(workspace: Workspace, *pages: Any, digest: str = "") -> Reading:
    return poll(SESSION_LIST, workspace, FakeClient(list_sessions=list(pages)), digest=digest)


def adopted() -> set[str | None]:
    return set(VideoSession.objects.filter(owner=None).values_list("remote_id", flat=True))


def now_summary(name: str) -> heygen.SessionSummary:
    return session_summary(name, created_at=int(timezone.now().timestamp()))


def test_strangers_become_rows_with_a_poll_of_their_own_and_ours_stay_as_they_are(workspace: Workspace):
    mine = VideoSessionFactory(workspace=workspace, remote_id="mine", title="Ours")

    listed(workspace, page(session_summary("theirs", title="Theirs"), session_summary("mine", title="Other")))

    theirs = VideoSession.objects.get(remote_id="theirs")
    assert (theirs.title, theirs.owner, theirs.active_at) == (
        "Theirs",
        None,
        dt.datetime.fromtimestamp(CREATED, dt.UTC),
    )
    assert polled("session") == {theirs.pk}
    mine.refresh_from_db()
    assert mine.title == "Ours"


def test_the_same_list_again_is_unchanged(workspace: Workspace):
    first = listed(workspace, page(session_summary("theirs")))
    assert isinstance(first, Changed)
    assert listed(workspace, page(session_summary("theirs")), digest=first.digest) == Unchanged(group="done")


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_what_may_be_the_answer_to_an_open_create_is_left_alone_until_that_is_settled(
    workspace: Workspace, state: str
):
    command = press_in(VideoSessionFactory(workspace=workspace, remote_id=None), state, CREATE_KIND)
    here = page(now_summary("candidate"), session_summary("older"))

    first = listed(workspace, here)
    assert adopted() == {None, "older"}

    type(command).objects.filter(pk=command.pk).update(
        state="refused",
        lease_until=None,
        lease_token=None,
        settled_at=timezone.now(),
        settled_by="answer",
        applied_at=timezone.now(),
    )
    assert isinstance(first, Changed)
    assert isinstance(listed(workspace, here, digest=first.digest), Changed)
    assert adopted() == {None, "older", "candidate"}


def test_a_question_that_nobody_answers_does_not_stop_adoption(workspace: Workspace):
    session = VideoSessionFactory(workspace=workspace, remote_id=None)
    press_in(session, "unknown", CREATE_KIND, asks_person_since=timezone.now(), due_at=None)
    listed(workspace, page(now_summary("later")))
    assert adopted() == {None, "later"}


def test_the_first_visit_reads_one_page_and_a_later_one_goes_back_as_far_as_there_are_strangers(
    workspace: Workspace,
):
    listed(workspace, page(session_summary("a"), next_token="behind a"))
    assert ListPosition.objects.get().cursor == ""

    listed(workspace, page(session_summary("c"), next_token="behind c"))
    assert ListPosition.objects.get().cursor == "behind c"

    reading = listed(
        workspace,
        page(session_summary("c"), next_token="behind c"),
        page(session_summary("b"), session_summary("a"), next_token="behind b"),
    )
    assert isinstance(reading, Changed)
    assert reading.group == "working"
    assert adopted() == {"a", "b", "c"}

    listed(
        workspace,
        page(session_summary("c"), next_token="behind c"),
        page(session_summary("a"), next_token="behind the end"),
    )
    position = ListPosition.objects.get()
    assert (position.cursor, position.adopted) == ("", 3)


def test_a_page_of_what_is_new_may_have_more_behind_it_though_one_is_ours(workspace: Workspace):
    """After a weekend without workers: many sessions from elsewhere, and the first press of Monday on top of them."""
    listed(workspace, page(session_summary("a"), next_token="behind a"))
    VideoSessionFactory(workspace=workspace, remote_id="ours")

    listed(workspace, page(now_summary("ours"), now_summary("c"), next_token="behind c"))

    assert ListPosition.objects.get().cursor == "behind c"


def test_what_is_older_than_our_first_look_stays_where_it_is_when_a_session_before_it_is_deleted(
    workspace: Workspace,
):
    listed(workspace, page(session_summary("b"), session_summary("a"), next_token="behind a"))
    listed(workspace, page(session_summary("a"), session_summary("older"), next_token="behind older"))
    assert ListPosition.objects.get().cursor == ""


def test_a_cursor_that_heygen_no_longer_takes_ends_the_way_back_but_not_adoption(workspace: Workspace):
    listed(workspace, page(session_summary("a"), next_token="behind a"))
    listed(workspace, page(now_summary("c"), next_token="behind c"))

    reading = listed(
        workspace,
        page(now_summary("d"), now_summary("c")),
        heygen.Refused("expired", status=400, param="token"),
    )

    assert isinstance(reading, Changed)
    assert adopted() == {"a", "c", "d"}
    assert ListPosition.objects.get().cursor == ""


def test_a_workspace_of_the_older_dialect_has_no_list(workspace: Workspace):
    with pytest.raises(LookupError):
        poll(SESSION_LIST, workspace, FakeClient(dialect=heygen.Dialect.SESSIONS), dialect="sessions")


def test_an_adopted_session_is_as_old_as_its_last_message(workspace: Workspace):
    listed(workspace, page(session_summary("theirs")))
    session = VideoSession.objects.get()
    said = [remote_message("A film", "user"), remote_message("Done", created_at=CREATED + 60)]
    client = FakeClient(
        read_session=remote_session("theirs", status="completed", messages=said), list_session_videos=page()
    )

    poll(SESSION, session, client)

    session.refresh_from_db()
    assert session.active_at == dt.datetime.fromtimestamp(CREATED + 60, dt.UTC)

    said.append(remote_message("One more thing", created_at=CREATED + 90))
    client = FakeClient(
        read_session=remote_session("theirs", status="completed", messages=said), list_session_videos=page()
    )
    poll(SESSION, session, client)
    session.refresh_from_db()
    assert timezone.now() - session.active_at < dt.timedelta(minutes=1)


def test_an_import_without_a_key_says_so(workspace: Workspace):
    with pytest.raises(CommandError, match="no API key"):
        call_command("import_sessions", workspace.slug)
