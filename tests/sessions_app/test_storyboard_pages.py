"""The page of a session's storyboards: looking, comparing, and notes that become one message."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from commands import tokens
from commands.models import Command
from polling import schedule
from polling.models import PollState
from sessions_app import session_streams
from sessions_app.models import MediaFile, Resource, VideoSession
from tests.factories import MembershipFactory, ResourceFactory, VideoSessionFactory
from tests.markup import inline_code
from tests.sessions_app.storyboards import reviewing, says, shows
from workspaces_app.models import Role

pytestmark = pytest.mark.django_db


def signed_in(session: VideoSession, role: Role = Role.APPROVER) -> Client:
    client = Client()
    client.force_login(MembershipFactory(workspace=session.workspace, role=role).user)
    return client


def revised() -> VideoSession:
    """Two storyboards: a, b, c at position 1 ("A red door"); c, b redrawn as d, at position 3 ("A blue door")."""
    session = reviewing()
    session.messages.filter(position=1).update(content="A red door")
    says(session)
    shows(session, "c", "a", "d", text="A blue door")
    return session


def stored(digest: str, *names: str) -> None:
    """These pictures are copied, and have the same bytes."""
    files = MediaFile.objects.filter(resource__resource_id__in=names)
    files.update(sha256=digest * 64, state="stored", path="x")


def page(session: VideoSession, role: Role = Role.APPROVER, **query: Any) -> str:
    html = full_page(session, role, **query)
    return html[html.index('id="main"') :]


def full_page(session: VideoSession, role: Role = Role.APPROVER, **query: Any) -> str:
    answer = signed_in(session, role).get(reverse("sessions:storyboard", args=[session.pk]), query)
    assert answer.status_code == 200
    html: str = answer.content.decode()
    return html


def heading(html: str) -> str:
    return re.search(r"<h1>(.*?)</h1>", html)[1]  # type: ignore[index]


def post(client: Client, session: VideoSession, name: str, **data: Any) -> Any:
    return client.post(reverse(f"sessions:storyboard-{name}", args=[session.pk]), data)


def field(html: str, name: str) -> str:
    return re.search(rf'name="{name}"[^>]* value="([^"]*)"', html)[1]  # type: ignore[index]


def note_on(session: VideoSession, name: str) -> str:
    """The field of the note on that picture."""
    return f"note-{session.resources.get(resource_id=name).pk}"


def sent() -> list[str]:
    return [command.payload["message"] for command in Command.objects.in_order()]


# --- Looking ----------------------------------------------------------------------------------------------------------


def test_the_newest_storyboard_is_shown_and_any_other_on_request():
    session = revised()
    newest = page(session)
    assert heading(newest) == "Storyboard 2"
    assert "A blue door" in newest
    assert newest.count('data-lightbox="board"') == 3
    assert "Approve storyboard 2" in newest

    earlier = page(session, revision=1)
    assert heading(earlier) == "Storyboard 1"
    assert "A red door" in earlier
    assert "only the newest can be approved" in earlier
    assert "Approve storyboard" not in earlier
    assert "<textarea" not in earlier


def test_a_comparison_shows_words_and_no_marks():
    session = revised()
    session.messages.filter(position=1).update(content="**Scene 1** A *red* door")
    session.messages.filter(position=3).update(content="**Scene 1** A *blue* door <script>alert(1)</script>")

    html = page(session, against=1)

    said = re.search(r'<p class="board-words[^>]*>(.*?)</p>', html, re.DOTALL)[1]  # type: ignore[index]
    assert said == (
        "Scene 1 A <del>red </del><ins>blue </ins>door <ins>&lt;script&gt;alert(1)&lt;/script&gt;</ins>"
    )


def test_a_comparison_says_what_changed():
    session = revised()
    for number, name in enumerate("abcd"):
        stored(str(number), name)
    html = page(session, against=1)
    assert re.findall(r'class="shot"[^>]*data-what="(\w+)"', html) == ["added", "same", "changed"]
    assert html.count("data-wipe") == 1
    assert re.search(r"A <del>red </del><ins>blue </ins>door", html)
    assert "one picture changed" in html


def test_a_picture_that_came_again_under_another_id_is_the_same():
    session = reviewing()
    says(session)
    shows(session, "a2", "b2")
    stored("1", "a", "a2")
    stored("2", "b")
    stored("3", "b2")
    html = page(session, against=1)
    assert re.findall(r'class="shot"[^>]*data-what="(\w+)"', html) == ["same", "changed"]
    room = signed_in(session).get(session.get_absolute_url()).content.decode()
    badges = ["New" in shot for shot in re.findall(r'id="shot-.*?</li>', room, re.DOTALL)]
    assert badges == [False, True]


def test_what_is_not_copied_yet_is_not_called_changed_or_new():
    """HeyGen gives a picture that it kept a new id: only the copies tell."""
    session = reviewing()
    says(session)
    shows(session, "a2", "b2")
    stored("1", "a")
    stored("2", "b")

    def seen() -> tuple[list[str], list[bool], bool]:
        html = page(session, against=1)
        room = signed_in(session).get(session.get_absolute_url()).content.decode()
        badges = ["New" in shot for shot in re.findall(r'id="shot-.*?</li>', room, re.DOTALL)]
        return re.findall(r'class="shot"[^>]*data-what="(\w+)"', html), badges, "Compare again" in html

    assert seen() == (["open", "open"], [False, False], True)
    stored("1", "a2")
    assert seen() == (["same", "open"], [False, False], True)
    stored("3", "b2")
    assert seen() == (["same", "changed"], [False, True], False)
    # Without a copy, and without one to come, HeyGen's ids are all that there is.
    MediaFile.objects.filter(resource__resource_id="b2").update(sha256="", state="failed", path="")
    assert seen() == (["same", "changed"], [False, True], False)


def test_a_picture_that_seems_to_be_gone_may_be_the_one_that_is_being_copied():
    session = reviewing()
    says(session)
    shows(session, "b2")
    stored("1", "a")
    stored("2", "b")
    assert re.findall(r'class="shot"[^>]*data-what="(\w+)"', page(session, against=1)) == ["open", "open"]
    stored("2", "b2")
    assert re.findall(r'class="shot"[^>]*data-what="(\w+)"', page(session, against=1)) == ["removed", "same"]


@pytest.mark.parametrize("query", [{"against": "2"}, {"against": "9"}, {"against": "x"}, {"revision": "x"}])
def test_what_makes_no_sense_in_the_address_shows_the_newest_alone(query: dict[str, str]):
    html = page(revised(), **query)
    assert heading(html) == "Storyboard 2"
    assert "data-what" not in html


def test_a_storyboard_that_is_not_there_is_404_and_none_at_all_says_so():
    client = signed_in(session := revised())
    address = reverse("sessions:storyboard", args=[session.pk])
    assert client.get(address, {"revision": 3}).status_code == 404
    assert "No storyboard yet" in page(VideoSessionFactory())


def test_who_judges_a_storyboard_learns_that_it_may_be_old_and_why():
    session = reviewing()
    schedule.enroll("session", [session.pk], workspace_id=session.workspace_id, fingerprint="key")
    client = signed_in(session)
    places = (
        (reverse("sessions:storyboard", args=[session.pk]), {}),
        (reverse("sessions:inbox-pane", args=[session.pk]), {"headers": {"HX-Request": "true"}}),
        (reverse("sessions:detail", args=[session.pk]), {}),
    )

    def said() -> list[list[str]]:
        told = r"<span data-late-words>([^<]*)</span>"
        return [re.findall(told, client.get(address, **extra).content.decode()) for address, extra in places]

    PollState.objects.update(polled_at=timezone.now(), next_poll_at=timezone.now())
    assert said() == [[""], [], [""]]
    assert all("checked <time" in client.get(address, **extra).content.decode() for address, extra in places)

    PollState.objects.update(failures=1, reason="server_error")
    late = "May be out of date. HeyGen has trouble answering."
    assert said() == [[late], [late], [late]]


@pytest.mark.parametrize("pictures", [1, 3])
def test_it_costs_as_many_queries_for_three_pictures_as_for_one(
    pictures: int, django_assert_num_queries: Any
):
    session = reviewing()
    says(session)
    shows(session, *"xyz"[:pictures])
    client = signed_in(session)
    address = reverse("sessions:storyboard", args=[session.pk])
    client.get(address)
    with django_assert_num_queries(11):
        client.get(address, {"against": 1})


def test_hostile_text_is_inert():
    session = reviewing()
    evil = "<script>alert(1)</script><img src=x onerror=y>"
    session.messages.filter(position=1).update(content=evil)
    session.resources.update(metadata={"name": evil})
    says(session)
    shows(session, "b", "z", text=evil + " more")
    html = page(session, against=1)
    assert "alert(1)" in html
    assert inline_code(html) == []
    assert "<img src=x" not in html


def test_the_part_that_keeps_current_holds_nothing_of_one_person():
    session = revised()
    for variant in ("viewer", "creator", "approver", "nonsense"):
        html = session_streams.fragments(session.pk, 1, "en", f"{variant}-storyboard-1-3")
        assert re.findall(r'hx-target="([^"]+)"', html) == ["#verdict"]
        assert "<form" not in html
        assert 'name="token"' not in html
        assert "Show storyboard 2" in html
    html = session_streams.fragments(session.pk, 1, "en", "approver-storyboard-2-3")
    assert "Approve storyboard 2" in html
    for nonsense in ("x", "2", "2-x", "2-3-4", "1234567-3"):
        assert session_streams.fragments(session.pk, 1, "en", f"approver-storyboard-{nonsense}") == ""


def test_nobody_judges_a_part_of_a_storyboard_unknowingly():
    """Its pictures are described one after the other, and those that an open page shows stay as they are."""
    session = reviewing()
    session.messages.filter(position=1).update(resource_ids=["a", "b", "c"])
    coming = ResourceFactory(session=session, resource_id="c", message_position=1, type="", read_at=None)
    addresses = [
        reverse(f"sessions:{name}", args=[session.pk]) for name in ("detail", "storyboard", "inbox-pane")
    ]
    client = signed_in(session)
    for address in addresses:
        html = client.get(address, headers={"HX-Request": "true"}).content.decode()
        assert "One more thing of this storyboard is on its way." in html
    (variant,) = re.findall(r"variant=([\w-]+)", client.get(addresses[1]).content.decode())
    assert variant == "approver-storyboard-1-2"

    Resource.objects.filter(pk=coming.pk).update(type="image", read_at=timezone.now())
    html = session_streams.fragments(session.pk, 1, "en", variant)
    assert "Show all its pictures" in html
    assert "Approve storyboard" not in html
    assert "Approve storyboard 1" in session_streams.fragments(session.pk, 1, "en", "approver-storyboard-1-3")


# --- Notes ------------------------------------------------------------------------------------------------------------


def test_notes_are_shown_as_one_message_before_anything_is_sent():
    session = revised()
    client = signed_in(session)
    notes = {note_on(session, "c"): "Darker", note_on(session, "d"): "", "overall": "Go on"}
    preview = post(client, session, "notes", revision=3, **notes)
    text = "Please change the storyboard before you go on.\n\nPicture 1 of 3: Darker\n\nGo on"
    assert preview.status_code == 200
    assert text in preview.content.decode()
    assert sent() == []

    notes_on = field(preview.content.decode(), "notes_on")
    answer = post(client, session, "changes", revision=3, notes_on=notes_on, message=text, token=tokens.new())
    assert answer.status_code == 302
    assert sent() == [text]
    # The page that follows forgets what was kept of the notes in the browser, and nothing else.
    html = client.get(answer["Location"]).content.decode()
    forgotten = re.findall(r'<meta name="draft-sent" content="([^"]+)"', html)
    pictures = [session.resources.get(resource_id=name).pk for name in "cad"]
    place = f"{session.pk}:3"
    assert forgotten == [*(f"picture:{pk}" for pk in pictures), f"board:{place}", f"message:{place}"]
    assert re.search(rf'data-draft="message:{place}:[0-9a-f]{{16}}"', preview.content.decode())


def test_what_is_typed_at_one_session_stays_there():
    """Positions are the same in many sessions: a note must not turn up at another one's storyboard."""
    session = reviewing()
    for each in (session, reviewing(workspace=session.workspace)):
        (kept,) = re.findall(r'data-draft="(board:[^"]+)"', page(each))
        assert kept == f"board:{each.pk}:1"


