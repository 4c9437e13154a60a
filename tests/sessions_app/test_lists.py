"""Inbox, history and library: what stands in them, in which order, and for whom."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from polling import schedule
from polling.models import PollState
from sessions_app import people as people_filter
from sessions_app.models import SearchText, SessionTag, VideoSession
from sessions_app.search_words import indexed
from tests.factories import (
    MediaFileFactory,
    MembershipFactory,
    ResourceFactory,
    UserFactory,
    VideoFactory,
    VideoSessionFactory,
    WorkspaceFactory,
)
from workspaces_app.models import Role, Workspace

pytestmark = pytest.mark.django_db


def member(*workspaces: Workspace, role: Role = Role.VIEWER, **fields: Any) -> Client:
    user = UserFactory(**fields)
    for workspace in workspaces:
        MembershipFactory(user=user, workspace=workspace, role=role)
    client = Client()
    client.force_login(user)
    return client


def titles(client: Client, address: str, **query: Any) -> list[str]:
    """The titles of the rows, in their order."""
    html = client.get(address, query).content.decode()
    main = html[html.index('id="main"') :]
    return re.findall(r"data-key-item[^>]*>([^<]+)<", main)


def offered(client: Client, address: str) -> list[tuple[str, str]]:
    """The people that a list can be narrowed to, as (value, label)."""
    html = client.get(address).content.decode()
    (select,) = re.findall(r'<select name="person">(.*?)</select>', html, re.DOTALL)
    return re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)<', select)


def minutes_ago(minutes: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(minutes=minutes)


def searchable(session: VideoSession, text: str) -> None:
    SearchText.objects.create(session=session, position=-1, text=indexed(text, session.workspace_id))


def test_a_hidden_page_of_a_session_learns_its_title_and_a_stranger_none():
    session = VideoSessionFactory(title="Bakery", group="needs_you", status="waiting_for_input")
    address = f"/needs-you/count/?about={session.pk}"
    assert member(session.workspace).get(address).json()["title"] == "● Has a question · Bakery · Dailies"
    assert member(WorkspaceFactory()).get(address).json()["title"] is None
    assert member(session.workspace).get("/needs-you/count/?about=x").json()["title"] is None


def test_an_open_page_of_a_session_learns_why_it_is_late():
    session = VideoSessionFactory()
    schedule.enroll("session", [session.pk], workspace_id=session.workspace_id, fingerprint="key")
    address = f"/needs-you/count/?about={session.pk}"
    assert member(session.workspace).get(address).json()["late"] == ""
    PollState.objects.update(failures=2, reason="server_error")
    assert member(session.workspace).get(address).json()["late"] == "HeyGen has trouble answering."
    assert member(WorkspaceFactory()).get(address).json()["late"] is None


def rows_marked_late(client: Client, address: str) -> list[str]:
    html = client.get(address).content.decode()
    marked = re.findall(r'<(?:tr|li) id="(?:row|recent|waiting)-([^"]+)"(.*?)</(?:tr|li)>', html, re.DOTALL)
    return [pk for pk, row in marked if "HeyGen does not answer for this session" in row]


def test_a_row_says_that_its_own_session_could_not_be_read():
    workspace = WorkspaceFactory()
    works, read = VideoSessionFactory.create_batch(2, workspace=workspace, group="working")
    waits = VideoSessionFactory(workspace=workspace, group="needs_you", status="waiting_for_input")
    ids = [works.pk, read.pk, waits.pk]
    schedule.enroll("session", ids, workspace_id=workspace.pk, fingerprint="key")
    # Of another kind, with an id that says nothing here.
    schedule.enroll("video", [read.pk], workspace_id=workspace.pk, fingerprint="key")
    client = member(workspace)
    assert rows_marked_late(client, "/sessions/") == rows_marked_late(client, "/") == []
    PollState.objects.exclude(kind="session", object_id=read.pk).update(failures=1)
    expected = {str(works.pk), str(waits.pk)}
    assert set(rows_marked_late(client, "/sessions/")) == set(rows_marked_late(client, "/")) == expected


@pytest.mark.parametrize("address", ["/", "/needs-you/count/", "/sessions/", "/library/", "/sessions/new/"])
def test_a_stranger_to_the_house_is_led_to_the_door(client: Client, address: str):
    response = client.get(address)
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")


# --- History ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def studio() -> Workspace:
    """Four sessions of one workspace, the newest activity first: Done, Waits, Works, Foreign."""
    workspace: Workspace = WorkspaceFactory(slug="studio")
    owner = UserFactory()
    for number, (title, group, who) in enumerate(
        [
            ("Done", "done", owner),
            ("Waits", "needs_you", owner),
            ("Works", "working", owner),
            ("Foreign", "done", None),
        ]
    ):
        session = VideoSessionFactory(
            workspace=workspace, title=title, group=group, owner=who, active_at=minutes_ago(number)
        )
        searchable(session, f"{title} café at the harbour")
        if group == "done":
            SessionTag.objects.create(workspace=workspace, session=session, name="spring")
    return workspace


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Done", "Waits", "Works", "Foreign"]),
        ({"status": "done"}, ["Done", "Foreign"]),
        ({"status": "nonsense"}, ["Done", "Waits", "Works", "Foreign"]),
        ({"person": "none"}, ["Foreign"]),
        ({"person": "me"}, []),
        ({"person": "nonsense"}, ["Done", "Waits", "Works", "Foreign"]),
        ({"tag": "spring"}, ["Done", "Foreign"]),
        ({"tag": "spring", "status": "failed"}, []),
        ({"tag": "autumn"}, []),
        ({"q": "harb CAFE"}, ["Done", "Waits", "Works", "Foreign"]),
        ({"q": "wait"}, ["Waits"]),
        ({"q": "wait", "status": "done"}, []),
        ({"q": "wharf"}, []),
        ({"workspace": "studio"}, ["Done", "Waits", "Works", "Foreign"]),
        ({"workspace": "elsewhere"}, []),
        ({"workspace": "'; drop"}, ["Done", "Waits", "Works", "Foreign"]),
        ({"after": "nonsense"}, ["Done", "Waits", "Works", "Foreign"]),
        ({"archived": "on"}, []),
    ],
)
def test_the_history_is_narrowed_by_its_address(
    studio: Workspace, query: dict[str, str], expected: list[str]
):
    assert titles(member(studio), "/sessions/", **query) == expected


def test_the_history_counts_each_status_under_the_other_filters(studio: Workspace):
    html = member(studio).get("/sessions/", {"status": "done"}).content.decode()
    chips = re.findall(r'class="chip"[^>]*>\s*([^<]+?)\s*<span class="number">(\d+)<', html)
    assert chips == [("All", "4"), ("Working", "1"), ("Needs you", "1"), ("Done", "2"), ("Failed", "0")]


def test_the_history_of_one_colleague(studio: Workspace):
    owner = VideoSession.objects.get(title="Done").owner
    MembershipFactory(user=owner, workspace=studio)
    elsewhere = MembershipFactory(user=owner)
    client = member(studio)
    assert titles(client, "/sessions/", person=owner.public_id) == ["Done", "Waits", "Works"]
    assert offered(client, "/sessions/")[-2:-1] == [(str(owner.public_id), str(owner))]
    # Somebody else's, and what the person has made in a workspace that the one who looks is not in, says nothing here.
    assert titles(client, "/sessions/", person=UserFactory().public_id) == []
    assert titles(member(elsewhere.workspace), "/sessions/", person=owner.public_id) == []


@pytest.mark.parametrize("address", ["/sessions/", "/library/"])
def test_whoever_left_can_be_chosen_by_what_is_still_there(studio: Workspace, address: str):
    gone = VideoSession.objects.get(title="Done").owner
    stayed = MembershipFactory(user=UserFactory(name="Zoe"), workspace=studio).user
    # Of these nobody here knows anything.
    UserFactory()
    VideoSessionFactory(owner=UserFactory())
    client = member(studio)
    assert offered(client, address) == [
        ("", "Everyone"),
        ("me", "Started by me"),
        (str(stayed.public_id), "Zoe"),
        (str(gone.public_id), f"{gone} (left)"),
        ("none", "Made elsewhere"),
    ]
    html = client.get(address, {"person": gone.public_id}).content.decode()
    assert f'<option value="{gone.public_id}" selected>' in html
    assert titles(client, "/sessions/", person=gone.public_id) == ["Done", "Waits", "Works"]

    VideoSession.objects.filter(owner=gone).delete()
    people_filter._known.cache_clear()
    assert (str(gone.public_id), f"{gone} (left)") not in offered(client, address)


def test_numbers_beside_the_filters_are_those_of_the_person_or_tag(studio: Workspace):
    client = member(studio)
    for query in ({"person": "none"}, {"tag": "spring", "person": "none"}, {"q": "foreign"}):
        html = client.get("/sessions/", query).content.decode()
        chips = re.findall(r'class="chip"[^>]*>\s*([^<]+?)\s*<span class="number">(\d+)<', html)
        assert chips == [("All", "1"), ("Working", "0"), ("Needs you", "0"), ("Done", "1"), ("Failed", "0")]


def test_a_search_stays_among_ones_own_workspaces(studio: Workspace):
    assert titles(member(WorkspaceFactory()), "/sessions/", q="cafe") == []


def test_the_history_goes_on_where_the_page_ended():
    workspace = WorkspaceFactory()
    for number in range(53):
        VideoSessionFactory(workspace=workspace, title=f"S{number}", active_at=minutes_ago(number))
    client = member(workspace)
    html = client.get("/sessions/").content.decode()
    (after,) = re.findall(r"after=([^\"]+)\"", html)
    assert len(titles(client, "/sessions/")) == 50
    rest = client.get(f"/sessions/?after={after}").content.decode()
    assert re.findall(r">(S\d+)<", rest) == ["S50", "S51", "S52"]
    assert "Older" not in rest


@pytest.mark.parametrize("people", [0, 1, 5])
def test_all_who_can_be_chosen_cost_one_query(people: int, django_assert_num_queries: Any):
    workspace = WorkspaceFactory()
    for _ in range(people):
        VideoSessionFactory(workspace=workspace, owner=UserFactory())
        MembershipFactory(workspace=workspace)
    somebody = UserFactory()
    with django_assert_num_queries(1):
        assert len(people_filter.choices(somebody, [workspace.pk])) == 3 + 2 * people
    with django_assert_num_queries(0):
        assert len(people_filter.choices(somebody, [workspace.pk])) == 3 + 2 * people


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_costs_as_many_queries_for_three_rows_as_for_one(rows: int, django_assert_num_queries: Any):
    workspace = WorkspaceFactory()
    for _ in range(rows):
        VideoSessionFactory(workspace=workspace, owner=UserFactory(), group="needs_you")
    client = member(workspace)
    for address, queries in (("/sessions/", 5), ("/", 9)):
        client.get(address)  # the first request of a session also writes it
        with django_assert_num_queries(queries):
            client.get(address)


def test_pages_travel_compressed():
    client = member(WorkspaceFactory())
    plain = client.get("/sessions/")
    packed = client.get("/sessions/", headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 3


def test_an_empty_history_and_one_where_nothing_fits_read_differently():
    client = member(WorkspaceFactory())
    assert "No sessions yet" in client.get("/sessions/").content.decode()
    assert "Nothing fits" in client.get("/sessions/", {"q": "x"}).content.decode()


# --- Library ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def shelf() -> VideoSession:
    """A session with a picture, an uploaded picture, a thing of an unheard-of type and a finished video."""
    session: VideoSession = VideoSessionFactory(title="Bakery")
    for number, (name, kind, source) in enumerate(
        [
            ("Sketch", "image", "generated"),
            ("Logo", "image", "user_uploaded"),
            ("Odd", "hologram", "generated"),
        ]
    ):
        ResourceFactory(
            session=session,
            type=kind,
            source=source,
            metadata={"name": name},
            first_seen_at=minutes_ago(number),
        )
    ResourceFactory(session=session, read_at=None, metadata={"name": "Only announced"})
    VideoFactory(session=session, title="Film")
    VideoFactory(session=session, title="Half a film", group="working")
    return session


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Sketch", "Logo", "Odd"]),
        ({"type": "image"}, ["Sketch", "Logo"]),
        ({"type": "hologram"}, ["Odd"]),
        ({"source": "user_uploaded"}, ["Logo"]),
        ({"type": "finished-video"}, ["Film"]),
        ({"since": "2100-01-01"}, []),
        ({"until": "2000-01-01"}, []),
        ({"since": "nonsense"}, ["Sketch", "Logo", "Odd"]),
        ({"session": "nonsense"}, ["Sketch", "Logo", "Odd"]),
        ({"person": "me"}, []),
    ],
)
def test_the_library_is_narrowed_by_its_address(
    shelf: VideoSession, query: dict[str, str], expected: list[str]
):
    html = member(shelf.workspace).get("/library/", query).content.decode()
    assert re.findall(r'class="item-link truncate"[^>]*>([^<]+)<', html) == expected


def test_types_that_nobody_foresaw_get_a_filter_of_their_own(shelf: VideoSession):
    html = member(shelf.workspace).get("/library/").content.decode()
    assert "?type=hologram" in html


def test_the_library_of_others_is_closed(shelf: VideoSession):
    html = member(WorkspaceFactory()).get("/library/", {"session": shelf.pk}).content.decode()
    assert "Sketch" not in html
    assert "hologram" not in html


@pytest.mark.parametrize("rows", [1, 3])
def test_the_library_costs_as_many_queries_for_three_as_for_one(rows: int, django_assert_num_queries: Any):
    session = VideoSessionFactory()
    for _ in range(rows):
        MediaFileFactory(resource=ResourceFactory(session=session))
    client = member(session.workspace)
    client.get("/library/")
    with django_assert_num_queries(8):
        client.get("/library/")
