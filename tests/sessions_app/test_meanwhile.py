"""Nobody's words go out past an answer that they have not seen."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from commands import tokens
from commands.models import Command
from polling import clock
from sessions_app import actions, meanwhile
from sessions_app.meanwhile import NOBODY, Mark
from sessions_app.models import Message, VideoSession
from tests.factories import MembershipFactory, MessageFactory, UserFactory, VideoSessionFactory
from tests.sessions_app.presses import press_in
from tests.sessions_app.storyboards import shows
from workspaces_app.models import Role, User

pytestmark = pytest.mark.django_db


def asking(**fields: Any) -> VideoSession:
    """A session whose agent asks something at position 1."""
    session: VideoSession = VideoSessionFactory(
        group="needs_you", status="waiting_for_input", message_count=2, **fields
    )
    MessageFactory(session=session, position=0, role="user", content="A film")
    MessageFactory(session=session, position=1, content="Which tone?\n\n- Warm\n- Cool")
    return session


def member(session: VideoSession, name: str, role: Role = Role.CREATOR) -> User:
    user: User = UserFactory(name=name)
    MembershipFactory(user=user, workspace=session.workspace, role=role)
    return user


def said(session: VideoSession, seen: Mark, by: User, token: str = "") -> list[tuple[str, str]]:
    session.refresh_from_db()
    return [(one.author, one.text) for one in meanwhile.since(seen, session, by, token=token)]


def mark(session: VideoSession) -> Mark:
    """As a page has it that is drawn now."""
    return meanwhile.mark(VideoSession.objects.for_page().get(pk=session.pk))


def test_a_mark_survives_the_page():
    some = Mark(uuid4(), 12)
    assert Mark.read(str(some)) == some


@pytest.mark.parametrize("text", ["", "x", "1.2", str(NOBODY), f"{NOBODY}.", f"{NOBODY}.x"])
def test_a_broken_mark_is_an_error(text: str):
    with pytest.raises(ValueError):  # noqa: PT011  every kind of it
        Mark.read(text)


def test_what_was_said_after_the_mark_counts_and_nothing_else():
    session = asking()
    me, other = member(session, "Me"), member(session, "Carl")
    press_in(session, by=other, payload={"message": "Before"})
    seen = mark(session)
    page = tokens.new()
    press_in(session, by=me, payload={"message": "From here"}, token=tokens.new(page))
    press_in(session, "refused", by=other, payload={"message": "Refused"})
    press_in(session, kind="session.stop", by=other, payload={})
    press_in(VideoSessionFactory(), by=other, payload={"message": "Elsewhere"})
    assert said(session, seen, me, page) == []

    press_in(session, by=other, payload={"message": "Warm"}, token=tokens.new(page))
    press_in(session, by=me, payload={"message": "From elsewhere"})
    MessageFactory(session=session, position=2, role="user", content="Typed at HeyGen")
    MessageFactory(session=session, position=3, content="The agent's own")
    assert said(session, seen, me, page) == [
        ("Carl", "Warm"),
        ("You, on another page", "From elsewhere"),
        ("Somebody at HeyGen", "Typed at HeyGen"),
    ]
    session.message_count = 4
    session.save()
    assert said(session, mark(session), me, page) == []


def test_a_press_that_became_a_message_is_said_once():
    session = asking()
    me, other = member(session, "Me"), member(session, "Carl")
    seen = mark(session)
    press = press_in(session, "accepted", by=other, payload={"message": "Warm"})
    MessageFactory(session=session, position=2, role="user", content="Warm", command=press)
    assert said(session, seen, me) == [("Carl", "Warm")]


def test_the_prompt_of_a_found_session_is_no_answer():
    session = VideoSessionFactory(owner=None, message_count=0)
    seen = mark(session)
    MessageFactory(session=session, position=0, role="user", content="A film")
    assert said(session, seen, member(session, "Me")) == []


def seen_on(client: Client, session: VideoSession) -> str:
    html = client.get(session.get_absolute_url()).content.decode()
    found = re.search(r'id="composer-seen" value="([^"]+)"', html)
    assert found is not None
    return found[1]


def post(client: Client, session: VideoSession, name: str = "send", *, htmx: bool = True, **data: Any) -> Any:
    return client.post(
        reverse(f"sessions:{name}", args=[session.pk]),
        {"token": tokens.new(), **data},
        headers={"HX-Request": "true"} if htmx else {},
    )


def messages_sent(session: VideoSession) -> list[str]:
    return [row.payload["message"] for row in Command.objects.for_object("session.send", session.pk)]


def signed_in(session: VideoSession, name: str) -> Client:
    client = Client()
    client.force_login(member(session, name))
    return client


@pytest.mark.parametrize("htmx", [True, False])
def test_the_first_try_shows_what_was_said_and_the_second_sends(htmx: bool):
    session = asking()
    first, second = signed_in(session, "Ada"), signed_in(session, "Carl")
    seen = seen_on(second, session)
    post(first, session, message="Warm <and> slow", seen=seen)

    refused = post(second, session, message="Cool", seen=seen, htmx=htmx)

    html = refused.content.decode()
    assert refused.status_code == 422
    assert "This came while you were typing" in html
    assert "Ada" in html
    assert "Warm &lt;and&gt; slow" in html
    assert messages_sent(session) == ["Warm <and> slow"]
    if not htmx:
        assert ">Cool</textarea>" in html
    now_seen = re.search(r'id="composer-seen" value="([^"]+)"', html)
    assert now_seen is not None
    assert now_seen[1] != seen

    assert post(second, session, message="Cool", seen=now_seen[1]).status_code == 200
    assert messages_sent(session) == ["Warm <and> slow", "Cool"]


@pytest.mark.parametrize("name", ["send", "inbox-reply"])
def test_words_that_were_begun_before_a_storyboard_came_do_not_go_out_past_it(name: str):
    session = asking()
    client = Client()
    client.force_login(member(session, "Amy", Role.APPROVER))
    seen = seen_on(client, session)
    shows(session, "a", "b", text="Look:")
    VideoSession.objects.filter(pk=session.pk).update(status="reviewing")

    refused = post(client, session, name, message="Yes, go ahead", seen=seen)

    html = refused.content.decode()
    assert refused.status_code == 422
    assert "Storyboard 1. Any message may approve it now." in html
    assert messages_sent(session) == []

    now_seen = seen_on(client, session)
    assert post(client, session, name, message="Yes, go ahead", seen=now_seen).status_code == 200
    assert messages_sent(session) == ["Yes, go ahead"]


@pytest.mark.parametrize(
    ("status", "described", "code"),
    [
        ("waiting_for_input", False, 200),
        ("waiting_for_input", True, 422),
        # HeyGen waits for a verdict: that must be the storyboard.
        ("reviewing", False, 422),
    ],
)
def test_what_may_be_a_voice_holds_an_answer_up_only_where_a_verdict_is_waited_for(
    status: str, described: bool, code: int
):
    session = asking()
    client = Client()
    client.force_login(member(session, "Me", Role.APPROVER))
    seen = seen_on(client, session)
    shows(session, "a", text="Look:")
    VideoSession.objects.filter(pk=session.pk).update(status=status)
    if not described:
        session.resources.update(type="", read_at=None)
    assert post(client, session, message="Warm", seen=seen).status_code == code


def test_more_words_of_the_agent_hold_nothing_up():
    session = asking()
    client = signed_in(session, "Me")
    seen = seen_on(client, session)
    MessageFactory(session=session, position=2, content="Take your time.")
    assert post(client, session, message="Warm", seen=seen).status_code == 200


def test_a_third_answer_between_the_two_tries_is_shown_as_well():
    session = asking()
    me, other = signed_in(session, "Me"), signed_in(session, "Carl")
    seen = seen_on(me, session)
    post(other, session, message="One", seen=seen)
    html = post(me, session, message="Mine", seen=seen).content.decode()
    newer = re.search(r'id="composer-seen" value="([^"]+)"', html)
    assert newer is not None
    post(other, session, message="Two", seen=newer[1])
    again = post(me, session, message="Mine", seen=newer[1])
    assert again.status_code == 422
    assert messages_sent(session) == ["One", "Two"]


def test_a_double_press_is_not_told_about_itself():
    session = asking()
    client = signed_in(session, "Me")
    token, seen = tokens.new(), seen_on(client, session)
    answers = [post(client, session, token=token, message="Once", seen=seen).status_code for _ in range(2)]
    assert answers == [200, 200]
    assert messages_sent(session) == ["Once"]


def tokens_of(html: str) -> dict[str, str]:
    """Of a session's page or what a press on it brought: by the form that they are for."""
    return dict(re.findall(r'name="token" id="([a-z-]+)-token" value="([^"]+)"', html))