def grown(session: VideoSession) -> None:
    """Before its pictures "a" and "b" another one turns out to be there, and after them comes one more."""
    session.messages.filter(position=1).update(resource_ids=["c", "a", "b"])
    ResourceFactory(session=session, resource_id="c", message_position=1)
    shows(session, "d", text="And this one:")


def test_a_note_goes_with_its_picture_when_the_storyboard_grows():
    session = reviewing()
    client = signed_in(session)
    html = client.get(reverse("sessions:storyboard", args=[session.pk])).content.decode()
    names = re.findall(r'<textarea name="(note-[^"]+)"', html)
    grown(session)
    notes = {names[0]: "Darker", f"note-{uuid4()}": "Not this one\r\nat all", "overall": "Go on"}
    preview = post(client, session, "notes", revision=field(html, "revision"), **notes)
    shown = unescape(preview.content.decode())
    assert "\n\nPicture 2 of 4: Darker\n\nGo on\n\nNot this one\nat all</textarea>" in shown


def test_the_note_on_all_of_a_storyboard_stays_in_sight_when_that_grows():
    session = reviewing()
    kept = re.findall(r'data-draft="(board:[^"]+)"', page(session))
    grown(session)
    html = page(session)
    assert re.findall(r'data-draft="(board:[^"]+)"', html) == kept

    notes_on = field(
        post(signed_in(session), session, "notes", revision=1, overall="Go on").content.decode(), "notes_on"
    )
    forgotten = re.findall(r'name="draft-sent" content="(board:[^"]+)"', full_page(session, sent=notes_on))
    assert forgotten == kept


