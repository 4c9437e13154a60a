"""What stands in the conversation: who said it, presses until a poll shows them, the agent's question."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from commands.models import Command
from sessions_app import conversation, meanwhile, session_page
from sessions_app.models import Gap, MessageRevision, Resource, VideoSession
from sessions_app.tiles import tile
from tests.factories import (
    MembershipFactory,
    MessageFactory,
    ResourceFactory,
    UserFactory,
    VideoSessionFactory,
)
from tests.sessions_app.presses import press_in

pytestmark = pytest.mark.django_db


def entries(session: VideoSession) -> list[conversation.Entry]:
    return conversation.entries(
        list(conversation.rows(session).order_by("position")),
        session=session,
        tiles={
            resource.resource_id: tile(resource, resource.files.all())
            for resource in Resource.objects.filter(session=session)
        },
    )


def presses(session: VideoSession, *, after_seconds: float = 0) -> list[conversation.Press]:
    rows = Command.objects.for_object("session", session.pk).select_related("by", "repeated_by", "message")
    return conversation.presses(rows, session, now=timezone.now() + dt.timedelta(seconds=after_seconds))


def test_the_agents_markdown_and_a_persons_plain_text():
    session = VideoSessionFactory(owner=UserFactory(name="Ada"))
    MessageFactory(session=session, position=0, role="user", content="*Hello*")
    MessageFactory(session=session, position=1, role="model", content="*Hello*")

    own, agents = entries(session)

    assert (own.role, own.author, own.text, own.html) == ("user", "Ada", "*Hello*", "")
    assert (agents.role, agents.author, agents.html) == ("agent", "Agent", "<p><em>Hello</em></p>\n")


def test_a_role_nobody_foresaw_is_the_agents_side():
    session = VideoSessionFactory()
    MessageFactory(session=session, role="narrator")
    assert entries(session)[0].role == "agent"


def test_a_message_of_ours_names_who_pressed():
    session = VideoSessionFactory()
    press = press_in(session, "accepted", by=UserFactory(name="Grace"))
    MessageFactory(session=session, position=3, role="user", command=press)
    assert [(entry.author, entry.state) for entry in entries(session)] == [("Grace", "present")]


def test_a_message_typed_at_heygen_has_an_unknown_author():
    session = VideoSessionFactory(owner=UserFactory(name="Ada"))
    MessageFactory(session=session, position=4, role="user")
    assert entries(session)[0].author == "Somebody at HeyGen"


def test_a_gap_stands_before_the_message_that_follows_it():
    session = VideoSessionFactory()
    for position in range(3):
        MessageFactory(session=session, position=position)
    Gap.objects.create(session=session, after_position=-1, seen_at=timezone.now(), version=1)
    Gap.objects.create(session=session, after_position=1, seen_at=timezone.now(), version=1)
    assert [entry.gap_before for entry in entries(session)] == [True, False, True]


def test_a_reworded_message_leads_to_its_earlier_texts():
    session = VideoSessionFactory(message_count=2)
    MessageFactory(session=session, position=0)
    message = MessageFactory(session=session, position=1, content="*Three*")
    for minutes, text in ((2, "*One*"), (1, "<b>Two</b>")):
        MessageRevision.objects.create(
            message=message, content=text, replaced_at=timezone.now() - dt.timedelta(minutes=minutes)
        )
    assert [entry.revisions for entry in entries(session)] == [0, 2]
    assert [one.html for one in conversation.earlier(message)] == [
        "<p>&lt;b&gt;Two&lt;/b&gt;</p>\n",
        "<p><em>One</em></p>\n",
    ]
    user = UserFactory()
    MembershipFactory(user=user, workspace=session.workspace)
    client = Client()
    client.force_login(user)
    address = reverse("sessions:message-earlier", args=[session.pk, 1])
    assert client.get(session.get_absolute_url()).content.decode().count(f'href="{address}"') == 1
    for headers in ({}, {"HX-Request": "true"}):
        html = client.get(address, headers=headers).content.decode()
        assert "<em>One</em>" in html
        assert ("<!DOCTYPE html>" in html) is not bool(headers)
    assert client.get(reverse("sessions:message-earlier", args=[session.pk, 9])).status_code == 404
    client.force_login(UserFactory())
    assert client.get(address).status_code == 404


def test_resources_stand_with_the_message_that_names_them_in_its_order():
    session = VideoSessionFactory()
    MessageFactory(session=session, resource_ids=["two", "unheard-of", "one"])
    for name in ("one", "two"):
        ResourceFactory(session=session, resource_id=name, metadata={"name": name})
    assert [tile.name for tile in entries(session)[0].tiles] == ["two", "one"]


@pytest.mark.parametrize(
    ("state", "fields", "word", "may_repeat"),
    [
        ("queued", {}, "Queued", False),
        ("sending", {}, "Sending", False),
        ("accepted", {}, "Sent, not in the conversation yet", False),
        ("refused", {"error": {"message": "Too long"}}, "Refused", True),
        ("unknown", {}, "Outcome unknown", False),
        ("unknown", {"asks_person_since": timezone.now(), "due_at": None}, "Outcome unknown", True),
    ],
)
def test_how_a_press_is_shown(state: str, fields: dict[str, Any], word: str, may_repeat: bool):
    session = VideoSessionFactory()
    press_in(session, state, **fields)
    (press,) = presses(session)
    assert (press.word, press.may_repeat) == (word, may_repeat)
    assert press.text == "Make it blue"


def test_words_that_did_not_arrive_stay_for_a_day_to_be_sent_again():
    session = VideoSessionFactory()
    found = press_in(
        session, "refused", settled_by="person", error={"code": "person", "message": "It did not."}
    )
    (press,) = presses(session)
    assert (press.word, press.text, press.may_repeat) == ("Did not arrive", "Make it blue", True)
    assert press.explanation == "Somebody here found that out. It can be sent again."
    Command.objects.filter(pk=found.pk).update(settled_at=timezone.now() - dt.timedelta(hours=25))
    assert presses(session) == []


def test_heygens_reason_is_shown_as_it_came():
    session = VideoSessionFactory()
    press_in(session, "refused", error={"message": "The <prompt> is too long"})
    assert presses(session)[0].explanation == "The <prompt> is too long"


def test_a_refused_message_can_be_changed_before_it_is_sent_again():
    session = VideoSessionFactory()
    press_in(session, "refused", payload={"message": 'Say "hello"'})
    press_in(session, "refused", kind="session.stop", payload={})
    html = session_page.fragments(session.pk, None, "en", "creator")
    assert html.count("data-fill=") == 1
    assert 'data-fill="Say &quot;hello&quot;"' in html
    assert "data-fill=" not in session_page.fragments(session.pk, None, "en", "viewer")


def test_a_press_that_is_in_the_conversation_stands_there_alone():
    session = VideoSessionFactory()
    MessageFactory(session=session, role="user", command=press_in(session, "accepted"))
    assert presses(session) == []


def test_a_press_that_was_sent_again_is_replaced_by_the_new_one():
    session = VideoSessionFactory()
    first = press_in(session, "refused")
    press_in(session, "queued", repeats=first)
    assert [press.look for press in presses(session)] == ["queued"]


def test_an_accepted_press_that_never_showed_up_does_not_stand_there_for_good():
    session = VideoSessionFactory()
    press_in(session, "accepted")
    assert presses(session, after_seconds=meanwhile.SHOWN_SECONDS + 1) == []


@pytest.mark.parametrize("state", ["accepted", "refused"])
def test_what_came_of_a_stop_is_of_no_interest_once_the_session_ended(state: str):
    """HeyGen may refuse to stop what has just ended by itself: there was nothing to stop."""
    session = VideoSessionFactory(status="thinking", group="working")
    press_in(session, state, kind="session.stop", payload={})
    assert len(presses(session)) == 1
    session.group = "done"
    assert presses(session) == []


def test_an_accepted_start_is_over_when_there_is_a_conversation():
    session = VideoSessionFactory(message_count=0)
    press_in(session, "accepted", kind="session.create", payload={"prompt": "A film"})
    assert [press.kind for press in presses(session)] == ["create"]
    session.message_count = 1
    assert presses(session) == []


QUESTION = "Which one?\n\n- This\n- That"


def test_the_agents_question_and_its_choices():
    session = VideoSessionFactory(group="needs_you", status="waiting_for_input")
    messages = [
        MessageFactory(session=session, position=0, role="user"),
        MessageFactory(session=session, position=1, content=QUESTION),
        MessageFactory(session=session, position=2, content="", type="resource"),
    ]
    asked = conversation.question(session, messages)
    assert asked == conversation.Question(html="<p>Which one?</p>\n", choices=["This", "That"], position=1)


@pytest.mark.parametrize("group", ["working", "done", "failed", "unknown"])
def test_there_is_no_question_while_nobody_waits(group: str):
    session = VideoSessionFactory(group=group)
    assert conversation.question(session, [MessageFactory(session=session, content=QUESTION)]) is None


def test_there_is_no_question_after_somebody_answered():
    session = VideoSessionFactory(group="needs_you")
    messages = [
        MessageFactory(session=session, position=0, content=QUESTION),
        MessageFactory(session=session, position=1, role="user", content="This"),
    ]
    assert conversation.question(session, messages) is None
