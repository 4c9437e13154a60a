"""Every page and main state: nothing for axe to find, nothing on the console, nothing to scroll sideways."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from commands import tokens
from polling import keys as key_states
from realtime_app.models import StreamGroup
from sessions_app import actions
from sessions_app.models import Gap, Note, VideoSession
from simulator.testing import Running
from tests.e2e.browsers import NARROW, PHONE, WIDE, WIDEST, Browsers, axe_findings, overflow
from tests.e2e.conftest import Team, a_team
from tests.factories import StreamFactory, VideoSessionFactory
from tests.installation import Installation
from tests.processes import Valkey
from tests.sessions_app.presses import press_in
from tests.sessions_app.storyboards import reviewing, says, shows
from workspaces_app.models import Membership, Role

# Headings without room for their words: they stand letter below letter.
SQUEEZED = """() => [...document.querySelectorAll("h1, h2, h3")].filter(heading => {
    const {width, height} = heading.getBoundingClientRect();
    return width > 1 && height > 3 * width;
}).map(heading => heading.textContent.trim())"""


def examine(page: Page, address: str, ready: str = "main h1") -> None:
    """One load, looked at in both themes and at all widths."""
    answer = page.goto(address)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    assert "default-src 'self'" in policy
    expect(page.locator(ready).first).to_be_visible()
    for live_state in page.locator("[data-live-state]").all():
        expect(live_state).to_have_attribute("data-state", "live")
    assert page.locator("[aria-live=polite], [role=status]").count() == 1
    assert page.locator("[aria-live=assertive], [role=alert]").count() == 1

    found = []
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        # A theme changes nothing but colours, a width nearly everything.
        for theme, only in (("light", ()), ("dark", ("color-contrast",))):
            page.emulate_media(color_scheme=theme)
            found += [f"{theme}, {size['width']} px: {finding}" for finding in axe_findings(page, only=only)]
        if overflow(page) > 0:
            found.append(f"{size['width']} px: scrolls sideways by {overflow(page)} px")
        found += [f"{size['width']} px: no room for {heading!r}" for heading in page.evaluate(SQUEEZED)]
    for size in (WIDEST, NARROW):
        page.set_viewport_size(size)
        if overflow(page) > 0:
            found.append(f"{size['width']} px: scrolls sideways by {overflow(page)} px")
    assert found == []


def test_pages_before_anything_happened(team: Team, browsers: Browsers):
    examine(browsers.stranger(), "/sign-in/")
    page = browsers.of(team.person)
    for address in (
        "/",
        "/sessions/",
        "/sessions/?q=nothing+like+this",
        "/library/",
        "/library/?type=hologram",
        "/live/",
        "/workspaces/",
        "/account/",
        "/account/password/",
    ):
        examine(page, address)


def test_forms_for_something_new(team: Team, browsers: Browsers):
    team.wait_for_catalogue()
    page = browsers.of(team.person)
    examine(page, "/sessions/new/")
    page.set_viewport_size(WIDE)
    for picker in page.locator("[data-picker] summary").all():
        picker.click()
    assert axe_findings(page) == []
    page.get_by_role("button", name="Start the session").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    assert axe_findings(page) == []
    browsers.complaints.expect("422")
    examine(page, "/live/new/")


def test_workspace_pages_of_an_admin(team: Team, browsers: Browsers):
    Membership.objects.filter(user=team.person).update(role=Role.ADMIN)
    page = browsers.of(team.person)
    overview = f"/workspaces/{team.workspace.slug}/"
    for address in (overview, f"{overview}settings/", f"{overview}key/", f"{overview}audit/"):
        examine(page, address)
    # Its table has room for its buttons.
    page.goto(overview)
    for width in (1100, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.locator(".table-wrap").evaluate("box => box.scrollWidth - box.clientWidth") == 0


@dataclass(frozen=True)
class State:
    """A session whose page is looked at as soon as `condition` is true."""

    name: str
    prompt: str
    condition: str
    mode: str = "chat"


STATES = (
    State("thinking", "A film about tea [scenario: stuck-thinking] [messages: 5]", "message_count >= 4"),
    State("question", "A film about tea", "status == 'waiting_for_input'"),
    State("storyboard", "A film about tea [scenario: no-question]", "status == 'reviewing'"),
    State("rendering", "A film about tea [scenario: stuck-rendering]", "status == 'generating'", "generate"),
    State("done", "A film about tea [scenario: straight]", "session.videos.filter(group='done')", "generate"),
    State("failed", "A film about tea [scenario: fail-message]", "status == 'failed'"),
)


@pytest.fixture(scope="module")
def house(site: tuple[Installation, Running, Valkey]) -> Iterator[Team]:
    """A team with a session on its way to each state: they get there together, while other pages are looked at."""
    with a_team(*site) as team:
        for state in STATES:
            team.create(state.prompt, mode=state.mode)
        yield team


def in_state(house: Team, name: str) -> VideoSession:
    state = next(each for each in STATES if each.name == name)
    session = house.workspace.video_sessions.get(prompt=state.prompt)
    house.until(session, state.condition, seconds=60)
    return session


@pytest.mark.parametrize("name", [state.name for state in STATES])
def test_a_session_in_each_state(house: Team, browsers: Browsers, name: str):
    examine(browsers.of(house.person), in_state(house, name).get_absolute_url())


def test_a_session_in_a_status_never_seen_before(team: Team, browsers: Browsers):
    session = team.create("A film about tea [scenario: stuck-thinking]")
    team.until(session, "status == 'thinking'")
    # Its story has to be at rest, or goes on from this word to the next.
    team.simulator.control.advance(60)
    team.simulator.control.messages(session.remote_id, {"status": "pondering"})
    team.until(session, "status == 'pondering'")
    examine(browsers.of(team.person), session.get_absolute_url())


def test_a_title_of_many_lines(team: Team, browsers: Browsers):
    title = "A title without an end that nobody ever wanted to write " * 5
    session = VideoSessionFactory(workspace=team.workspace, status="completed", group="done", title=title)
    page = browsers.of(team.person)
    examine(page, session.get_absolute_url())
    heading = page.get_by_role("heading", level=1)
    lines = "element => element.clientHeight / parseFloat(getComputedStyle(element).lineHeight)"
    assert round(heading.evaluate(lines)) == 3
    page.locator("summary", has_text="Show the whole title").press("Enter")
    assert round(heading.evaluate(lines)) > 3


def test_presses_that_did_not_arrive(team: Team, browsers: Browsers):
    session = team.create("A film about tea")
    team.until(session, "status == 'waiting_for_input'")
    path = f"/v3/video-agents/{session.remote_id}"
    team.simulator.control.fault("status", path, method="POST", status=400, message="The text is not allowed")
    refused = actions.send(session, text="Something forbidden", token=tokens.new(), by=team.person)
    team.simulator.control.fault("drop", path, method="POST", count=None)
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    expect(page.locator(f"#press-{refused.pk}")).to_contain_text("The text is not allowed")
    examine(page, session.get_absolute_url(), ready=f"#press-{refused.pk}")


def test_lists_with_something_in_them(house: Team, browsers: Browsers):
    for name in ("question", "done"):
        in_state(house, name)
    StreamFactory(workspace=house.workspace, group=StreamGroup.COMPLETED, status="completed")
    page = browsers.of(house.person)
    for address in ("/", "/sessions/", "/library/", "/live/"):
        examine(page, address)


@pytest.mark.parametrize("group", [StreamGroup.COMPLETED, StreamGroup.ERROR])
def test_a_live_stream_that_is_over(team: Team, browsers: Browsers, group: StreamGroup):
    stream = StreamFactory(
        workspace=team.workspace, group=group, status="completed", end_reason="idle_timeout"
    )
    examine(browsers.of(team.person), f"/live/{stream.pk}/")


def test_dialogs(house: Team, browsers: Browsers):
    page = browsers.of(house.person)
    page.goto(in_state(house, "storyboard").get_absolute_url())
    page.get_by_role("link", name="Picture 1 in large view").first.click()
    large = page.get_by_role("dialog", name="Large view")
    expect(large.get_by_role("img")).to_be_visible()
    assert axe_findings(page) == []
    # In full size the arrows lead through the picture, and what they move can have the focus.
    page.set_viewport_size(PHONE)
    page.keyboard.press("z")
    stage = large.get_by_role("group", name="Picture")
    page.keyboard.press("ArrowRight")
    assert stage.evaluate("element => element.scrollLeft") > 0
    assert axe_findings(page) == []
    page.set_viewport_size(WIDE)
    page.keyboard.press("Escape")
    expect(large).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert axe_findings(page) == []
    page.keyboard.press("Escape")


def test_pages_around_a_session(team: Team, browsers: Browsers):
    # Old enough for two pages of messages. These pictures exist nowhere.
    session = reviewing(workspace=team.workspace, title="A film about tea")
    for number in range(40):
        says(session, f"Louder, please ({number})")
    shows(session, "c", text="- Louder\n- Softer\n\n| a | table |\n|---|---|\n| of | two |")
    first = session.messages.get(position=0)
    first.revisions.create(content="An older prompt", replaced_at=timezone.now())
    Gap.objects.create(session=session, after_position=20, seen_at=timezone.now(), version=1)
    note = Note.objects.create(session=session, author=team.person, body="Looks good")
    unknown = press_in(session, "unknown", by=team.person, asks_person_since=timezone.now())
    page = browsers.of(team.person)
    browsers.complaints.expect("404", "503")
    board = reverse("sessions:storyboard", args=[session.pk])
    for address in (
        session.get_absolute_url(),
        f"{board}?revision=1",
        board,
        f"{board}?revision=99",
        f"{reverse('sessions:messages', args=[session.pk])}?from=0&before=30",
        reverse("sessions:message-earlier", args=[session.pk, 0]),
        reverse("sessions:note-edit", args=[session.pk, note.public_id]),
        reverse("sessions:press", args=[unknown.pk]),
        f"/sessions/new/?like={session.pk}",
    ):
        examine(page, address)


def test_pages_of_those_who_may_not(team: Team, browsers: Browsers):
    session = reviewing(workspace=team.workspace, title="A film about tea")
    browsers.complaints.expect("403", "404", "503")
    for role, addresses in (
        (Role.VIEWER, (session.get_absolute_url(), "/sessions/new/")),
        (Role.CREATOR, (session.get_absolute_url(), reverse("sessions:storyboard", args=[session.pk]))),
    ):
        page = browsers.of(team.member(role, f"Vera {role}"))
        for address in addresses:
            examine(page, address)


def test_pages_of_operators(team: Team, browsers: Browsers):
    team.person.is_staff = True
    team.person.save(update_fields=["is_staff"])
    page = browsers.of(team.person)
    examine(page, "/ops/")
    browsers.complaints.expect("403")
    page.goto("/admin/")
    expect(page.get_by_role("heading").first).to_be_visible()
    assert axe_findings(page) == []


def test_what_is_wrong_stands_above_every_page(team: Team, browsers: Browsers):
    key_states.close(team.workspace.key_fingerprint, seconds=None, reason="unauthorized")
    page = browsers.of(team.person)
    for address in ("/", "/sessions/new/", "/live/new/"):
        examine(page, address, ready="main [data-problem]")


@pytest.mark.parametrize(("address", "status"), [("/nowhere/", 404), ("/sessions/new/?workspace=%00", 200)])
def test_pages_of_errors(team: Team, browsers: Browsers, address: str, status: int):
    browsers.complaints.expect("404")
    page = browsers.of(team.person)
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == status
    assert axe_findings(page) == []