def test_what_a_page_sent_itself_is_no_news_to_it_and_what_an_own_other_page_sent_is():
    session = asking()
    client = signed_in(session, "Me")
    here, elsewhere = (client.get(session.get_absolute_url()).content.decode() for _ in range(2))
    seen = seen_on(client, session)

    # Whoever goes on typing while the first is on its way still has the mark from before it.
    sent = post(client, session, token=tokens_of(here)["composer"], message="One", seen=seen)
    again = tokens_of(sent.content.decode())
    assert post(client, session, token=again["composer"], message="Two", seen=seen).status_code == 200
    assert post(client, session, "answer", token=again["answer"], choice="Warm").status_code == 200

    refused = post(client, session, token=tokens_of(elsewhere)["composer"], message="Mine", seen=seen)
    assert refused.status_code == 422
    html = refused.content.decode()
    assert html.count("You, on another page") == 3
    assert messages_sent(session) == ["One", "Two", "Warm"]


def test_an_answer_of_ones_own_in_the_inbox_is_no_news_to_its_pane():
    session = asking()
    client = signed_in(session, "Me")
    address = reverse("sessions:inbox-pane", args=[session.pk])
    pane = client.get(address, headers={"HX-Request": "true"}).content.decode()
    given = re.findall(r'name="token" value="([^"]+)"', pane)
    assert len({tokens.page_of(token) for token in given}) == 1
    (seen,) = re.findall(r'id="reply-seen" value="([^"]+)"', pane)

    assert post(client, session, "inbox-reply", token=given[0], choice="Warm", question=1).status_code == 200
    assert post(client, session, "inbox-reply", token=given[1], message="Slow", seen=seen).status_code == 200
    other_tab = post(client, session, "inbox-reply", message="Cool", seen=seen)
    assert other_tab.status_code == 422
    assert "You, on another page" in other_tab.content.decode()


