"""Approvals: of one revision, by as many as the workspace asks for, sent once."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from commands import tokens
from commands.kinds import Refused
from commands.models import Command
from polling import clock
from sessions_app import approving, inbox, sending, session_page
from sessions_app.models import Approval, Message, VideoSession
from sessions_app.words import event_sentence
from tests.factories import MembershipFactory, MessageFactory, UserFactory
from tests.sessions_app.presses import press_in
from tests.sessions_app.storyboards import reviewing, says, shows
from timeline.models import Event
from workspaces_app.models import AuditEntry, Membership, Role, User

pytestmark = pytest.mark.django_db


def member(session: VideoSession, role: Role = Role.APPROVER) -> User:
    user: User = MembershipFactory(workspace=session.workspace, role=role).user
    return user


def ruled(session: VideoSession, **settings: Any) -> VideoSession:
    session.workspace.settings = settings
    session.workspace.save(update_fields=["settings"])
    return session


def approve(
    session: VideoSession, user: User, *, revision: int = 1, token: str = "", verb: str = "approve"
) -> Any:
    client = Client()
    client.force_login(user)
    address = reverse(f"sessions:{verb}", args=[session.pk])
    return client.post(address, {"token": token or tokens.new(), "revision": revision, "choice": "Yes"})


def sent(session: VideoSession) -> list[dict[str, Any]]:
    return [command.payload for command in Command.objects.for_object("session.send", session.pk)]


# --- How many ---------------------------------------------------------------------------------------------------------


def test_only_the_last_approval_that_is_needed_is_sent():
    session = ruled(reviewing(), approvals_needed=3)
    people = [member(session) for _ in range(3)]

    counts = []
    for person in people:
        assert approve(session, person).status_code == 302
        counts.append(len(sent(session)))

    assert counts == [0, 0, 1]
    assert sent(session)[0]["revision"] == 1
    assert [approval.by for approval in Approval.objects.select_related("by")] == people


def test_the_same_press_twice_is_one_approval():
    session = ruled(reviewing(), approvals_needed=2)
    person, token = member(session), tokens.new()

    for again in (token, token):
        assert approve(session, person, token=again).status_code == 302

    assert Approval.objects.count() == 1
    assert sent(session) == []


def test_a_second_approval_of_the_same_person_is_refused_with_the_reason():
    session = ruled(reviewing(), approvals_needed=2)
    person = member(session)
    approve(session, person)

    for verb in ("approve", "inbox-approve"):
        answer = approve(session, person, verb=verb)
        assert answer.status_code == 422
        assert "You approved this storyboard already" in answer.content.decode()

    assert Approval.objects.count() == 1
    assert sent(session) == []


def test_who_approved_and_all_others_get_what_they_can_press():
    """The fragment is the same for both: what own.js reads of it says who sees which button."""
    session = ruled(reviewing(), approvals_needed=3)
    first, second = member(session), member(session)
    client = Client()
    client.force_login(member(session))
    for page in ("detail", "storyboard"):
        html = client.get(reverse(f"sessions:{page}", args=[session.pk])).content.decode()
        assert "Approve storyboard 1" in html
        assert "Take it back" not in html
    approve(session, first)
    approve(session, second)

    for page in ("detail", "storyboard"):
        html = client.get(reverse(f"sessions:{page}", args=[session.pk])).content.decode()
        assert f'data-not-own="{first.pk} {second.pk}"' in html
        assert f'data-own="{first.pk}"' in html
        assert html.count("Take it back") % 2 == 0


def test_what_somebody_approved_waits_for_the_others_only(django_assert_num_queries: Any):
    session = ruled(reviewing(), approvals_needed=2)
    other = reviewing(workspace=session.workspace)
    first, second = member(session), member(session)
    outsider = MembershipFactory(user=first, role=Role.APPROVER).workspace
    ruled(reviewing(workspace=outsider), approvals_needed=2)

    def waits_for(user: User) -> set[Any]:
        user = User.objects.get(pk=user.pk)
        mine = {item.session for item in inbox.waiting(user) if item.session.workspace == session.workspace}
        return mine

    approve(session, first)
    assert waits_for(first) == {other}
    assert waits_for(second) == {session, other}

    approve(session, first, verb="take-back")
    assert waits_for(first) == {session, other}

    # One that was given, but counts no longer, is no reason to wait.
    approve(session, first)
    approve(session, second)
    Command.objects.update(
        state="refused", settled_by="answer", settled_at="2026-01-01T00:00Z", due_at="2026-01-01T00:00Z"
    )
    assert waits_for(first) == {session, other}
    Membership.objects.filter(user=second).update(role=Role.VIEWER)
    assert waits_for(first) == {other}
    shows(session, "a", "c")
    assert waits_for(first) == {session, other}

    approve(other, first)
    with django_assert_num_queries(6):
        inbox.waiting(User.objects.get(pk=first.pk))


# --- Taken back ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["take-back", "inbox-take-back"])
def test_an_approval_is_taken_back_and_given_again(verb: str):
    session = ruled(reviewing(), approvals_needed=2)
    first, second = member(session), member(session)
    approve(session, first)

    assert approve(session, first, verb=verb).status_code == 302
    assert approve(session, second).status_code == 302
    assert sent(session) == []

    assert approve(session, first).status_code == 302
    assert len(sent(session)) == 1


def test_taking_back_what_was_not_given_changes_nothing():
    session = ruled(reviewing(), approvals_needed=2)
    first, second = member(session), member(session)
    approve(session, first)
    events = Event.objects.count()

    assert approve(session, second, verb="take-back").status_code == 302

    assert [approval.by for approval in Approval.objects.select_related("by")] == [first]
    assert Event.objects.count() == events


@pytest.mark.parametrize("verb", ["take-back", "inbox-take-back"])
def test_what_went_out_cannot_be_taken_back(verb: str):
    session = ruled(reviewing(), approvals_needed=2)
    first, second = member(session), member(session)
    approve(session, first)
    approve(session, second)

    answer = approve(session, first, verb=verb)

    assert answer.status_code == 422
    assert "cannot be taken back any more" in answer.content.decode()
    assert Approval.objects.count() == 2


def test_what_heygen_refused_can_be_taken_back():
    session = ruled(reviewing(), approvals_needed=2)
    first, second = member(session), member(session)
    approve(session, first)
    approve(session, second)
    Command.objects.update(
        state="refused", settled_by="answer", settled_at="2026-01-01T00:00Z", due_at="2026-01-01T00:00Z"
    )

    assert approve(session, first, verb="take-back").status_code == 302

    assert [approval.by for approval in Approval.objects.select_related("by")] == [second]


@pytest.mark.django_db(transaction=True)
def test_the_last_approval_and_a_take_back_at_once_leave_no_half_approved_film():
    session = ruled(reviewing(), approvals_needed=2)
    first, second = member(session), member(session)
    approve(session, first)
    start = threading.Barrier(2)
    refused: list[Exception] = []

    def press(action: Any, **given: Any) -> None:
        start.wait()
        try:
            action(VideoSession.objects.get(pk=session.pk), revision=1, **given)
        except approving.NotApproved as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(
            target=press, args=[approving.approve], kwargs={"token": tokens.new(), "by": second}
        ),
        threading.Thread(target=press, args=[approving.take_back], kwargs={"by": first}),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    went_out = bool(sent(session))
    assert Approval.objects.count() == (2 if went_out else 1)
    assert [type(error) for error in refused] == ([approving.WentOut] if went_out else [])


def test_nothing_is_taken_back_from_an_earlier_storyboard():
    session = ruled(reviewing(), approvals_needed=2)
    person = member(session)
    approve(session, person)
    says(session)
    shows(session, "a", "c")

    assert approve(session, person, verb="take-back").status_code == 422
    assert Approval.objects.count() == 1


def test_taking_back_is_audited_and_on_the_timeline():
    session = ruled(reviewing(), approvals_needed=2)
    person = member(session)
    approve(session, person)
    before = VideoSession.objects.get(pk=session.pk).version

    approve(session, person, verb="take-back")

    data = {"revision": 1, "given": 0, "needed": 2}
    entry = AuditEntry.objects.get(action="storyboard.taken_back")
    assert (entry.actor, entry.object_id, entry.data) == (person, str(session.pk), data)
    event = Event.objects.get(what="session.approval_back")
    assert (event.actor, event.data) == (person, data)
    assert event_sentence(event) == "Approval taken back (0 of 2)"
    assert VideoSession.objects.get(pk=session.pk).version > before


@pytest.mark.parametrize(
    ("role", "settings", "status"),
    [
        (Role.VIEWER, {}, 403),
        (Role.CREATOR, {}, 403),
        (Role.APPROVER, {}, 302),
        (Role.ADMIN, {}, 302),
        (Role.CREATOR, {"creators_may_approve": True}, 302),
    ],
)
@pytest.mark.parametrize("verb", ["take-back", "inbox-take-back"])
def test_who_may_take_back(verb: str, role: Role, settings: dict[str, Any], status: int):
    session = ruled(reviewing(), approvals_needed=2, **settings)
    person = member(session, role)
    Approval.objects.create(session=session, position=1, by=person)

    assert approve(session, person, verb=verb).status_code == status

    assert Approval.objects.exists() is (status == 403)


@pytest.mark.parametrize("verb", ["take-back", "inbox-take-back"])
def test_a_stranger_takes_nothing_back(verb: str):
    session = ruled(reviewing(), approvals_needed=2)
    stranger = MembershipFactory(role=Role.ADMIN).user
    Approval.objects.create(session=session, position=1, by=stranger)
    assert approve(session, stranger, verb=verb).status_code == 404
    client = Client()
    client.force_login(stranger)
    assert client.get(reverse(f"sessions:{verb}", args=[session.pk])).status_code == 405
    assert Approval.objects.exists()


def test_the_page_says_who_approved_and_how_many_are_missing():
    session = ruled(reviewing(), approvals_needed=2)
    first = member(session)
    approve(session, first)
    client = Client()
    client.force_login(member(session))

    closely = client.get(reverse("sessions:storyboard", args=[session.pk])).content.decode()
    html = client.get(session.get_absolute_url()).content.decode()

    assert "1 of 2 approvals" in html
    assert str(first) in html
    for page in (html, closely):
        assert "Approved, and one more person has to approve." in page
    assert '<q lang="en">This is not an approval yet.</q>' in html


def test_what_was_decided_is_not_counted_by_a_rule_that_came_later():
    session = reviewing()
    approve(session, member(session))
    ruled(session, approvals_needed=2)
    VideoSession.objects.filter(pk=session.pk).update(group="done", status="completed")
    client = Client()
    client.force_login(member(session))

    for name in ("detail", "storyboard"):
        html = client.get(reverse(f"sessions:{name}", args=[session.pk])).content.decode()
        assert "approved" in html
        assert "of 2 approvals" not in html


@pytest.mark.django_db(transaction=True)
def test_two_approvers_who_press_at_once_send_once():
    session = ruled(reviewing(), approvals_needed=2)
    people = [member(session) for _ in range(4)]
    start = threading.Barrier(len(people))
    refused: list[Exception] = []

    def press(person: User) -> None:
        start.wait()
        try:
            approving.approve(
                VideoSession.objects.get(pk=session.pk), revision=1, token=tokens.new(), by=person
            )
        except approving.NotApproved as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(sent(session)) == 1
    assert [type(error) for error in refused] == [approving.AlreadyApproved] * 2
    assert Approval.objects.count() == 2


def test_approvals_are_withdrawn_when_a_newer_storyboard_comes():
    session = ruled(reviewing(), approvals_needed=2)
    first, second = member(session), member(session)
    approve(session, first)
    says(session)
    newer = shows(session, "a", "c")

    assert approve(session, second).status_code == 422
    approve(session, second, revision=newer.position)
    assert sent(session) == []
    approve(session, first, revision=newer.position)
    assert [payload["revision"] for payload in sent(session)] == [newer.position]


def test_an_approval_of_somebody_who_may_not_any_more_does_not_count():
    session = ruled(reviewing(), approvals_needed=2)
    gone, second, third = (member(session) for _ in range(3))
    approve(session, gone)
    Membership.objects.filter(user=gone).update(role=Role.VIEWER)

    approve(session, second)
    assert sent(session) == []
    approve(session, third)
    assert len(sent(session)) == 1


def test_an_approval_is_audited_and_on_the_timeline():
    session = ruled(reviewing(), approvals_needed=2)
    person = member(session)
    approve(session, person)
    data = {"revision": 1, "given": 1, "needed": 2}
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.object_id, entry.data, entry.address) == (
        "storyboard.approved",
        person,
        str(session.pk),
        data,
        "127.0.0.1",
    )
    event = Event.objects.get(what="session.approval")
    assert (event.actor, event.data) == (person, data)


# --- While it waits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "status"),
    [
        ("working", "generating"),
        ("done", "completed"),
        ("failed", "failed"),
        ("needs_you", "waiting_for_input"),
    ],
)
@pytest.mark.parametrize("verb", ["approve", "inbox-approve"])
def test_an_agent_that_went_on_gets_no_approval(verb: str, group: str, status: str):
    """It would take one for a wish for another film. The page may have been drawn before."""
    session = reviewing(group=group, status=status)

    answer = approve(session, member(session), verb=verb)

    assert answer.status_code == 422
    assert "does not wait for a verdict any more" in answer.content.decode()
    assert not Approval.objects.exists()
    assert sent(session) == []


def test_an_approval_that_waited_until_the_agent_went_on_is_not_sent():
    session = reviewing()
    person = member(session)
    approve(session, person)
    VideoSession.objects.update(group="working", status="generating")

    outcome = sending.send_message(Command.objects.get())

    assert (outcome.status, outcome.code) == (None, "not_waiting")  # type: ignore[union-attr]


def test_no_page_offers_what_was_answered_though_the_status_is_still_from_before():
    """HeyGen shows an answer in the conversation before it says that the agent goes on."""
    session = reviewing()
    client = Client()
    client.force_login(member(session))
    addresses = [
        reverse(f"sessions:{page}", args=[session.pk]) for page in ("detail", "storyboard", "inbox-pane")
    ]
    htmx = {"HX-Request": "true"}
    assert all(
        "Approve storyboard 1" in client.get(each, headers=htmx).content.decode() for each in addresses
    )

    MessageFactory(session=session, position=2, role="user", content="Approved", command=None)
    VideoSession.objects.update(message_count=3)

    for each in addresses:
        assert "Approve storyboard 1" not in client.get(each, headers=htmx).content.decode(), each


# The inbox shows of the answer's form what somebody typed in it, no more.
CLOSED = '<div id="reply-turn" data-closed>'


def test_nobody_is_told_for_ever_that_the_agent_goes_on_in_a_moment():
    session = reviewing()
    client = Client()
    client.force_login(member(session))
    MessageFactory(session=session, position=2, role="user", first_seen_at=clock.later(-60))
    VideoSession.objects.update(message_count=3)

    def shown(page: str) -> str:
        address = reverse(f"sessions:{page}", args=[session.pk])
        return client.get(address, headers={"HX-Request": "true"}).content.decode()

    pages = ("detail", "storyboard", "inbox-pane")
    assert all("goes on in a moment" in shown(page) for page in pages)
    assert CLOSED in shown("inbox-pane")

    session.messages.filter(position=2).update(first_seen_at=clock.later(-3600))
    for page in pages:
        html = shown(page)
        assert "goes on in a moment" not in html
        assert "has not reacted to the last answer" in html
        assert "Approve storyboard" not in html
    assert 'for="id_reply">Your answer' in shown("inbox-pane")
    assert CLOSED not in shown("inbox-pane")


def pages_of(session: VideoSession, person: User) -> dict[str, str]:
    """Every page where a storyboard can be approved."""
    client = Client()
    client.force_login(person)
    return {
        page: client.get(
            reverse(f"sessions:{page}", args=[session.pk]), headers={"HX-Request": "true"}
        ).content.decode()
        for page in ("detail", "storyboard", "inbox-pane")
    }


def settled(seconds: float) -> None:
    """Every press was made and taken so long ago, every message seen long before."""
    Command.objects.update(created_at=clock.later(-seconds), settled_at=clock.later(-seconds))
    Message.objects.update(first_seen_at=clock.later(-86400))


def test_an_answer_that_never_comes_in_sight_stands_in_the_way_for_two_minutes():
    session = reviewing()
    person = member(session)
    press_in(session, "accepted", payload={"message": "Brighter"}, by=person)
    settled(100)
    for page, html in pages_of(session, person).items():
        assert "goes on in a moment" in html, page
    assert approve(session, person).status_code == 422

    settled(130)
    for page, html in pages_of(session, person).items():
        assert "goes on in a moment" not in html, page
        assert "HeyGen took an answer, but does not show it" in html, page
        assert "Brighter" in html, page
        assert "Approve storyboard 1" in html, page
        assert "data-after" not in html, page
    assert approve(session, person).status_code == 302
    assert len(sent(session)) == 2


def test_an_approval_that_never_comes_in_sight_is_not_offered_again():
    session = reviewing()
    person = member(session)
    assert approve(session, person).status_code == 302
    now = clock.now()
    Command.objects.update(state="accepted", settled_by="answer", settled_at=now, applied_at=now)
    for seconds in (130, 86400):  # the longer, the less is told; it stays sent
        settled(seconds)
        for page, html in pages_of(session, person).items():
            assert "Approve storyboard 1" not in html, page
            assert ("HeyGen took the approval, but does not show it" in html) is (seconds < 3600), page
    assert CLOSED not in pages_of(session, person)["inbox-pane"]
    assert approve(session, person).status_code == 422
    assert len(sent(session)) == 1


def test_a_choice_that_never_comes_in_sight_is_made_once():
    session = reviewing()
    Message.objects.filter(session=session, role="model").update(content="Go on?\n\n- Yes\n- No")
    person = member(session)
    press_in(session, "accepted", payload={"message": "Yes"}, by=person)
    settled(130)
    for page in ("detail", "inbox-pane"):
        html = pages_of(session, person)[page]
        assert "Go on?" in html
        assert 'name="choice"' not in html, page
    client = Client()
    client.force_login(person)
    fields = {"token": tokens.new(), "choice": "Yes", "question": "1"}
    assert client.post(reverse("sessions:answer", args=[session.pk]), fields).status_code == 422
    assert len(sent(session)) == 1


def test_an_approval_that_arrived_after_all_is_not_sent_again():
    session = reviewing()
    unclear = press_in(session, "unknown", payload={"message": "Approved", "revision": 1})
    Command.objects.update(asks_person_since="2026-01-01T00:00Z")
    VideoSession.objects.update(group="working", status="generating")
    client = Client()
    client.force_login(member(session))

    client.post(reverse("sessions:press-again", args=[unclear.pk]))

    assert Command.objects.count() == 1


# --- Whose --------------------------------------------------------------------------------------------------------------


def test_the_author_counts_unless_the_workspace_says_no():
    author = UserFactory()
    session = reviewing(owner=author)
    MembershipFactory(user=author, workspace=session.workspace, role=Role.APPROVER)
    ruled(session, author_may_approve=False)

    answer = approve(session, author)
    assert answer.status_code == 422
    assert "somebody else has to approve" in answer.content.decode()
    assert not Approval.objects.exists()
    # The button is for the others; which of the two is seen is decided by own.js.
    client = Client()
    client.force_login(author)
    addresses = [reverse(f"sessions:{page}", args=[session.pk]) for page in ("detail", "storyboard")]
    pane = client.get(reverse("sessions:inbox-pane", args=[session.pk]), headers={"HX-Request": "true"})
    for html in (pane.content.decode(), *(client.get(address).content.decode() for address in addresses)):
        assert f'data-not-own="{author.pk}"' in html
        assert re.search(rf'data-own="{author.pk}">You started this session', html)

    ruled(session)
    assert "data-not-own" not in client.get(addresses[0]).content.decode()
    assert approve(session, author).status_code == 302
    assert len(sent(session)) == 1


@pytest.mark.parametrize(
    ("role", "settings", "status"),
    [
        (Role.VIEWER, {}, 403),
        (Role.CREATOR, {}, 403),
        (Role.APPROVER, {}, 302),
        (Role.ADMIN, {}, 302),
        (Role.VIEWER, {"creators_may_approve": True}, 403),
        (Role.CREATOR, {"creators_may_approve": True}, 302),
    ],
)
def test_who_may_approve(role: Role, settings: dict[str, Any], status: int):
    session = ruled(reviewing(), **settings)
    assert approve(session, member(session, role)).status_code == status
    assert len(sent(session)) == (status == 302)


def test_a_creator_does_not_approve_before_we_see_that_heygen_waits():
    session = reviewing(group="working", status="thinking")
    assert approve(session, member(session, Role.CREATOR)).status_code == 403


def test_a_stranger_finds_nothing():
    session = reviewing()
    assert approve(session, MembershipFactory(role=Role.ADMIN).user).status_code == 404


# --- What else is said meanwhile ----------------------------------------------------------------------------------------


def test_an_answer_on_its_way_comes_before_an_approval():
    session = reviewing()
    press_in(session, "queued")
    answer = approve(session, member(session))
    assert answer.status_code == 422
    assert "Somebody has just answered" in answer.content.decode()


def test_an_answer_that_the_agent_has_not_reacted_to_comes_before_an_approval():
    session = reviewing()
    says(session)
    person = member(session)
    assert approve(session, person).status_code == 422

    shows(session, text="As I said.")
    assert approve(session, person).status_code == 302


def test_where_others_have_to_agree_words_say_that_they_are_no_approval():
    session = ruled(reviewing(), approvals_needed=2)
    client = Client()
    client.force_login(member(session))
    client.post(reverse("sessions:send", args=[session.pk]), {"token": tokens.new(), "message": "Go ahead"})
    assert [payload["message"] for payload in sent(session)] == ["This is not an approval yet.\n\nGo ahead"]


OPENING = "This is not an approval yet.\n\n"


@pytest.mark.parametrize("address", ["sessions:send", "sessions:inbox-reply", "sessions:storyboard-changes"])
def test_heygens_limit_counts_the_line_that_says_so(address: str):
    session = ruled(reviewing(), approvals_needed=2)
    client = Client()
    client.force_login(member(session))
    fits = "x" * (10_000 - len(OPENING))

    def send(text: str) -> Any:
        fields = {"token": tokens.new(), "message": text, "revision": 1}
        return client.post(reverse(address, args=[session.pk]), fields)

    refused = send(f"{fits}y")
    assert refused.status_code == 422
    html = refused.content.decode()
    assert "too long for HeyGen: it has 9971 characters, and 9970 fit." in html
    assert f">{fits}y</textarea>" in html.replace(">\n", ">")
    # A browser would cut off what is pasted.
    assert re.findall(r'<textarea name="message"[^>]*maxlength', html) == []
    assert sent(session) == []

    assert send(fits).status_code == 302
    assert [payload["message"] for payload in sent(session)] == [OPENING + fits]


@pytest.mark.parametrize(
    ("settings", "owned", "status", "line_of"),
    [
        ({}, True, "reviewing", None),
        ({"approvals_needed": 2}, True, "waiting_for_input", None),
        ({"approvals_needed": 2}, True, "reviewing", "everybody"),
        ({"author_may_approve": False}, True, "reviewing", "owner"),
        ({"author_may_approve": False}, False, "reviewing", None),
    ],
)
def test_the_composer_shows_that_line_and_counts_it_to_whose_words_get_it(
    settings: dict[str, Any], owned: bool, status: str, line_of: str | None
):
    session = ruled(reviewing(status=status, owner=UserFactory() if owned else None), **settings)
    html = session_page.fragments(session.pk, None, "en", "approver")
    found = re.findall(r'data-before="id_message" data-characters="(\d+)" (?:data-own="(\d+)")?>', html)
    expected = {None: [], "everybody": [("30", "")], "owner": [("30", str(session.owner_id))]}
    assert found == expected[line_of]


def test_what_is_changed_before_it_is_sent_again_comes_without_that_line():
    session = ruled(reviewing(), approvals_needed=2)
    press_in(session, "refused", payload={"message": f"{OPENING}Hm", "files": [], "undecided": True})
    html = session_page.fragments(session.pk, None, "en", "approver")
    assert re.findall(r'data-fill="([^"]*)"', html) == ["Hm"]


def test_where_others_have_to_agree_no_single_press_answers():
    session = ruled(reviewing(), approvals_needed=2)
    answer = approve(session, member(session), verb="answer")
    assert answer.status_code == 422
    assert "Others have to approve" in answer.content.decode()
    assert sent(session) == []


def test_a_question_is_answered_as_ever_where_several_have_to_approve():
    session = ruled(reviewing(status="waiting_for_input"), approvals_needed=2)
    approve(session, member(session, Role.CREATOR), verb="answer")
    assert [payload["message"] for payload in sent(session)] == ["Yes"]


@pytest.mark.parametrize(
    ("role", "settings", "payload", "is_sent"),
    [
        (Role.CREATOR, {}, {}, False),
        (Role.CREATOR, {"creators_may_approve": True}, {}, True),
        (Role.APPROVER, {}, {}, True),
        (Role.APPROVER, {"approvals_needed": 2}, {}, False),
        (Role.APPROVER, {"approvals_needed": 2}, {"undecided": True}, True),
        (Role.CREATOR, {"approvals_needed": 2}, {"undecided": True}, False),
    ],
)
def test_what_was_said_before_the_storyboard_came_is_looked_at_again(
    role: Role, settings: dict[str, Any], payload: dict[str, Any], is_sent: bool
):
    session = ruled(reviewing(), **settings)
    command = press_in(session, by=member(session, role), payload={"message": "Yes", "files": [], **payload})

    outcome = sending.send_message(command)

    # The factory's address leads nowhere: what is not refused by us fails on its way.
    assert (isinstance(outcome, Refused) and outcome.code == "verdict") is not is_sent


@pytest.mark.parametrize(("payload", "is_refused"), [({}, True), ({"undecided": True}, False)])
def test_what_waited_until_a_storyboard_came_is_not_sent_past_it(payload: dict[str, Any], is_refused: bool):
    session = reviewing()
    command = press_in(session, by=member(session), payload={"message": "Yes", "files": [], **payload})
    says(session)
    shows(session, "c")

    outcome = sending.send_message(command)

    assert (isinstance(outcome, Refused) and outcome.code == "unseen") is is_refused
    # Who sends it again has seen it.
    repeat = press_in(session, by=member(session), payload={"message": "Yes", "files": []}, repeats=command)
    again = sending.send_message(repeat)
    assert not (isinstance(again, Refused) and again.code == "unseen")


# --- Once more ----------------------------------------------------------------------------------------------------------


def test_an_approval_that_heygen_refused_is_sent_again_once():
    session = reviewing()
    person = member(session)
    approve(session, person)
    Command.objects.update(
        state="refused", settled_by="answer", settled_at="2026-01-01T00:00Z", due_at="2026-01-01T00:00Z"
    )
    refused = Command.objects.get()
    client = Client()
    client.force_login(person)
    for _ in range(2):
        client.post(reverse("sessions:press-again", args=[refused.pk]))
    assert Command.objects.count() == 2

    assert approve(session, member(session)).status_code == 422
    assert Command.objects.count() == 2


def test_sending_again_waits_for_the_approvals_that_are_needed():
    session = ruled(reviewing(), approvals_needed=2)
    refused = press_in(session, "refused", payload={"message": "Approved", "revision": 1})
    client = Client()
    client.force_login(member(session))
    client.post(reverse("sessions:press-again", args=[refused.pk]))
    assert Command.objects.count() == 1