def test_no_note_is_no_message():
    session = revised()
    answer = post(signed_in(session), session, "notes", revision=3, **{note_on(session, "c"): " "})
    assert answer.status_code == 422
    assert "Write at least one note." in answer.content.decode()


def test_a_note_that_is_too_long_is_kept_and_said_at_its_picture():
    session = revised()
    notes = {note_on(session, "a"): "x" * 10_001, note_on(session, "c"): "Kept"}
    answer = post(signed_in(session), session, "notes", revision=3, **notes)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="id_{note_on(session, "a")}-error"' in html
    assert ">Kept</textarea>" in html


def test_places_of_notes_that_the_newest_storyboard_has_no_room_for():
    session = revised()  # a, b, c, then c, a, d
    html = page(session)
    left = re.findall(r'data-left-draft="([^"]+)"', html)
    gone = session.resources.get(resource_id="b")
    assert left == [f"picture:{gone.pk}", f"board:{session.pk}:1"]
    assert "data-left" not in page(session, revision=1)
    assert "data-left" not in page(reviewing())


def test_notes_on_a_storyboard_that_is_not_the_newest_any_more_warn_once():
    session = reviewing()
    client = signed_in(session)
    says(session)
    shows(session, "x")

    answer = post(client, session, "changes", revision=1, message="Darker", token=tokens.new())
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "A newer storyboard came while you wrote" in html
    assert "Darker</textarea>" in html
    assert sent() == []

    (revision,) = re.findall(r'name="revision" value="(\d+)"', html)
    (token,) = re.findall(r'name="token" value="([^"]+)"', html)
    post(client, session, "changes", revision=revision, message="Darker", token=token)
    assert sent() == ["Darker"]


