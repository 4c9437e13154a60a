"""What is open beside the list of the inbox tells the truth as long as it is open."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from commands import tokens
from sessions_app import actions, approving
from sessions_app.models import VideoSession
from tests.e2e.browsers import Browsers, axe_findings
from tests.e2e.conftest import Team
from workspaces_app.models import Role


def a_review(team: Team) -> VideoSession:
    session = team.create("A film about tea [scenario: no-question]")
    team.until(session, "status == 'reviewing'")
    team.storyboard(session)
    return session


def opened(page: Page) -> Locator:
    """The pane of the one session that waits."""
    page.goto("/")
    page.wait_for_load_state()  # a key before that is heard by nobody
    page.keyboard.press("j")
    shown = page.get_by_role("region", name="The chosen session")
    expect(shown.get_by_role("button", name="Approve storyboard 1")).to_be_visible()
    return shown


def time_has_come(page: Page) -> None:
    """The page looks for news, as it does every few seconds and when another number of sessions waits."""
    page.evaluate("document.dispatchEvent(new CustomEvent('needs-you'))")


def test_an_open_pane_follows_its_session_and_keeps_what_is_typed(team: Team, browsers: Browsers):
    session = a_review(team)
    page = browsers.of(team.person)
    shown = opened(page)
    typed = shown.get_by_label("Or say what should change")
    typed.press_sequentially("Brighter")

    ben = team.member(Role.APPROVER, "Ben Approver")
    team.simulator.control.freeze()
    approving.approve(session, revision=team.storyboard(session).position, token=tokens.new(), by=ben)
    time_has_come(page)
    expect(shown).to_contain_text("An answer is on its way")
    expect(shown.get_by_role("button", name="Approve storyboard 1")).to_have_count(0)
    field = shown.locator("textarea")
    expect(field).to_be_focused()
    expect(field).to_have_value("Brighter")
    expect(shown.get_by_role("button", name="Send")).to_have_count(0)
    expect(shown.get_by_text("It cannot be sent from here just now.")).to_be_visible()
    assert axe_findings(page) == []
    field.press_sequentially(", please")
    field.press("Control+Enter")

    team.simulator.control.thaw()
    team.until(session, "status == 'completed'")
    time_has_come(page)
    expect(shown.get_by_text("Done", exact=True)).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_value("Brighter, please")
    # To one that is done it may be said what should be otherwise next time.
    expect(shown.get_by_role("button", name="Send")).to_be_visible()
    assert team.sent() == [approving.APPROVAL]


def test_what_came_while_one_looked_is_not_approved_by_a_hand_that_was_on_its_way(
    team: Team, browsers: Browsers
):
    session = a_review(team)
    page = browsers.of(team.person)
    shown = opened(page)
    typed = shown.get_by_label("Or say what should change")
    typed.fill("Darker")
    typed.press("Escape")
    ben = team.member(Role.APPROVER, "Ben Approver")
    actions.send(session, text="Redraw all of them", token=tokens.new(), by=ben)
    team.storyboard(session, after=1)
    team.until(session, "status == 'reviewing'")

    time_has_come(page)
    expect(shown.get_by_role("button", name="Approve storyboard 2")).to_be_visible()
    expect(typed).to_have_value("Darker")
    page.keyboard.press("a")
    asking = page.get_by_role("dialog", name="It changed just now")
    expect(asking).to_contain_text("What the agent shows changed while you had it open.")
    assert axe_findings(page) == []
    asking.get_by_role("button", name="Cancel").click()
    assert team.sent() == ["Redraw all of them"]

    # What was typed before is not sent past an answer that its writer did not see.
    browsers.complaints.expect("422")
    shown.get_by_role("button", name="Send").click()
    expect(shown.get_by_role("group", name="What was said meanwhile")).to_contain_text("Redraw all of them")
    time_has_come(page)
    expect(shown.get_by_role("group", name="What was said meanwhile")).to_be_visible()
    expect(typed).to_have_value("Darker")
    shown.get_by_role("button", name="Send").click()
    expect(shown).to_contain_text("Your answer is being sent.")
    expect(shown.locator("textarea")).to_have_value("")
    expect(shown.locator("textarea")).to_be_hidden()
    team.until(session, "message_count and session.messages.filter(content='Darker').exists()")
    assert team.sent() == ["Redraw all of them", "Darker"]


def test_a_creator_keeps_their_words_when_only_an_approver_may_answer(team: Team, browsers: Browsers):
    session = team.create("A film about tea")
    team.until(session, "status == 'waiting_for_input'")
    page = browsers.of(team.member(Role.CREATOR, "Carl Creator"))
    page.goto("/")
    page.wait_for_load_state()
    page.keyboard.press("j")
    shown = page.get_by_role("region", name="The chosen session")
    field = shown.get_by_label("Your answer")
    field.fill("Warm and slow")
    team.simulator.control.messages(session.remote_id, {"status": "reviewing"})
    team.until(session, "status == 'reviewing'")
    time_has_come(page)
    expect(shown.get_by_text("Storyboard to review")).to_be_visible()
    expect(field).to_have_value("Warm and slow")
    expect(shown.get_by_role("button", name=re.compile("Send|Approve"))).to_have_count(0)
