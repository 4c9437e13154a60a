"""The whole way through a review without a pointer, and the focus is always to be seen."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, ViewportSize, expect

from commands.models import Command
from tests.e2e.browsers import PHONE, WIDE, Browsers, axe_findings
from tests.e2e.conftest import Team
from tests.factories import PASSWORD
from tests.processes import wait_until
from tests.sessions_app.storyboards import reviewing

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
    assert page.evaluate(FOCUS_SHOWS) == ""
    page.wait_for_load_state()  # a key before that is heard by nobody
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


def test_a_plain_approval_takes_two_keys_in_the_inbox(team: Team, browsers: Browsers):
    session = team.create("A film about pianos [scenario: no-question]")
    team.until(session, "status == 'reviewing'")
    team.storyboard(session)
    page = browsers.of(team.person)
    page.goto("/")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()

    page.keyboard.press("j")
    shown = page.get_by_role("region", name="The chosen session")
    expect(shown.get_by_role("region", name="Storyboard 1").get_by_role("img").first).to_be_visible()
    assert axe_findings(page) == []
    page.keyboard.press("a")

    expect(shown).to_contain_text("Approved. It is being sent.")
    team.until(session, "status in ('generating', 'completed')")
    # Its row stays under the hand until it is left.
    expect(page.locator("#inbox-items")).to_contain_text("No longer in this list")


def test_an_answer_takes_two_keys_in_the_inbox_and_the_next_one_follows(team: Team, browsers: Browsers):
    sessions = []
    for subject in ("pianos", "violins"):  # one after the other: so they wait in this order
        sessions.append(team.create(f"A film about {subject}"))
        team.until(sessions[-1], "status == 'waiting_for_input'")
    page = browsers.of(team.person)
    page.goto("/")
    page.keyboard.press("j")
    shown = page.get_by_role("region", name="The chosen session")
    first = shown.get_by_role("button").first
    expect(first).to_have_attribute("data-key", "1")
    expected = first.inner_text()
    page.keyboard.press("1")
    wait_until(team.sent, what="HeyGen has the answer")
    assert team.sent() == [expected]

    # Out of the answer's field, the list goes on where it was.
    page.keyboard.press("j")
    second = page.locator("#inbox-items li").nth(1)
    expect(second.get_by_role("link")).to_be_focused()
    expect(page.locator(f"[data-pane-of='{sessions[1].pk}']")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_label("Your answer")).to_be_focused()
    page.keyboard.press("Escape")
    expect(second.get_by_role("link")).to_be_focused()


def test_ten_reviews_in_a_row_without_a_pointer(team: Team, browsers: Browsers):
    now = timezone.now()
    sessions = [
        reviewing(
            workspace=team.workspace, title=f"Film {number}", status_since=now - timedelta(hours=20 - number)
        )
        for number in range(10)
    ]
    browsers.complaints.expect("404", "503")  # these pictures exist nowhere
    page = browsers.of(team.person)
    page.goto("/")

    for number, session in enumerate(sessions):
        page.keyboard.press("j")
        expect(page.locator(f"[data-pane-of='{session.pk}']")).to_be_visible()
        if number == 4:
            page.keyboard.press("s")
            expect(page.locator("#inbox-snoozed")).to_contain_text("Film 4")
            continue
        page.keyboard.press("a")
        expect(page.locator("#inbox-pane .pane-outcome")).to_be_visible()

    approvals = Command.objects.filter(workspace=team.workspace, kind="session.send").in_order()
    assert [(command.object_id, command.payload["revision"]) for command in approvals] == [
        (session.pk, 1) for number, session in enumerate(sessions) if number != 4
    ]


def test_words_that_no_field_takes_are_no_commands(team: Team, browsers: Browsers):
    reviewing(workspace=team.workspace, title="Film 1")
    browsers.complaints.expect("404", "503")  # its pictures exist nowhere
    page = browsers.of(team.person)
    page.goto("/")
    page.wait_for_load_state()
    page.keyboard.press("j")
    shown = page.get_by_role("region", name="The chosen session")
    expect(shown.get_by_role("button", name="Approve")).to_be_visible()
    page.keyboard.type("Make it a little darker")
    page.wait_for_timeout(1100)  # so long a pause ends it
    page.keyboard.press("r")
    expect(page.get_by_label("Or say what should change")).to_be_focused()
    assert not Command.objects.filter(workspace=team.workspace).exists()


def test_arrows_go_round_in_a_menu(team: Team, browsers: Browsers):
    page = browsers.of(team.person)
    page.goto("/library/")
    menu = page.locator(".account")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    last = menu.get_by_role("button", name="Sign out")
    page.keyboard.press("ArrowUp")
    expect(last).to_be_focused()
    for role, name in (
        ("button", "Keyboard shortcuts"),
        ("checkbox", "Notify me on this device"),
        ("link", "Your settings"),
    ):
        page.keyboard.press("ArrowUp")
        expect(menu.locator(":focus").and_(menu.get_by_role(role, name=name))).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu.locator("summary")).to_be_focused()


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_way_out_is_found_by_keyboard(team: Team, browsers: Browsers, size: ViewportSize):
    page = browsers.of(team.person, viewport=size)
    page.goto("/library/")
    page.wait_for_load_state()
    menu = page.locator("details[data-menu]:visible")
    summary = menu.locator("summary")
    tab_to(page, summary.inner_text().strip())

    # Whoever goes through it and beyond has closed it; whoever opens it again goes out.
    page.keyboard.press("Enter")
    stops = tab_through(page, menu)
    assert stops[-1] == "Sign out"
    assert "Your settings" in stops
    expect(menu).not_to_have_attribute("open", "")
    page.keyboard.press("Shift+Tab")
    expect(summary).to_be_focused()
    page.keyboard.press("Space")
    tab_to(page, "Sign out")
    assert axe_findings(page) == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/library/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def tab_through(page: Page, part: Locator) -> list[str]:
    """The names of what Tab reaches in it; the focus is behind it then. Each of them shows the focus."""
    names = []
    for _ in range(20):
        page.keyboard.press("Tab")
        if part.locator(":focus").count() == 0:
            return names
        assert page.evaluate(FOCUS_SHOWS) == ""
        names.append(page.evaluate(FOCUSED_NAME))
    raise AssertionError(f"no end of {names}")


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


# What lies over the middle of the focused element, or over that of the label or box that stands for it.
COVERED = """() => {
    const element = document.activeElement;
    const shown = element.matches(".visually-hidden") ? element.closest("label, .drop") : element;
    const box = shown.getBoundingClientRect();
    const top = document.elementFromPoint(box.left + box.width / 2, Math.min(box.top + box.height / 2, box.top + 20));
    const own = shown.closest("label") ?? shown;
    return !top || own.contains(top) || top.contains(own) ? "" : `${element.outerHTML.slice(0, 80)} below ${top.outerHTML.slice(0, 80)}`;
}"""


@pytest.mark.parametrize("address", ["/sessions/new/", "/live/new/", "/account/"])
def test_nothing_that_has_the_focus_is_behind_a_bar(team: Team, browsers: Browsers, address: str):
    page = browsers.of(team.person, viewport=PHONE)
    page.goto(address)
    page.locator("h1").first.wait_for()
    covered = []
    for stop in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED_NAME) == "" and page.evaluate("document.activeElement === document.body"):
            assert stop > 5
            break
        assert page.evaluate(FOCUS_SHOWS) == ""
        covered.append(page.evaluate(COVERED))
    assert [each for each in covered if each] == []


def test_the_focus_stays_where_something_went_away(team: Team, browsers: Browsers):
    for number in range(3):
        reviewing(workspace=team.workspace, title=f"Film {number}")
    session = team.create("A film about pianos")
    team.until(session, "status == 'waiting_for_input'")
    browsers.complaints.expect("404", "503")  # those pictures exist nowhere
    page = browsers.of(team.person)
    focused = page.locator(":focus")

    # The buttons of a question that is answered.
    page.goto(session.get_absolute_url())
    page.locator("#question").get_by_role("button").first.press("Enter")
    expect(page.locator("#question").get_by_role("button")).to_have_count(0)
    expect(focused).to_have_attribute("aria-label", "Your answer")
    assert page.evaluate(FOCUS_SHOWS) == ""

    # A note that is deleted in a dialog, which its own link opened.
    field = page.get_by_label("Note", exact=True)
    for body in ("The first", "The second"):
        field.fill(body)
        page.get_by_role("button", name="Add the note").click()
        expect(page.locator("#note-list")).to_contain_text(body)
    page.get_by_role("link", name="Edit or delete").first.press("Enter")
    beside = page.get_by_role("dialog", name="More about this")
    expect(beside.get_by_label("Note")).to_be_focused()
    beside.get_by_role("button", name="Delete").press("Enter")
    page.get_by_role("dialog", name="Delete this note?").get_by_role("button", name="Delete").press("Enter")
    expect(page.locator("#note-list li")).to_have_count(1)
    expect(focused).to_have_text("Edit or delete")

    # A row that is put off, and the one that is brought back.
    page.goto("/")
    rows = page.locator("#inbox-items li")
    rows.nth(1).get_by_role("button").press("Enter")
    expect(rows.nth(1)).to_have_attribute("data-gone", "")
    expect(focused).to_have_text("Film 1")
    rows.nth(2).get_by_role("button").press("Enter")
    back = page.get_by_role("button", name="Bring back Film 1")
    expect(page.locator("#inbox-snoozed li")).to_have_count(2)
    back.press("Enter")
    expect(back).to_have_count(0)
    expect(focused).to_have_text("Film 2")

    # Whoever clicks beside lets go of it.
    page.locator("h1").click()
    expect(page.get_by_role("main")).to_be_focused()