def test_what_others_said_while_the_notes_were_written_is_shown_before_they_go_out():
    session = revised()
    me, other = signed_in(session), signed_in(session)
    seen = field(me.get(reverse("sessions:storyboard", args=[session.pk])).content.decode(), "seen")
    other.post(
        reverse("sessions:send", args=[session.pk]), {"token": tokens.new(), "message": "Make it <blue>"}
    )

    notes = {note_on(session, "c"): "Darker"}
    shown = post(me, session, "notes", revision=3, seen=seen, **notes).content.decode()
    assert "This came while you wrote" in shown
    assert "Make it &lt;blue&gt;" in shown
    other.post(reverse("sessions:send", args=[session.pk]), {"token": tokens.new(), "message": "Or green"})
    token = tokens.new()
    fields = {"revision": 3, "message": "Darker", "token": token}
    refused = post(me, session, "changes", seen=field(shown, "seen"), **fields)

    html = refused.content.decode()
    assert refused.status_code == 422
    assert "Or green" in html
    assert "Make it" not in html  # that was shown before
    assert "Darker</textarea>" in html
    assert sent() == ["Make it <blue>", "Or green"]
    assert post(me, session, "changes", seen=field(html, "seen"), **fields).status_code == 302
    assert sent() == ["Make it <blue>", "Or green", "Darker"]


