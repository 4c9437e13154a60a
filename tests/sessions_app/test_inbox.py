"""The inbox: what waits for a person, judging it beside the list, and putting it off."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from commands import tokens
from commands.models import Command
from sessions_app import inbox
from sessions_app.models import Approval, MediaState, Snooze, VideoSession
from tests.factories import (
    MediaFileFactory,
    MembershipFactory,
    ResourceFactory,
    UserFactory,
    VideoSessionFactory,
    WorkspaceFactory,
)
from tests.sessions_app.presses import press_in
from tests.sessions_app.storyboards import reviewing, says, shows
from workspaces_app.models import Role, User, Workspace

pytestmark = pytest.mark.django_db

HX = {"HX-Request": "true"}


def person(*workspaces: Workspace, role: Role = Role.APPROVER, **fields: Any) -> User:
    user: User = UserFactory(**fields)
    for workspace in workspaces:
        MembershipFactory(user=user, workspace=workspace, role=role)
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def minutes_ago(minutes: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(minutes=minutes)


def found(user: User, **narrowed: str) -> list[tuple[str, str]]:
    return [(item.why, item.session.title) for item in inbox.waiting(user, **narrowed)]


def address(name: str, session: VideoSession) -> str:
    return reverse(f"sessions:inbox-{name}", args=[session.pk])


@pytest.fixture
def workspace() -> Workspace:
    made: Workspace = WorkspaceFactory(name="Studio", slug="studio")
    return made


def session(workspace: Workspace, title: str, *, minutes: float = 30, **fields: Any) -> VideoSession:
    made: VideoSession = VideoSessionFactory(
        **{
            "workspace": workspace,
            "title": title,
            "status_since": minutes_ago(minutes),
            "active_at": minutes_ago(minutes),
            "owner": UserFactory(),
            **fields,
        }
    )
    return made


# --- What waits -------------------------------------------------------------------------------------------------------


def test_everything_that_waits_is_one_list_the_oldest_first(workspace: Workspace):
    session(workspace, "Review", minutes=50, group="needs_you", status="reviewing")
    session(workspace, "Question", minutes=40, group="needs_you", status="waiting_for_input")
    session(workspace, "Failed", minutes=30, group="failed", status="failed")
    session(workspace, "Stuck", minutes=20, status="thinking")
    session(workspace, "Slow rendering", minutes=70, status="generating")
    unclear = session(workspace, "Unclear", minutes=5)
    press_in(unclear, "unknown", asks_person_since=minutes_ago(60), due_at=None)

    session(workspace, "Thinks", minutes=10, status="thinking")
    session(workspace, "Renders", minutes=20, status="generating")
    session(workspace, "Done", group="done", status="completed")
    session(workspace, "Put away", group="needs_you", archived=True)
    session(workspace, "Gone", group="needs_you", gone_at=timezone.now())
    session(workspace, "Failed elsewhere", group="failed", owner=None)
    session(workspace, "Failed long ago", group="failed", minutes=60 * 24 * 30)
    session(WorkspaceFactory(), "Somebody else's", group="needs_you")

    user = person(workspace)
    assert found(user) == [
        ("stuck", "Slow rendering"),
        ("unclear", "Unclear"),
        ("review", "Review"),
        ("question", "Question"),
        ("failed", "Failed"),
        ("stuck", "Stuck"),
    ]
    assert inbox.count(user) == 6


@pytest.mark.parametrize(
    ("role", "settings", "whose"),
    [
        (Role.VIEWER, {}, {"Review": "approver", "Question": "creator", "Failed": ""}),
        (Role.CREATOR, {}, {"Review": "approver", "Question": "", "Failed": ""}),
        (Role.CREATOR, {"creators_may_approve": True}, {"Review": "", "Question": "", "Failed": ""}),
        (Role.APPROVER, {}, {"Review": "", "Question": "", "Failed": ""}),
    ],
)
def test_a_row_says_where_it_waits_for_others(
    workspace: Workspace, role: Role, settings: dict[str, Any], whose: dict[str, str]
):
    workspace.settings = settings
    workspace.save()
    session(workspace, "Review", group="needs_you", status="reviewing")
    session(workspace, "Question", group="needs_you", status="waiting_for_input")
    session(workspace, "Failed", group="failed", status="failed")
    user = person(workspace, role=role)
    assert {item.session.title: item.whose for item in inbox.waiting(user)} == whose
    html = browser(user).get("/").content.decode()
    # Nobody is called for what others have to decide.
    theirs = [title for title, role_it_takes in whose.items() if not role_it_takes]
    assert f"<span data-count>{len(theirs)}</span>" in html
    answer = browser(user).get("/needs-you/count/").json()
    assert answer["count"] == len(theirs)
    assert (answer["latest"]["title"] if theirs else answer["latest"]) in (theirs or [None])
    assert ("an approver decides" in html) is ("approver" in whose.values())
    assert ("a creator or an approver answers" in html) is ("creator" in whose.values())


def test_a_session_that_waits_twice_is_one_item(workspace: Workspace):
    twice = session(workspace, "Twice", group="needs_you", status="reviewing")
    press_in(twice, "unknown", asks_person_since=timezone.now(), due_at=None)
    assert found(person(workspace)) == [("unclear", "Twice")]


@pytest.mark.parametrize(
    ("state", "fields", "waits"),
    [
        ("queued", {}, False),
        ("sending", {}, False),
        ("accepted", {}, False),
        ("accepted", {"settled_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, True),
        ("refused", {}, True),
    ],
)
def test_what_somebody_just_answered_waits_for_nobody(
    workspace: Workspace, state: str, fields: dict[str, Any], waits: bool
):
    asked = session(workspace, "Asked", group="needs_you", status="waiting_for_input")
    press_in(asked, state, **fields)
    assert bool(found(person(workspace))) is waits


def test_the_address_narrows_it_to_a_workspace(workspace: Workspace):
    other = WorkspaceFactory(slug="other")
    session(workspace, "Here", group="needs_you")
    session(other, "There", group="needs_you")
    user = person(workspace, other)
    assert found(user, workspace="other") == [("question", "There")]
    html = browser(user).get("/", {"workspace": "other"}).content.decode()
    rows = html[html.index('id="inbox-items"') : html.index('id="inbox-snoozed"')]
    assert "There" in rows
    assert "Here" not in rows
    assert browser(user).get("/", {"workspace": "'; drop"}).status_code == 200


def test_a_waiting_session_shows_its_newest_picture(workspace: Workspace):
    waits = session(workspace, "Waits", group="needs_you")
    for position in (1, 4):
        resource = ResourceFactory(session=waits, message_position=position)
        newest = MediaFileFactory(
            resource=resource, state=MediaState.STORED, path="x", content_type="image/png", role="thumbnail"
        )
        MediaFileFactory(resource=resource, state=MediaState.STORED, path="y", content_type="image/png")
    (item,) = inbox.waiting(person(workspace))
    assert item.picture == f"/files/{newest.pk}/"


def test_of_more_than_fit_the_oldest_are_shown_and_the_others_counted(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(inbox, "MOST", 2)
    for minutes in (9, 7, 5, 3):
        session(workspace, f"Of {minutes} minutes", minutes=minutes, group="needs_you")
    session(WorkspaceFactory(), "Not mine", group="needs_you")
    for headers in ({}, HX):
        html = browser(person(workspace)).get("/", headers=headers).content.decode()
        assert re.findall(r"Of (\d) minutes", html) == ["9", "7"]
        assert "2 more wait." in html
    assert "more wait" not in browser(person(WorkspaceFactory())).get("/").content.decode()


def test_an_empty_inbox_says_so(workspace: Workspace):
    assert "Nothing waits" in browser(person(workspace)).get("/").content.decode()


def test_the_list_alone_is_what_renews_it(workspace: Workspace):
    session(workspace, "Waits", group="needs_you")
    html = browser(person(workspace)).get("/", headers=HX).content.decode()
    assert re.findall(r'<li id="(waiting-)', html) == ["waiting-"]
    assert "<html" not in html


def test_the_count_for_pages_that_nobody_looks_at(workspace: Workspace):
    session(workspace, "Old", minutes=9, group="needs_you")
    latest = session(workspace, "New", minutes=1, group="needs_you", status="reviewing")
    session(WorkspaceFactory(), "Not mine", group="needs_you")
    response = browser(person(workspace)).get("/needs-you/count/")
    answer = response.json()
    # Of the whole installation: tested with the banners.
    del answer["problems"], answer["answered_at"]
    assert answer == {
        "count": 2,
        "title": None,
        "late": None,
        "latest": {
            "title": "New",
            "text": "Storyboard to review · Studio",
            "url": latest.get_absolute_url(),
            "since": latest.status_since.isoformat(),
        },
    }
    assert response["Cache-Control"] == "no-store"


def test_nothing_waits(workspace: Workspace):
    answer = browser(person(workspace)).get("/needs-you/count/").json()
    assert (answer["count"], answer["latest"]) == (0, None)


# --- Judging ----------------------------------------------------------------------------------------------------------


def test_a_review_beside_the_list_shows_what_is_approved():
    waits = reviewing()
    html = browser(person(waits.workspace)).get(address("pane", waits), headers=HX).content.decode()
    assert html.count('data-lightbox="pane"') == 2
    assert "Look:" in html
    assert "Approve storyboard 1" in html
    assert 'name="revision" value="1"' in html


def test_an_approval_is_of_the_storyboard_that_was_shown():
    waits = reviewing()
    client = browser(person(waits.workspace))
    says(waits)
    newer = shows(waits, "c")

    stale = client.post(address("approve", waits), {"token": tokens.new(), "revision": 1}, headers=HX)
    assert stale.status_code == 422
    assert "There is a newer storyboard" in stale.content.decode()
    assert not Command.objects.exists()
    # What is shown now can be approved.
    assert f'name="revision" value="{newer.position}"' in stale.content.decode()

    done = client.post(
        address("approve", waits), {"token": tokens.new(), "revision": newer.position}, headers=HX
    )
    assert done.status_code == 200
    assert "Approved. It is being sent." in done.content.decode()
    assert Command.objects.get().payload["revision"] == newer.position


def test_one_of_several_approvals_says_that_others_are_missing():
    waits = reviewing()
    waits.workspace.settings = {"approvals_needed": 2}
    waits.workspace.save()
    client = browser(person(waits.workspace))
    done = client.post(address("approve", waits), {"token": tokens.new(), "revision": 1}, headers=HX)
    assert "Others have to approve, too." in done.content.decode()
    assert (Approval.objects.count(), Command.objects.count()) == (1, 0)


def test_a_choice_and_own_words_are_answers(workspace: Workspace):
    asked = session(workspace, "Asked", group="needs_you", status="waiting_for_input")
    shows(asked, text="Which tone?\n\n- Calm\n- Loud")
    client = browser(person(workspace, role=Role.CREATOR))
    html = client.get(address("pane", asked), headers=HX).content.decode()
    assert re.findall(r'name="choice" value="(\w+)"', html) == ["Calm", "Loud"]

    client.post(address("reply", asked), {"token": tokens.new(), "choice": "Calm", "question": 0}, headers=HX)
    assert Command.objects.get().payload["message"] == "Calm"
    Command.objects.all().delete()
    client.post(address("reply", asked), {"token": tokens.new(), "message": "Neither"}, headers=HX)
    assert Command.objects.get().payload["message"] == "Neither"


def test_an_empty_answer_is_said_at_its_field(workspace: Workspace):
    asked = session(workspace, "Asked", group="needs_you", status="waiting_for_input")
    answer = browser(person(workspace)).post(
        address("reply", asked), {"token": tokens.new(), "message": " "}, headers=HX
    )
    assert answer.status_code == 422
    assert 'id="reply-error"' in answer.content.decode()


def test_without_javascript_an_approval_leads_to_the_session_and_a_refusal_to_a_page():
    waits = reviewing()
    client = browser(person(waits.workspace))
    refused = client.post(address("approve", waits), {"token": tokens.new(), "revision": 0})
    assert refused.status_code == 422
    assert "<!DOCTYPE html>" in refused.content.decode()
    done = client.post(address("approve", waits), {"token": tokens.new(), "revision": 1})
    assert (done.status_code, done["Location"]) == (302, waits.get_absolute_url())
    assert client.get(address("pane", waits))["Location"] == waits.get_absolute_url()


@pytest.mark.parametrize(
    ("role", "status"), [(Role.VIEWER, 403), (Role.CREATOR, 403), (Role.APPROVER, 200), (Role.ADMIN, 200)]
)
def test_who_judges_a_storyboard(role: Role, status: int):
    waits = reviewing()
    client = browser(person(waits.workspace, role=role))
    offered = client.get(address("pane", waits), headers=HX).content.decode()
    assert ("Approve storyboard" in offered) is (status == 200)
    assert ('name="message"' in offered) is (role != Role.VIEWER)
    assert ("data-closed" in offered) is (role == Role.CREATOR)
    for name, data in (
        ("approve", {"revision": 1}),
        ("reply", {"message": "Yes"}),
        ("reply", {"choice": "Y"}),
    ):
        Command.objects.all().delete()
        answer = client.post(address(name, waits), {"token": tokens.new(), **data}, headers=HX)
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("fields", "minutes", "words"),
    [
        ({"group": "working", "status": "thinking"}, 1, "The agent is working on it"),
        ({"group": "working", "status": "thinking"}, 16, "Nothing new has come for long"),
        ({"group": "working", "status": "generating"}, 16, "The video is being made"),
        ({"group": "working", "status": "generating"}, 61, "Nothing new has come for long"),
        ({"group": "done", "status": "completed"}, 1, "The agent has finished"),
        ({"group": "failed", "status": "failed"}, 1, "Make a variant"),
    ],
)
def test_a_pane_that_stays_open_says_how_it_is_when_its_session_waits_no_longer(
    workspace: Workspace, fields: dict[str, str], minutes: int, words: str
):
    went_on = session(workspace, "Went on", minutes=minutes, **fields)
    shows(went_on, text="Look:")
    html = browser(person(workspace)).get(address("pane", went_on), headers=HX).content.decode()
    assert words in html
    assert "Approve" not in html
    assert ("data-closed" in html) is (fields["group"] != "done")


def test_a_pane_that_is_brought_up_to_date_stays_the_same_page():
    waits = reviewing()
    client, given = browser(person(waits.workspace)), tokens.new()

    def pages(**query: str) -> set[str]:
        html = client.get(address("pane", waits), query, headers=HX).content.decode()
        return {tokens.page_of(token) for token in re.findall(r'name="token" value="([^"]+)"', html)}

    assert pages(beside=given) == {tokens.page_of(given)}
    assert len(pages(beside="x") | pages()) == 2


def test_a_stranger_finds_nothing():
    waits = reviewing()
    stranger = browser(person(WorkspaceFactory(), role=Role.ADMIN))
    assert stranger.get(address("pane", waits), headers=HX).status_code == 404
    for name in ("approve", "reply", "snooze"):
        assert stranger.post(address(name, waits), {"token": tokens.new(), "revision": 1}).status_code == 404
    assert not Command.objects.exists()
    assert not Snooze.objects.exists()


# --- Putting off ------------------------------------------------------------------------------------------------------


def test_putting_off_is_of_one_person_and_can_be_taken_back(workspace: Workspace):
    waits = session(workspace, "Waits", group="needs_you")
    mine, others = person(workspace, role=Role.VIEWER), person(workspace)
    client = browser(mine)

    answer = client.post(address("snooze", waits), {"until": "tomorrow"}, headers=HX)
    assert f'id="snoozed-{waits.pk}"' in answer.content.decode()
    assert (found(mine), inbox.count(mine)) == ([], 0)
    assert found(others) == [("question", "Waits")]
    assert "Put off" in client.get("/").content.decode()

    client.post(address("snooze", waits), {"until": ""})
    assert found(mine) == [("question", "Waits")]


def test_a_snooze_ends_when_something_happens(workspace: Workspace):
    waits = session(workspace, "Waits", group="needs_you")
    user = person(workspace)
    inbox.snooze(waits, by=user, until=None)
    assert (found(user), len(inbox.snoozed(user))) == ([], 1)
    VideoSession.objects.filter(pk=waits.pk).update(active_at=timezone.now())
    assert (found(user), inbox.snoozed(user)) == ([("question", "Waits")], [])


def test_a_snooze_ends_with_its_time(workspace: Workspace):
    waits = session(workspace, "Waits", group="needs_you")
    user = person(workspace)
    inbox.snooze(waits, by=user, until=timezone.now() + dt.timedelta(minutes=1))
    assert found(user) == []
    Snooze.objects.update(until=minutes_ago(1))
    assert found(user) == [("question", "Waits")]


def test_an_unclear_press_is_put_off_with_its_session(workspace: Workspace):
    unclear = session(workspace, "Unclear", minutes=1)
    press_in(unclear, "unknown", asks_person_since=timezone.now(), due_at=None)
    user = person(workspace)
    inbox.snooze(unclear, by=user, until=None)
    assert (found(user), inbox.count(user)) == ([], 0)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("hour", "2026-03-06T16:00+00:00"),
        ("tomorrow", "2026-03-07T07:00+00:00"),  # nine o'clock in Helsinki
        ("week", "2026-03-09T07:00+00:00"),
        ("change", None),
    ],
)
def test_until_when(choice: str, expected: str | None):
    friday = dt.datetime(2026, 3, 6, 15, 0, tzinfo=dt.UTC)
    until = inbox.until(choice, User(time_zone="Europe/Helsinki"), friday)
    assert until == (None if expected is None else dt.datetime.fromisoformat(expected))
