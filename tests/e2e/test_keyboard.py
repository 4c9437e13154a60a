"""The whole way through a review without a pointer, and the focus is always to be seen."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.browsers import Browsers
from tests.e2e.conftest import Team
from tests.factories import PASSWORD

# Whether the focused element differs from itself without focus: an outline or a shadow.
FOCUS_SHOWS = """() => {
    const element = document.activeElement;
    if (!element || element === document.body) return "nothing has the focus";
    const seen = [element, element.parentElement, element.closest("label, li, .search")].filter(Boolean);
    const marked = seen.flatMap((each) => [null, "::before", "::after"].map((part) => getComputedStyle(each, part))).some((style) => {
        return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== "none";
    });
    const box = element.getBoundingClientRect();
    if (!marked) return `no mark on ${element.outerHTML.slice(0, 120)}`;
    if (box.bottom < 0 || box.top > innerHeight) return `out of sight: ${element.outerHTML.slice(0, 120)}`;
    return "";
}"""


FOCUSED_NAME = """() => {
    const element = document.activeElement;
    return (element === document.body ? "" : element.labels?.[0]?.innerText || element.innerText || "").trim();
}"""


def tab_to(page: Page, name: str, *, most: int = 60) -> None:
    """Presses Tab until the focused element is called `name`; every stop on the way must show the focus."""
    for _ in range(most):
        if page.evaluate(FOCUSED_NAME) == name:
            assert page.evaluate(FOCUS_SHOWS) == ""
            return
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS_SHOWS) == ""
    raise AssertionError(f"{name!r} is not among the first {most} stops of Tab")


def test_from_the_sign_in_to_the_approval(team: Team, browsers: Browsers):
    session = team.create("A film about pianos")
    team.until(session, "status == 'waiting_for_input'")
    page = browsers.stranger()
    page.goto("/")

    tab_to(page, "E-mail address")
    page.keyboard.type(team.person.email)
    tab_to(page, "Password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("j")
    assert page.evaluate(FOCUS_SHOWS) == ""
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(session.get_absolute_url()))
    choice = page.locator("#question").get_by_role("button").first
    expect(choice).to_be_visible()
    tab_to(page, choice.inner_text())
    page.keyboard.press("Enter")

    approve = page.get_by_role("button", name="Approve storyboard 1").first
    expect(approve).to_be_visible()
    page.locator("body").evaluate("() => document.activeElement.blur()")
    page.keyboard.press("a")
    team.until(session, "status in ('generating', 'completed')")
    assert [entry["kind"] for entry in team.accepted()] == ["create_session", "send_message", "send_message"]


def test_a_plain_approval_takes_at_most_four_keys(team: Team, browsers: Browsers):
    session = team.create("A film about pianos [scenario: no-question]")
    team.until(session, "status == 'reviewing'")
    page = browsers.of(team.person)
    page.goto("/")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()

    for key in ("j", "Enter"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile(session.get_absolute_url()))
    expect(page.get_by_role("button", name="Approve storyboard 1").first).to_be_visible()
    page.keyboard.press("a")

    team.until(session, "status in ('generating', 'completed')")


def test_single_keys_can_be_switched_off(team: Team, browsers: Browsers):
    session = team.create("A film about pianos [scenario: no-question]")
    team.until(session, "status == 'reviewing'")
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    dialog.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.keyboard.press("?")

    expect(dialog).to_be_hidden()
    assert [entry["kind"] for entry in team.accepted()] == ["create_session"]
