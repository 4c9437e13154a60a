"""Notifications of the browser: asked for by a press only, and one when a session begins to wait behind a hidden tab."""

from __future__ import annotations

from django.utils import timezone
from playwright.sync_api import Page, expect

from sessions_app.models import VideoSession
from tests.e2e.browsers import Browsers
from tests.e2e.conftest import Team
from tests.factories import VideoSessionFactory

# The page asks every 30 s.
LOOK = 31_000
# What the page asks the browser for and shows through it, on top of the real thing.
LISTEN = """
window.asked = 0;
window.told = [];
const Real = window.Notification;
window.Notification = class extends Real {
    constructor(title, options) {
        super(title, options);
        window.told.push(`${title}: ${options.body}`);
    }
    static requestPermission() {
        window.asked += 1;
        return Real.requestPermission();
    }
};
let hidden = false;
window.hide = (now) => { hidden = now; document.dispatchEvent(new Event("visibilitychange")); };
Object.defineProperty(document, "hidden", { get: () => hidden });
Object.defineProperty(document, "visibilityState", { get: () => (hidden ? "hidden" : "visible") });
"""


def waits(team: Team, title: str) -> VideoSession:
    session: VideoSession = VideoSessionFactory(
        workspace=team.workspace,
        status="waiting_for_input",
        group="needs_you",
        title=title,
        status_since=timezone.now(),
    )
    return session


def looks_again(page: Page) -> None:
    with page.expect_response("**/needs-you/count/*"):
        page.clock.fast_forward(LOOK)
    # Another answer after that one: by now the page has done what the first one asks for.
    page.evaluate("fetch(document.body.dataset.needsYou).then((answer) => answer.json())")


def test_the_next_page_begins_with_what_was_known_to_wait(team: Team, browsers: Browsers):
    waits(team, "A film about bread")
    page = browsers.of(team.person)
    page.route("**/needs-you/count/*", lambda route: None)  # it is long in coming
    page.goto("/")
    page.goto("/library/")
    expect(page.get_by_role("link", name="Inbox 1 waiting")).to_be_visible()
    expect(page).to_have_title("(1) Library · Dailies")

    VideoSession.objects.all().delete()
    page.goto("/")
    expect(page.get_by_role("link", name="Inbox", exact=True)).to_be_visible()
    page.goto("/library/")
    expect(page).to_have_title("Library · Dailies")


def test_one_notification_when_a_session_begins_to_wait_behind_a_hidden_tab(team: Team, browsers: Browsers):
    waits(team, "An old one")
    page = browsers.of(team.person, permissions=["notifications"])
    page.add_init_script(LISTEN)
    page.clock.install()
    page.goto("/")
    with page.expect_response("**/needs-you/count/*"):
        page.clock.fast_forward(2_000)

    # Allowed by the browser, but nobody here has asked for it yet.
    page.evaluate("hide(true)")
    waits(team, "Before the press")
    looks_again(page)
    assert page.evaluate("[asked, told.length]") == [0, 0]

    page.evaluate("hide(false)")
    page.get_by_role("main").get_by_label("Notify me on this device").check()
    page.wait_for_function("() => asked === 1")

    # Whoever looks at the page is not disturbed.
    waits(team, "While one looks")
    looks_again(page)
    assert page.evaluate("told") == []

    page.evaluate("hide(true)")
    newest = waits(team, "Behind the tab")
    looks_again(page)
    page.wait_for_function("() => told.length > 0")
    looks_again(page)
    looks_again(page)
    told = page.evaluate("told")
    assert len(told) == 1
    assert told[0].startswith(f"{newest.title}: ")
    assert told[0].endswith(str(team.workspace))

    # It holds for the other pages and the next day, until it is switched off.
    page.evaluate("hide(false)")
    page.goto("/sessions/")
    page.goto("/")
    switch = page.get_by_role("main").get_by_label("Notify me on this device")
    expect(switch).to_be_checked()
    switch.uncheck()
    assert page.evaluate("asked") == 0
    with page.expect_response("**/needs-you/count/*"):
        page.clock.fast_forward(2_000)
    page.evaluate("hide(true)")
    waits(team, "After it was switched off")
    looks_again(page)
    assert page.evaluate("told") == []