def test_a_newer_storyboard_is_told_together_with_what_led_to_it():
    session = reviewing()
    client = signed_in(session)
    seen = field(client.get(reverse("sessions:storyboard", args=[session.pk])).content.decode(), "seen")
    says(session, "Brighter, please")
    shows(session, "x")
    answer = post(client, session, "changes", revision=1, seen=seen, message="Darker", token=tokens.new())
    html = answer.content.decode()
    assert "A newer storyboard came while you wrote" in html
    assert "Brighter, please" in html
    assert field(html, "seen") != seen


def test_where_others_have_to_agree_the_preview_shows_the_line_in_front():
    session = revised()
    session.workspace.settings = {"approvals_needed": 2}
    session.workspace.save()
    client = signed_in(session)
    preview = post(client, session, "notes", revision=3, **{note_on(session, "c"): "Darker"})
    assert "This is not an approval yet." in preview.content.decode()
    post(client, session, "changes", revision=3, message="Darker", token=tokens.new())
    assert sent() == ["This is not an approval yet.\n\nDarker"]


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"), [(Role.VIEWER, 403), (Role.CREATOR, 403), (Role.APPROVER, 302), (Role.ADMIN, 302)]
)
def test_who_sends_notes_while_a_storyboard_awaits_its_verdict(role: Role, status: int):
    session = revised()
    client = signed_in(session, role)
    assert client.get(reverse("sessions:storyboard", args=[session.pk])).status_code == 200
    notes = {note_on(session, "c"): "x"}
    assert post(client, session, "notes", revision=3, **notes).status_code in (200, 403)
    answer = post(client, session, "changes", revision=3, message="Darker", token=tokens.new())
    assert answer.status_code == status
    assert len(sent()) == (status == 302)


@pytest.mark.parametrize(("variant", "is_closed"), [("creator", True), ("approver", False)])
def test_notes_that_may_not_be_sent_any_more_are_told_of_it(variant: str, is_closed: bool):
    """What an open page gets when the agent begins to wait for the verdict while somebody writes notes."""
    session = revised()
    assert (
        "data-closed" in session_streams.fragments(session.pk, None, "en", f"{variant}-storyboard-2-3")
    ) is is_closed
    VideoSession.objects.update(group="working", status="thinking")
    assert "data-closed" not in session_streams.fragments(session.pk, None, "en", f"{variant}-storyboard-2-3")
    assert "notes-closed" in page(session, Role.CREATOR)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CREATOR])
def test_who_may_not_send_is_offered_nothing(role: Role):
    html = page(revised(), role)
    assert "<textarea" not in html
    assert "Approve storyboard" not in html
    assert "The storyboard awaits the verdict of an approver." in html
    assert "Approve the storyboard" not in html


def test_a_stranger_finds_nothing():
    session = revised()
    stranger = Client()
    stranger.force_login(MembershipFactory(role=Role.ADMIN).user)
    assert stranger.get(reverse("sessions:storyboard", args=[session.pk])).status_code == 404
    for name in ("notes", "changes"):
        assert post(stranger, session, name, revision=3, message="x", token=tokens.new()).status_code == 404
    assert sent() == []