def test_a_refused_try_leaves_no_press_and_its_token_is_free():
    session = asking()
    me, other = member(session, "Me"), member(session, "Carl")
    seen, token = mark(session), tokens.new()
    press_in(session, by=other, payload={"message": "Warm"})
    with pytest.raises(actions.SaidMeanwhile) as refused:
        actions.send(session, text="Cool", token=token, by=me, seen=seen)
    assert [one.text for one in refused.value.said] == ["Warm"]
    actions.send(session, text="Cool", token=token, by=me, seen=mark(session))
    assert messages_sent(session) == ["Warm", "Cool"]


@pytest.mark.parametrize("seen", ["x", "1.2"])
def test_a_broken_mark_sends_nothing_and_says_so(seen: str):
    session = asking()
    response = post(signed_in(session, "Me"), session, message="Hello", seen=seen)
    assert response.status_code == 422
    assert "This form is out of date" in response.content.decode()
    assert messages_sent(session) == []


def test_two_people_who_choose_at_once_answer_once():
    session = asking()
    first, second = signed_in(session, "Ada"), signed_in(session, "Carl")
    assert post(first, session, "answer", choice="Warm", question=1).status_code == 200
    refused = post(second, session, "answer", choice="Cool", question=1)
    assert refused.status_code == 422
    html = refused.content.decode()
    assert "Somebody answered this already" in html
    assert "Warm" in html
    assert messages_sent(session) == ["Warm"]


def test_a_double_click_on_a_choice_is_one_answer():
    session = asking()
    client, token = signed_in(session, "Ada"), tokens.new()
    for _ in range(2):
        response = post(client, session, "answer", token=token, choice="Warm", question=1)
        assert response.status_code == 200
    assert messages_sent(session) == ["Warm"]


def test_a_choice_may_be_made_again_after_heygen_refused_the_first():
    session = asking()
    press_in(session, "refused", by=member(session, "Ada"))
    assert post(signed_in(session, "Carl"), session, "answer", choice="Cool", question=1).status_code == 200


@pytest.mark.parametrize(("taken", "asked", "status"), [(600, 300, 200), (60, 30, 422), (600, 900, 422)])
def test_what_was_said_before_a_question_answers_it_as_long_as_it_may_turn_up_after_it(
    taken: float, asked: float, status: int
):
    session = asking()
    press_in(session, "accepted", by=member(session, "Ada"), payload={"message": "Warm"})
    Command.objects.update(created_at=clock.later(-taken), settled_at=clock.later(-taken))
    Message.objects.update(first_seen_at=clock.later(-asked))
    assert (
        post(signed_in(session, "Carl"), session, "answer", choice="Cool", question=1).status_code == status
    )
