"""The page of a session: what it shows, what is pressed there, and who may."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from commands import tokens
from commands.models import Command
from sessions_app import session_page, storyboard
from sessions_app.forms import FILE_TYPES
from sessions_app.models import Approval, MediaFile, Note, ReadMark, Resource, SessionTag, VideoSession
from sessions_app.session_page import VARIANTS
from tests.factories import (
    MediaFileFactory,
    MembershipFactory,
    MessageFactory,
    ResourceFactory,
    UserFactory,
    VideoFactory,
    VideoSessionFactory,
)
from tests.markup import inline_code
from tests.sessions_app.presses import press_in
from tests.sessions_app.storyboards import reviewing
from timeline.models import Event
from workspaces_app.models import Role, User

pytestmark = pytest.mark.django_db


def person(session: VideoSession, role: Role, **fields: Any) -> User:
    user: User = UserFactory(**fields)
    MembershipFactory(user=user, workspace=session.workspace, role=role)
    return user


def signed_in(session: VideoSession, role: Role = Role.APPROVER) -> Client:
    client = Client()
    client.force_login(person(session, role))
    return client


def post(client: Client, name: str, session: VideoSession, **data: Any) -> Any:
    return client.post(reverse(f"sessions:{name}", args=[session.pk]), {"token": tokens.new(), **data})


def sent(session: VideoSession) -> list[dict[str, Any]]:
    rows = Command.objects.for_object("session.send", session.pk)
    return [{name: value for name, value in row.payload.items() if value} for row in rows]


# --- What it shows ----------------------------------------------------------------------------------------------------


def test_the_page_shows_the_conversation_and_what_was_made():
    session = reviewing(title="Bakery")
    html = signed_in(session).get(session.get_absolute_url()).content.decode()
    assert "<h1" in html
    assert "Bakery" in html
    assert 'id="m0"' in html
    assert 'id="m1"' in html
    assert html.count('data-lightbox="storyboard"') == 2
    assert "Storyboard to review" in html


@pytest.mark.parametrize(
    ("role", "settings", "status", "is_closed"),
    [
        (Role.CREATOR, {}, "reviewing", True),
        (Role.CREATOR, {}, "waiting_for_input", False),
        (Role.CREATOR, {"creators_may_approve": True}, "reviewing", False),
        (Role.APPROVER, {}, "reviewing", False),
    ],
)
def test_the_composer_says_before_the_press_that_an_approver_has_to_answer(
    role: Role, settings: dict[str, Any], status: str, is_closed: bool
):
    session = reviewing(status=status)
    session.workspace.settings = settings
    session.workspace.save()
    press_in(session, "refused")
    unclear = press_in(session, "unknown", asks_person_since=timezone.now(), due_at=None)
    client = signed_in(session, role)
    page = client.get(session.get_absolute_url()).content.decode()
    pushed = session_page.fragments(session.pk, None, "en", session_page.rights_of(role).variant)
    for html in (page, pushed):
        (turn,) = re.findall(r'<div id="composer-turn".*?</div>', html, re.DOTALL)
        assert "data-closed" in turn if is_closed else "data-closed" not in turn
        assert ("An approver has to answer" in turn) is is_closed
        assert ("Look closely, write notes, compare" in html) is not is_closed
        # Sent again it would be refused as well, and so would every word about a press of unknown outcome.
        for way in ("Send again", "What is known", "It arrived"):
            assert (way in html) is not is_closed
    assert post(client, "send", session, message="Hm").status_code == (403 if is_closed else 302)
    known = client.get(reverse("sessions:press", args=[unclear.pk]))
    assert known.status_code == (403 if is_closed else 200)


@pytest.mark.parametrize(
    ("variant", "fields", "is_said"),
    [
        ("creator", {"group": "done", "status": "completed"}, True),
        ("viewer", {"group": "done", "status": "completed"}, False),
        ("creator", {"group": "done", "status": "completed", "mode": "generate"}, False),
        ("creator", {"group": "needs_you", "status": "waiting_for_input"}, False),
    ],
)
def test_the_composer_says_that_words_after_the_end_may_make_another_video(
    variant: str, fields: dict[str, Any], is_said: bool
):
    html = session_page.fragments(reviewing(**fields).pk, None, "en", variant)
    assert ("it may make another video" in html) is is_said


@pytest.mark.parametrize(
    ("state", "fields", "sentence"),
    [
        ("accepted", {}, "An answer is on its way"),
        ("unknown", {}, "Whether it arrived is being found out."),
        ("unknown", {"asks_person_since": timezone.now(), "due_at": None}, "Nobody knows whether"),
    ],
)
def test_the_status_says_of_an_answer_only_what_is_known(state: str, fields: dict[str, Any], sentence: str):
    session = VideoSessionFactory(status="waiting_for_input", group="needs_you")
    MessageFactory(session=session, position=0, role="model", content="Which one?")
    press_in(session, state, **fields)
    assert sentence in session_page.fragments(session.pk, None, "en", "")


def test_a_session_that_failed_after_our_stop_was_stopped():
    """HeyGen has no word for it: what was stopped ends as failed."""
    session = VideoSessionFactory(status="failed", group="failed")
    MessageFactory(session=session, role="user", first_seen_at=timezone.now() - dt.timedelta(hours=1))
    given_up, stopped = "The agent gave up.", "asked it to stop"
    assert given_up in session_page.fragments(session.pk, None, "en", "")

    press_in(session, "accepted", kind="session.stop", payload={})
    shown = session_page.fragments(session.pk, None, "en", "")
    assert stopped in shown
    assert given_up not in shown

    # What was said after the stop began another run, which failed by itself.
    MessageFactory(
        session=session, position=1, role="user", first_seen_at=timezone.now() + dt.timedelta(minutes=5)
    )
    assert given_up in session_page.fragments(session.pk, None, "en", "")


def test_no_remote_link_reaches_the_page():
    session = reviewing()
    html = signed_in(session).get(session.get_absolute_url()).content.decode()
    assert "/files/" in html
    assert "heygen.ai" not in html


def test_hostile_text_is_inert_everywhere():
    evil = "<script>alert(1)</script>\" onmouseover=x '><img src=x>"
    session = VideoSessionFactory(title=evil, prompt=evil, status=evil[:60], group="unknown", message_count=1)
    MessageFactory(session=session, position=0, role="user", content=evil, resource_ids=["a"])
    MessageFactory(session=session, position=1, content=evil, type=evil[:60])
    ResourceFactory(session=session, resource_id="a", type=evil[:60], metadata={"name": evil})
    press_in(session, "refused", payload={"message": evil}, error={"message": evil})
    html = signed_in(session).get(session.get_absolute_url()).content.decode()
    assert "alert(1)" in html, "nothing of it is shown at all"
    assert inline_code(html) == []
    assert "<img src=x>" not in html


@pytest.mark.parametrize("size", [1, 3])
def test_the_number_of_queries_does_not_grow_with_what_is_shown(size: int, django_assert_num_queries: Any):
    session = VideoSessionFactory(message_count=size)
    for position in range(size):
        MessageFactory(session=session, position=position, resource_ids=[f"r{position}"])
        resource = ResourceFactory(session=session, resource_id=f"r{position}", message_position=position)
        MediaFileFactory(resource=resource)
        MediaFileFactory(resource=None, video=VideoFactory(session=session), role="video")
        press_in(session, "queued", by=UserFactory())
    client = signed_in(session)
    client.get(session.get_absolute_url())
    with django_assert_num_queries(11):  # three of them for who is asking
        client.get(session.get_absolute_url())


def test_a_page_with_everything_costs_a_query_for_what_is_seldom_there(django_assert_num_queries: Any):
    """Beside the eleven: older messages that make storyboards, approvals and whether they went out, notes, and what was not
    read for long."""
    size = session_page.PAGE + 5
    session = reviewing()
    for position in range(2, size):
        MessageFactory(session=session, position=position)
    VideoSession.objects.filter(pk=session.pk).update(message_count=size)
    user = person(session, Role.APPROVER)
    Approval.objects.create(session=session, position=1, by=user)
    Note.objects.create(session=session, author=user, body="Good.")
    for name in ("Ärger", "a, b", 'say "so"'):
        SessionTag.objects.create(session=session, workspace=session.workspace, name=name)
    ReadMark.objects.create(session=session, user=user, position=2)
    client = Client()
    client.force_login(user)
    client.get(session.get_absolute_url())
    with django_assert_num_queries(16):
        client.get(session.get_absolute_url())


def test_tags_come_with_the_session_in_the_order_of_the_alphabet():
    session = VideoSessionFactory()
    names = ["b", "it's", 'say "so"', "a, b", "10 %", "Ärger\\"]
    for name in names:
        SessionTag.objects.create(session=session, workspace=session.workspace, name=name)
    SessionTag.objects.create(
        session=VideoSessionFactory(workspace=session.workspace), workspace=session.workspace, name="other"
    )
    known = VideoSession.objects.for_page().get(pk=session.pk)
    assert known.tag_names == [tag.name for tag in session.tags.all()]
    assert sorted(known.tag_names) == sorted(names)
    assert VideoSession.objects.for_page().exclude(pk=session.pk).get(tags__name="other").tag_names == [
        "other"
    ]
    assert VideoSession.objects.for_page().get(pk=VideoSessionFactory().pk).tag_names == []


def test_older_messages_come_on_demand():
    session = VideoSessionFactory(message_count=session_page.PAGE + 5)
    for position in range(session_page.PAGE + 5):
        MessageFactory(session=session, position=position)
    client = signed_in(session)
    html = client.get(session.get_absolute_url()).content.decode()
    assert re.findall(r'id="m(\d+)"', html)[0] == "5"
    address = reverse("sessions:messages", args=[session.pk])
    assert f"{address}?before=5" in html

    older = client.get(address, {"before": 5}, headers={"HX-Request": "true"}).content.decode()
    assert re.findall(r'id="m(\d+)"', older) == ["0", "1", "2", "3", "4"]
    assert "data-older" not in older

    alone = client.get(address, {"before": 5}).content.decode()
    assert "<!DOCTYPE html>" in alone
    assert re.findall(r'id="m(\d+)"', alone) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("before", ["", "x", "-1", "9" * 30])
def test_a_broken_position_shows_nothing_and_breaks_nothing(before: str):
    session = VideoSessionFactory()
    address = reverse("sessions:messages", args=[session.pk])
    assert signed_in(session).get(address, {"before": before}).status_code == 200


# --- Fragments --------------------------------------------------------------------------------------------------------


def test_fragments_bring_only_messages_that_changed_since():
    session = VideoSessionFactory(version=9, message_count=3)
    for position, version in enumerate((2, 5, 9)):
        MessageFactory(session=session, position=position, version=version)
    html = session_page.fragments(session.pk, 5, "en", "approver")
    assert re.findall(r'id="m(\d+)"', html) == ["2"]
    assert re.findall(r'<hx-partial hx-target="([^"]+)"', html) == [
        "#session-title", "#session-status", "#films", "#storyboard", "#tiles", "#note-list", "#timeline",
        "#chat", "#presses", "#question", "#composer-turn",
    ]  # fmt: skip


def test_each_fragment_has_its_place_on_the_page():
    session = reviewing()
    html = signed_in(session).get(session.get_absolute_url()).content.decode()
    targets = re.findall(
        r'<hx-partial hx-target="#([^"]+)"', session_page.fragments(session.pk, None, "en", "approver")
    )
    assert len(targets) == 11
    assert [target for target in targets if f'id="{target}"' not in html] == []


@pytest.mark.parametrize("variant", [*VARIANTS, "something else"])
def test_a_fragment_holds_nothing_of_one_person(variant: str):
    session = reviewing()
    html = session_page.fragments(session.pk, None, "en", variant)
    assert "<form" not in html
    assert "csrf" not in html
    assert 'name="token"' not in html


def test_a_fragment_offers_approval_to_approvers_only():
    session = reviewing()
    offered = {
        variant: "Approve storyboard 1" in session_page.fragments(session.pk, None, "en", variant)
        for variant in VARIANTS
    }
    assert offered == {"viewer": False, "creator": False, "approver": True}


def test_a_workspace_may_let_creators_approve():
    session = reviewing()
    session.workspace.settings = {"creators_may_approve": True}
    session.workspace.save()
    assert "Approve storyboard 1" in session_page.fragments(session.pk, None, "en", "creator")
    assert "Approve storyboard 1" not in session_page.fragments(session.pk, None, "en", "viewer")


def test_nothing_is_left_of_a_session_that_is_gone():
    assert session_page.fragments(VideoSessionFactory.build().pk, None, "en", "viewer") == ""


def test_who_may_watch_the_stream():
    session = VideoSessionFactory()
    member = person(session, Role.VIEWER)
    gone = person(session, Role.ADMIN, is_active=False)
    asked = [(user.pk, session.pk) for user in (member, gone, UserFactory())]
    assert session_page.allowed([*asked, (member.pk, uuid4())]) == {(member.pk, session.pk)}


# --- What is pressed --------------------------------------------------------------------------------------------------


def test_a_message_is_recorded_and_leads_back():
    session = VideoSessionFactory(group="needs_you", status="waiting_for_input")
    response = post(signed_in(session, Role.CREATOR), "send", session, message="  Make it blue  ")
    assert (response.status_code, response["Location"]) == (302, session.get_absolute_url())
    assert sent(session) == [{"message": "Make it blue"}]


def test_with_htmx_the_press_appears_and_every_form_gets_a_new_token():
    session = VideoSessionFactory(group="needs_you", status="waiting_for_input")
    client = signed_in(session)
    token = tokens.new()
    response = client.post(
        reverse("sessions:send", args=[session.pk]),
        {"token": token, "message": "Make it blue"},
        headers={"HX-Request": "true"},
    )
    html = response.content.decode()
    assert response.status_code == 200
    assert "Make it blue" in html
    assert token not in html
    assert re.findall(r'id="(\w+)-token"', html) == ["composer", "answer", "approve", "stop"]


def test_the_same_form_sent_twice_is_one_message():
    session = VideoSessionFactory()
    client = signed_in(session)
    token = tokens.new()
    for _ in range(2):
        assert post(client, "send", session, message="Once", token=token).status_code == 302
    assert sent(session) == [{"message": "Once"}]


def test_somebody_elses_token_sends_nothing():
    session = VideoSessionFactory()
    token = tokens.new()
    post(signed_in(session), "send", session, message="Mine", token=token)
    response = post(signed_in(session), "send", session, message="Theirs", token=token)
    assert response.status_code == 422
    assert "This form was sent before" in response.content.decode()
    assert sent(session) == [{"message": "Mine"}]


@pytest.mark.parametrize("message", ["", "   ", "x" * 10_001])
def test_a_message_that_heygen_would_refuse_is_kept_and_not_sent(message: str):
    session = VideoSessionFactory()
    response = post(signed_in(session), "send", session, message=message)
    assert response.status_code == 422
    assert sent(session) == []
    assert message.strip() in response.content.decode()


def test_a_choice_is_an_answer():
    session = VideoSessionFactory(group="needs_you", status="waiting_for_input")
    post(signed_in(session), "answer", session, choice="Calm")
    assert sent(session) == [{"message": "Calm"}]


def test_an_empty_choice_sends_nothing():
    session = VideoSessionFactory(group="needs_you", status="waiting_for_input")
    post(signed_in(session), "answer", session, choice=" ")
    assert sent(session) == []


def test_an_approval_names_the_storyboard():
    session = reviewing()
    post(signed_in(session), "approve", session, revision=1)
    assert sent(session) == [{"message": "Approved. Please go ahead and make the video.", "revision": 1}]


def test_the_older_dialect_is_told_to_proceed():
    session = reviewing(dialect="sessions")
    post(signed_in(session), "approve", session, revision=1)
    assert sent(session)[0]["auto_proceed"] is True


def test_an_older_storyboard_cannot_be_approved():
    session = reviewing()
    response = post(signed_in(session), "approve", session, revision=0)
    assert response.status_code == 422
    assert "newer storyboard" in response.content.decode()
    assert sent(session) == []


def test_an_approval_without_a_storyboard_is_refused():
    session = reviewing()
    assert post(signed_in(session), "approve", session).status_code == 422
    assert sent(session) == []


def test_while_reviewing_nothing_is_sent_below_the_role_of_an_approver():
    session = reviewing()
    client = signed_in(session, Role.CREATOR)
    assert post(client, "send", session, message="yes").status_code == 403
    assert post(client, "answer", session, choice="yes").status_code == 403
    assert post(client, "approve", session, revision=1).status_code == 403
    assert sent(session) == []


def test_after_an_answer_nobody_is_asked_again():
    session = reviewing()
    client = signed_in(session)
    assert "Approve storyboard 1" in client.get(session.get_absolute_url()).content.decode()
    post(client, "approve", session, revision=1)
    html = client.get(session.get_absolute_url()).content.decode()
    assert "Approve storyboard 1" not in html
    assert "An answer is on its way" in html


def test_a_stop_is_recorded():
    session = VideoSessionFactory(group="working")
    post(signed_in(session, Role.CREATOR), "stop", session)
    assert [row.kind for row in Command.objects.for_object("session", session.pk)] == ["session.stop"]


def test_a_note_stays_here():
    session = VideoSessionFactory()
    client = signed_in(session, Role.VIEWER)
    response = client.post(reverse("sessions:note", args=[session.pk]), {"body": "Ask legal"})
    assert response["Location"] == f"{session.get_absolute_url()}#notes"
    assert "Ask legal" in client.get(session.get_absolute_url()).content.decode()
    assert not Command.objects.exists()


def test_archiving_and_back():
    session = VideoSessionFactory()
    client = signed_in(session, Role.CREATOR)
    address = reverse("sessions:archive", args=[session.pk])
    client.post(address, {"archived": "1"})
    session.refresh_from_db()
    assert session.archived is True
    client.post(address, {"archived": "0"})
    session.refresh_from_db()
    assert session.archived is False


def test_tags_are_kept_once_in_any_case_and_found_in_the_history():
    session = VideoSessionFactory()
    client = signed_in(session, Role.CREATOR)
    address = reverse("sessions:tag", args=[session.pk])
    client.post(address, {"tags": " Spring , shop  window,SPRING,, Größe "})
    assert sorted(tag.name for tag in session.tags.all()) == ["Größe", "SPRING", "shop window"]
    assert "?tag=shop%20window" in client.get(session.get_absolute_url()).content.decode()
    assert Event.objects.filter(object_id=session.pk, what="session.tagged").count() == 1
    client.post(address, {"tags": ""})
    assert not session.tags.exists()


def test_a_new_tag_can_be_filtered_for_at_once(django_capture_on_commit_callbacks: Any):
    session = VideoSessionFactory()
    client = signed_in(session, Role.CREATOR)
    assert '<option value="spring"' not in client.get("/sessions/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("sessions:tag", args=[session.pk]), {"tags": "spring"})
    assert '<option value="spring"' in client.get("/sessions/").content.decode()


def test_tags_that_are_too_long_or_too_many_are_said_to_be():
    session = VideoSessionFactory()
    client = signed_in(session, Role.CREATOR)
    address = reverse("sessions:tag", args=[session.pk])
    for tags, said in (
        ("x" * 41, "is too long for a tag"),
        (",".join(map(str, range(13))), "At most 12 tags"),
    ):
        answer = client.post(address, {"tags": tags})
        assert answer.status_code == 422
        assert said in answer.content.decode()
        assert tags in answer.content.decode()
    assert signed_in(session, Role.VIEWER).post(address, {"tags": "x"}).status_code == 403
    assert not session.tags.exists()


# --- What a person decides --------------------------------------------------------------------------------------------


def test_a_refused_press_is_sent_again_once():
    session = VideoSessionFactory()
    refused = press_in(session, "refused")
    client = signed_in(session, Role.CREATOR)
    for _ in range(2):
        client.post(reverse("sessions:press-again", args=[refused.pk]))
    rows = Command.objects.for_object("session", session.pk)
    assert [(row.state, row.repeats_id) for row in rows] == [("refused", None), ("queued", refused.pk)]


def test_an_approval_is_not_sent_again_once_there_is_a_newer_storyboard():
    session = reviewing()
    refused = press_in(session, "refused", payload={"message": "Approved", "revision": 1})
    newer = MessageFactory(session=session, position=2, role="user", content="Brighter")
    MessageFactory(session=session, position=3, content="Look:", resource_ids=["c"])
    ResourceFactory(session=session, resource_id="c", message_position=3)
    client = signed_in(session)

    client.post(reverse("sessions:press-again", args=[refused.pk]))
    assert Command.objects.count() == 1

    session.messages.filter(position__gte=newer.position).delete()
    client.post(reverse("sessions:press-again", args=[refused.pk]))
    assert Command.objects.count() == 2


def test_a_picture_that_is_not_described_yet_makes_the_storyboard_before_it_stale():
    session = reviewing()
    MessageFactory(session=session, position=2, role="user", content="Brighter")
    MessageFactory(session=session, position=3, content="Look:", resource_ids=["c"])
    announced = ResourceFactory(session=session, resource_id="c", message_position=3, type="", read_at=None)

    assert post(signed_in(session), "approve", session, revision=1).status_code == 422
    assert sent(session) == []

    Resource.objects.filter(pk=announced.pk).update(type="voice", read_at=timezone.now())
    post(signed_in(session), "approve", session, revision=1)
    assert [press["revision"] for press in sent(session)] == [1]


def test_a_picture_that_is_never_described_does_not_stop_approvals():
    session = reviewing()
    ResourceFactory(
        session=session,
        resource_id="c",
        message_position=3,
        type="",
        read_at=None,
        first_seen_at=timezone.now() - dt.timedelta(minutes=2),
    )
    MessageFactory(session=session, position=2, role="user", content="Brighter")
    MessageFactory(session=session, position=3, content="Look:", resource_ids=["c"])
    post(signed_in(session), "approve", session, revision=1)
    assert [press["revision"] for press in sent(session)] == [1]


def test_a_press_under_way_is_not_sent_again():
    session = VideoSessionFactory()
    under_way = press_in(session, "sending")
    signed_in(session).post(reverse("sessions:press-again", args=[under_way.pk]))
    assert Command.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "state"), [("press-happened", "accepted"), ("press-did-not-happen", "refused")]
)
def test_a_person_settles_what_a_machine_could_not(name: str, state: str):
    session = VideoSessionFactory()
    unclear = press_in(session, "unknown", asks_person_since=timezone.now(), due_at=None)
    signed_in(session).post(reverse(f"sessions:{name}", args=[unclear.pk]))
    unclear.refresh_from_db()
    assert (unclear.state, unclear.settled_by) == (state, "person")


def test_a_start_is_not_said_to_have_made_what_another_press_made():
    session = VideoSessionFactory(remote_id=None)
    other = VideoSessionFactory(workspace=session.workspace, remote_id="other")
    press_in(other, "accepted", kind="session.create")
    unclear = press_in(
        session, "unknown", kind="session.create", asks_person_since=timezone.now(), due_at=None
    )

    signed_in(session).post(reverse("sessions:press-happened", args=[unclear.pk]), {"remote_id": "other"})

    unclear.refresh_from_db()
    assert unclear.state == "unknown"
    assert VideoSession.objects.filter(pk=other.pk).exists()


def test_a_start_that_arrived_needs_heygens_id():
    session = VideoSessionFactory(remote_id=None)
    unclear = press_in(
        session, "unknown", kind="session.create", asks_person_since=timezone.now(), due_at=None
    )
    signed_in(session).post(reverse("sessions:press-happened", args=[unclear.pk]))
    unclear.refresh_from_db()
    assert unclear.state == "unknown"


# --- Who may ----------------------------------------------------------------------------------------------------------

POSTS = ("send", "answer", "approve", "stop", "note", "archive")


@pytest.mark.parametrize("name", POSTS)
def test_a_press_is_a_post(name: str):
    session = VideoSessionFactory()
    assert signed_in(session).get(reverse(f"sessions:{name}", args=[session.pk])).status_code == 405


@pytest.mark.parametrize("name", ["send", "answer", "approve", "stop", "archive"])
def test_a_viewer_presses_nothing(name: str):
    session = VideoSessionFactory()
    assert post(signed_in(session, Role.VIEWER), name, session, message="x").status_code == 403
    assert not Command.objects.exists()


@pytest.mark.parametrize("name", ["detail", "messages"])
def test_a_stranger_sees_nothing(name: str, client: Client):
    session = VideoSessionFactory(title="Secret")
    client.force_login(UserFactory())
    response = client.get(reverse(f"sessions:{name}", args=[session.pk]))
    assert response.status_code == 404
    assert b"Secret" not in response.content


@pytest.mark.parametrize("name", POSTS)
def test_a_stranger_presses_nothing(name: str, client: Client):
    session = VideoSessionFactory()
    client.force_login(UserFactory())
    assert post(client, name, session, message="x").status_code == 404
    assert not Command.objects.exists()


def test_a_viewer_sees_no_composer():
    session = reviewing()
    html = signed_in(session, Role.VIEWER).get(session.get_absolute_url()).content.decode()
    assert 'name="message"' not in html
    assert "You are a viewer here" in html


def test_a_message_is_sent_again_when_its_picture_is_described_later():
    session = reviewing()
    message = session.messages.exclude(resource_ids=[]).order_by("position").first()
    assert message is not None
    before = session.version
    Resource.objects.filter(session=session, resource_id=message.resource_ids[0]).update(version=before + 1)
    VideoSession.objects.filter(pk=session.pk).update(version=before + 1)

    html = session_page.fragments(session.pk, before, "en", "creator")

    assert f'id="m{message.position}"' in html
    assert 'id="m0"' not in html


def test_a_second_approval_of_the_same_storyboard_is_refused():
    session = reviewing()
    board = storyboard.newest(session)
    assert board is not None
    first, second = signed_in(session), signed_in(session)
    address = reverse("sessions:approve", args=[session.pk])

    first.post(address, {"token": tokens.new(), "revision": board.position})
    answer = second.post(address, {"token": tokens.new(), "revision": board.position})

    assert "Somebody approved this storyboard already" in answer.content.decode()
    assert Command.objects.filter(kind="session.send").count() == 1


def test_captions_that_come_later_stand_beside_the_player_that_is_not_swapped():
    session = VideoSessionFactory(status="completed", group="done")
    video = VideoFactory(session=session, status="completed", group="done")
    MediaFileFactory(resource=None, video=video, role="video", state="stored", path="film.mp4")
    captions = MediaFileFactory(resource=None, video=video, role="subtitles")

    def film() -> str:
        return session_page.fragments(session.pk, None, "en", "viewer").partition("<article")[2]

    assert "data-captions-src" not in film()
    MediaFile.objects.filter(pk=captions.pk).update(state="stored", path="film.srt")
    beside, player, _after = film().partition("hx-morph-skip")
    assert player
    assert f'data-captions-src="{reverse("files:captions", args=[captions.pk])}"' in beside


def test_line_ends_count_as_one_character_and_are_sent_as_one():
    """A browser sends two for each, and the counter on the page counts one."""
    session = VideoSessionFactory(group="needs_you", status="waiting_for_input")
    client = signed_in(session, Role.CREATOR)
    text = "\n".join(["x" * 99] * 100)

    assert post(client, "send", session, message=text.replace("\n", "\r\n")).status_code == 302
    assert Command.objects.get().payload["message"] == text
    assert post(client, "send", session, message=f"{text}xx").status_code == 422


def test_the_composer_takes_the_same_files_as_the_form_of_a_new_session():
    session = VideoSessionFactory(group="needs_you", status="waiting_for_input")
    client = signed_in(session, Role.CREATOR)
    rules = []
    for address in (session.get_absolute_url(), "/sessions/new/"):
        html = client.get(address).content.decode()
        (row,) = re.findall(r"<template[^>]*data-types[^>]*>", html)
        rules.append(re.findall(r'data-(?:limit|max-bytes|types)="([^"]+)"', row))
    assert rules[0] == rules[1] == ["20", "32000000", ",".join(FILE_TYPES)]
