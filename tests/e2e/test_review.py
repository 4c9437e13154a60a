"""Reviewing storyboards: notes that become one message, comparison, and two people who have to agree."""

from __future__ import annotations

import re
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Locator, expect

from commands import tokens
from commands.models import Command
from sessions_app import actions
from sessions_app.models import MediaFile, VideoSession
from tests.e2e.browsers import PHONE, Browsers, axe_findings
from tests.e2e.conftest import Team
from tests.e2e.test_every_page import examine
from tests.processes import wait_until
from tests.sessions_app.presses import press_in
from workspaces_app.models import Role, Workspace


def top(part: Locator) -> float:
    box = part.bounding_box()
    assert box is not None
    return box["y"]


def copies_under_way(session: VideoSession) -> bool:
    return MediaFile.objects.filter(resource__session=session, role="main", state="wanted").exists()


def test_notes_become_a_message_and_the_next_storyboard_is_compared(team: Team, browsers: Browsers):
    session = team.create("A film about tea [scenario: no-question]")
    team.until(session, "status == 'reviewing'")
    team.storyboard(session)
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    page.get_by_role("link", name="Look closely, write notes, compare").click()
    expect(page.get_by_role("heading", name="Storyboard 1", level=1)).to_be_visible()
    # Its modules hear keys by then.
    expect(page.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible()

    page.wait_for_load_state()  # a key before that is heard by nobody
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(page.get_by_label("Note on picture 2")).to_be_focused()
    page.keyboard.type("Darker, please")
    for key in ("Escape", "j", "r"):
        page.keyboard.press(key)
    expect(page.get_by_label("Note on picture 3")).to_be_focused()
    page.reload()
    expect(page.get_by_label("Note on picture 2")).to_have_value("Darker, please")
    page.get_by_role("button", name="Put the notes together").click()
    message = page.get_by_label("Message to the agent")
    expect(message).to_have_value(re.compile("Picture 2 of [0-9]+: Darker, please$"))
    assert not Command.objects.filter(kind="session.send", object_id=session.pk).exists()
    message.fill(f"{message.input_value()}, all of it")
    page.reload()
    text = message.input_value()
    assert text.endswith("Darker, please, all of it")
    page.get_by_role("button", name="Send to the agent").click()
    expect(page.get_by_label("Note on picture 2")).to_have_value("")

    # The page says by itself that a newer one came.
    team.storyboard(session, after=1)
    wait_until(lambda: not copies_under_way(session), what="all pictures are copied, and can be compared")
    page.get_by_role("link", name="What changed since this one").click()
    expect(page.get_by_role("heading", name="Storyboard 2", level=1)).to_be_visible()
    # A browser ends the lines of a form with both characters.
    assert text in [said.replace("\r\n", "\n") for role, said in team.stored_log(session) if role == "user"]
    slider = page.get_by_role("slider").first
    picture = page.locator(".wipe figure:last-child .tile-media").first
    slider.focus()
    page.keyboard.press("Home")
    everything = picture.evaluate("element => getComputedStyle(element).clipPath")
    page.keyboard.press("End")
    assert picture.evaluate("element => getComputedStyle(element).clipPath") != everything
    expect(page.locator("ins").first).to_be_visible()
    examine(page, f"/sessions/{session.pk}/storyboard/?against=1")

    # On a phone pictures come before the words about them: all that are compared, else those at a glance.
    page.set_viewport_size(PHONE)
    words, glance, pictures = (
        page.get_by_role("heading", name="What the agent wrote"),
        page.get_by_role("navigation", name="Pictures at a glance"),
        page.locator(".shots"),
    )
    assert top(glance) < top(pictures) < top(words)
    page.goto(f"/sessions/{session.pk}/storyboard/")
    assert top(glance) < top(words) < top(pictures)


def test_a_creators_notes_wait_while_only_an_approver_may_answer(team: Team, browsers: Browsers):
    session = team.create("A film about tea [scenario: no-question]")
    team.until(session, "status == 'reviewing'")
    team.storyboard(session)
    control = team.simulator.control
    control.messages(session.remote_id, {"status": "thinking"})
    team.until(session, "status == 'thinking'")
    page = browsers.of(team.member(Role.CREATOR, "Carl Creator"))
    page.goto(f"/sessions/{session.pk}/storyboard/")
    note, send = (
        page.get_by_label("Note on picture 1"),
        page.get_by_role("button", name="Put the notes together"),
    )
    note.fill("Brighter")
    expect(send).to_be_visible()
    expect(page.get_by_text("An approver has to answer")).to_be_hidden()

    control.messages(session.remote_id, {"status": "reviewing"})
    expect(page.get_by_text("An approver has to answer")).to_be_visible()
    expect(send).to_be_hidden()
    expect(note).to_have_value("Brighter")


def test_notes_outlive_the_storyboard_that_they_were_written_on(team: Team, browsers: Browsers):
    session = team.create("A film about tea [scenario: no-question]")
    team.until(session, "status == 'reviewing'")
    team.storyboard(session)
    page = browsers.of(team.person)
    board = f"/sessions/{session.pk}/storyboard/"
    page.goto(board)
    page.get_by_label("Note on picture 1").fill("Brighter")
    page.get_by_label("Note on picture 2").fill("Darker")
    ben = team.member(Role.APPROVER, "Ben Approver")
    actions.send(session, text="Redraw all of them", token=tokens.new(), by=ben)
    team.storyboard(session, after=1)
    team.until(session, "status == 'reviewing'")

    page.goto(board)
    left = page.get_by_role("region", name="Your notes on earlier storyboards, not sent")
    darker = left.get_by_role("listitem").filter(has_text="Storyboard 1, Picture 2")
    expect(darker).to_contain_text("Darker")
    assert axe_findings(page) == []
    darker.get_by_role("button", name="Put it into the note on all of it").click()
    expect(page.get_by_label("On all of it")).to_have_value("Darker")
    expect(page.get_by_label("On all of it")).to_be_focused()
    expect(left.get_by_role("listitem")).to_have_count(1)
    page.reload()
    expect(page.get_by_label("On all of it")).to_have_value("Darker")
    left.get_by_role("button", name="Throw it away").click()
    expect(left).to_have_count(0)

    # The note on all of it is there yet: to approve now would let it fall.
    page.get_by_role("button", name="Approve storyboard 2").click()
    asking = page.get_by_role("dialog", name="Approve without your words?")
    asking.get_by_role("button", name="Cancel").click()
    expect(asking).to_be_hidden()
    assert team.sent() == ["Redraw all of them"]

    # Ben answered while the notes were written: that is told before they go out.
    page.get_by_role("button", name="Put the notes together").click()
    expect(page.get_by_role("group", name="What was said meanwhile")).to_contain_text("Redraw all of them")
    assert axe_findings(page) == []


def test_a_note_that_is_written_after_others_went_out_outlives_a_reload(team: Team, browsers: Browsers):
    session = team.create("A film about tea [scenario: no-question]")
    team.until(session, "status == 'reviewing'")
    team.storyboard(session)
    page = browsers.of(team.person)
    page.goto(f"/sessions/{session.pk}/storyboard/")
    note = page.get_by_label("Note on picture 1")
    note.fill("Brighter")
    page.get_by_role("button", name="Put the notes together").click()
    team.simulator.control.freeze()  # the next storyboard is not to come in between
    page.get_by_role("button", name="Send to the agent").click()
    expect(note).to_have_value("")
    note.fill("But not too bright")
    page.reload()
    expect(note).to_have_value("But not too bright")


def test_two_approvers_in_two_browsers_send_once(team: Team, browsers: Browsers):
    Workspace.objects.filter(pk=team.workspace.pk).update(settings={"approvals_needed": 2})
    session = team.create("A film about tea [scenario: no-question]")
    team.until(session, "status == 'reviewing'")
    team.storyboard(session)
    ada, ben = browsers.of(team.person), browsers.of(team.member(Role.APPROVER, "Ben Approver"))
    ben.goto(f"/sessions/{session.pk}/storyboard/")
    expect(ben.get_by_text("0 of 2 approvals")).to_be_visible()

    ada.goto("/")
    ada.keyboard.press("j")
    ada.get_by_role("button", name="Approve storyboard 1").click()
    expect(ada.get_by_role("region", name="The chosen session")).to_contain_text(
        "Others have to approve, too."
    )
    expect(ben.get_by_text("1 of 2 approvals")).to_be_visible()
    expect(ben.get_by_role("group", name="Approvals")).to_contain_text("Ada Approver")
    assert [entry["kind"] for entry in team.accepted()] == ["create_session"]

    # Who approved has no button for it any more, but a way back; the other one does not see that.
    ada.goto(session.get_absolute_url())
    card = ada.get_by_role("region", name="Storyboard 1")
    again = card.get_by_role("button", name="Approve storyboard 1")
    back = card.get_by_role("button", name="Take it back")
    expect(back).to_be_visible()
    expect(again).to_be_hidden()
    expect(ben.get_by_role("button", name="Take it back")).to_be_hidden()
    assert axe_findings(ada) == []
    back.click()
    expect(again).to_be_visible()
    expect(ben.get_by_text("0 of 2 approvals")).to_be_visible()
    again.click()
    expect(back).to_be_visible()
    expect(ben.get_by_text("1 of 2 approvals")).to_be_visible()

    ben.get_by_role("button", name="Approve storyboard 1").dblclick()
    team.until(session, "status in ('generating', 'completed')")
    assert [entry["kind"] for entry in team.accepted()] == ["create_session", "send_message"]


def test_an_answer_that_never_comes_in_sight_stands_in_the_way_for_two_minutes(
    team: Team, browsers: Browsers
):
    session = team.create("A film about tea [scenario: no-question]")
    team.until(session, "status == 'reviewing'")
    team.storyboard(session)
    press_in(session, "accepted", payload={"message": "Brighter"}, by=team.person)
    browsers.complaints.expect("404", "503")
    for address in (f"/sessions/{session.pk}/", f"/sessions/{session.pk}/storyboard/"):
        page = browsers.of(team.person)
        page.clock.install()
        page.goto(address)
        approve = page.get_by_role("button", name="Approve storyboard 1")
        expect(page.get_by_text("An answer is on its way")).to_be_visible()
        expect(approve).to_have_count(0)
        page.clock.set_system_time(timezone.now() + timedelta(seconds=125))

        # Nothing has come and nobody has done anything: the time alone is over.
        expect(approve.first).to_be_visible()
        expect(page.get_by_text("An answer is on its way")).to_be_hidden()
        expect(page.get_by_text("HeyGen took an answer, but does not show it.").first).to_be_visible()
        expect(page.get_by_role("main").get_by_text("Brighter").first).to_be_visible()
        assert axe_findings(page) == []
