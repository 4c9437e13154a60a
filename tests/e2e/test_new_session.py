"""The form of a new session in a real browser: pickers by keyboard, files, and a draft that nothing takes away."""

from __future__ import annotations

import re

from django.db.models import F
from django.test import Client
from playwright.sync_api import Page, Route, expect

from sessions_app.models import Draft
from tests.e2e.browsers import Browsers, axe_findings
from tests.e2e.conftest import Team
from tests.factories import MembershipFactory, WorkspaceFactory
from tests.processes import wait_until
from workspaces_app.models import CatalogueItem, Membership, Role

PROMPT = "What should the video be about?"
# Gives files to an element as a drop or a paste does: those events cannot be made by hand otherwise.
GIVE = """([selector, kind, files, texts]) => {
    const data = new DataTransfer();
    for (const [type, text] of Object.entries(texts ?? {})) data.items.add(text, type);
    for (const [name, type, beginning] of files) {
        data.items.add(new File([Uint8Array.from(beginning), new Uint8Array(1000)], name, {type}));
    }
    const init = {bubbles: true, cancelable: true};
    const event = kind === "drop" ? new DragEvent("drop", {...init, dataTransfer: data})
        : new ClipboardEvent("paste", {...init, clipboardData: data});
    document.querySelector(selector).dispatchEvent(event);
}"""
# HeyGen goes by what is in a file, not by what it is called.
PICTURE = ["a.png", "image/png", list(bytes.fromhex("89504e470d0a1a0a0000000d49484452"))]
PROGRAM = ["b.exe", "application/x-msdownload", list(b"MZ")]
PAPER = ["c.pdf", "application/pdf", list(b"%PDF-1.7\n")]


def opened(page: Page, address: str = "/sessions/new/") -> None:
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def saved(page: Page) -> None:
    expect(page.locator("#draft-state")).to_contain_text("Draft saved")


def test_a_choice_that_was_made_before_the_script_came_is_shown(team: Team, browsers: Browsers):
    team.wait_for_catalogue()
    page = browsers.of(team.person)
    scripts: list[Route] = []
    page.route("**/js/picker*.js", lambda route: scripts.append(route))
    page.goto("/sessions/new/", wait_until="commit")
    voice = page.locator("summary", has_text="Voice")
    voice.click()
    page.get_by_role("radiogroup", name="Voice").get_by_role("radio").nth(1).check()
    expect(voice).to_contain_text("The agent decides")
    for script in scripts:
        script.continue_()
    expect(voice).not_to_contain_text("The agent decides")


def test_pickers_by_keyboard(team: Team, browsers: Browsers):
    team.wait_for_catalogue()
    aria = CatalogueItem.objects.filter(workspace=team.workspace, name="Aria")
    wait_until(aria.exists, seconds=30, what="the public voices are read")
    page = browsers.of(team.person)
    opened(page)
    page.locator("summary", has_text="Voice").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("aria")
    voices = page.get_by_role("radiogroup", name="Voice")
    expect(voices.get_by_role("radio")).to_have_count(2)  # "the agent decides" stays
    page.keyboard.press("Enter")  # must not send the form
    page.keyboard.press("ArrowDown")
    expect(voices.get_by_role("radio", name="The agent decides")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(voices.get_by_role("radio", name=re.compile("^Aria"))).to_be_checked()
    look = page.locator("details[open] [data-picker-look]")
    expect(look).to_contain_text("Aria")

    page.keyboard.press("p")
    page.wait_for_function("() => document.querySelector('details[open] audio').currentTime > 0")
    page.keyboard.press("p")
    page.keyboard.press("f")
    expect(look.get_by_role("button", name="Team favourite")).to_have_attribute("aria-pressed", "true")
    assert aria.get().favourite
    assert axe_findings(page) == []

    page.keyboard.press("Enter")
    expect(page.locator("summary", has_text="Voice")).to_be_focused()
    expect(page.locator("summary", has_text="Voice")).to_contain_text("Aria")
    expect(look).to_have_count(0)
    saved(page)
    assert Draft.objects.get(owner=team.person).fields["voice_id"]
    assert not team.workspace.video_sessions.exists()


def test_what_is_searched_last_is_what_is_shown_and_opens_no_button(team: Team, browsers: Browsers):
    team.wait_for_catalogue()
    aria = CatalogueItem.objects.filter(workspace=team.workspace, name="Aria")
    wait_until(aria.exists, seconds=30, what="the public voices are read")
    page = browsers.of(team.person)
    opened(page)
    page.locator("summary", has_text="Voice").click()
    search = page.get_by_role("searchbox", name="Search: Voice")
    voices = page.get_by_role("radiogroup", name="Voice").get_by_role("radio")
    page.route(
        "**/choices/voice/?*voice-search=a&*", lambda route: None
    )  # no answer ever comes to the first letter
    for text in ("a", "ar", "aria"):
        with page.expect_request(f"**/choices/voice/?*voice-search={text}&*"):
            search.fill(text)
    expect(voices).to_have_count(2)  # "the agent decides" stays

    posted: list[Route] = []
    page.route(
        "**/sessions/new/",
        lambda route: posted.append(route) if route.request.method == "POST" else route.continue_(),
    )
    start = page.get_by_role("button", name="Start the session")
    page.get_by_label(PROMPT).fill("A film about tea")
    start.click()
    expect(start).to_have_attribute("aria-disabled", "true")
    search.fill("")
    expect(voices).not_to_have_count(2)
    expect(start).to_have_attribute("aria-disabled", "true")
    posted[0].continue_()
    page.wait_for_url("**/sessions/*-*/")


def test_another_workspace_is_chosen_by_keyboard(team: Team, browsers: Browsers):
    names = ["Zinnia", "Zither"]  # after the team's own
    for name in names:
        MembershipFactory(user=team.person, workspace=WorkspaceFactory(name=name), role=Role.ADMIN)
    page = browsers.of(team.person)
    opened(page, f"/sessions/new/?workspace={team.workspace.slug}")
    page.get_by_label("Workspace").focus()
    for name in names:  # one after the other: those on the way are no choice yet
        page.keyboard.press("ArrowDown")
        expect(page.get_by_label("Workspace").locator("option:checked")).to_have_text(name)
    expect(page.get_by_text("In Zither.")).to_be_visible()


def test_a_form_that_is_drawn_again_still_counts(team: Team, browsers: Browsers):
    browsers.complaints.expect("422")
    page = browsers.of(team.person)
    opened(page)
    page.get_by_label(PROMPT).fill("A film")
    page.get_by_label("Files by address").fill("nonsense")
    page.get_by_role("button", name="Start the session").click()
    expect(page.get_by_text("is no https address")).to_be_visible()
    expect(page.locator("[data-counter=id_prompt]")).to_have_text("6 / 10,000")


def test_files_by_drop_and_paste(team: Team, browsers: Browsers):
    browsers.complaints.expect("503", "422", "429")  # HeyGen's limits: the page asks again by itself
    page = browsers.of(team.person)
    opened(page)
    page.get_by_label(PROMPT).fill("A film about paper")
    team.simulator.control.fault("status", "/v3/assets", method="POST", status=503)
    page.evaluate(GIVE, ["[data-drop]", "drop", [PICTURE, PROGRAM]])
    row = page.get_by_role("listitem").filter(has_text="a.png")
    expect(row).to_have_attribute("data-state", "failed")
    expect(page.get_by_role("listitem").filter(has_text="b.exe")).to_contain_text("HeyGen takes PNG")
    # Only the one that failed is sent again, and a form that comes back with an error keeps both.
    page.get_by_label("Files by address").fill("http://example.com/a.pdf")
    page.get_by_role("button", name="Start the session").click()
    expect(page.get_by_text("is no https address of a file")).to_be_visible()
    row.get_by_role("button", name="Try again").click()
    expect(row).to_have_attribute("data-state", "done")
    page.evaluate(GIVE, ["#id_prompt", "paste", [PAPER]])
    pasted = page.get_by_role("listitem").filter(has_text="c.pdf")
    expect(pasted).to_have_attribute("data-state", "done")
    page.get_by_role("listitem").filter(has_text="b.exe").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("listitem").filter(has_text="b.exe")).to_have_count(0)
    wait_until(lambda: len(Draft.objects.get(owner=team.person).fields.get("uploads", ())) == 2)

    page.reload()
    expect(pasted).to_have_attribute("data-state", "done")
    addresses = page.get_by_label("Files by address")
    addresses.fill("\n".join(f"https://example.com/{number}.pdf" for number in range(19)))
    many = page.locator("[data-upload-many]")
    expect(many).to_contain_text("with the addresses these are 21")
    assert axe_findings(page) == []
    addresses.fill("")
    expect(many).to_be_hidden()
    pasted.get_by_role("button", name="Remove c.pdf").click()
    page.get_by_role("button", name="Start the session").dblclick()
    expect(page).to_have_url(re.compile(r"/sessions/[0-9a-f-]{36}/$"))
    page.wait_for_load_state()
    session = team.workspace.video_sessions.get()
    assert [item["type"] for item in session.settings["files"]] == ["asset_id"]
    assert not Draft.objects.filter(owner=team.person).exists()
    page.go_back()
    page.wait_for_url("**/sessions/new/")
    opened(page)
    expect(page.get_by_label(PROMPT)).to_have_value("")


def test_a_file_that_was_on_its_way_when_the_page_was_left(team: Team, browsers: Browsers):
    browsers.complaints.expect("net::", "Failed to load")
    page = browsers.of(team.person)
    opened(page)
    page.route("**/uploads/*/", lambda route: None)  # never answered
    page.evaluate(GIVE, ["[data-drop]", "drop", [PICTURE]])
    row = page.get_by_role("listitem").filter(has_text="a.png")
    expect(row).to_have_attribute("data-state", "sending")
    # Browsers of phones end a page without asking.
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert page.evaluate("Object.keys(sessionStorage).filter(key => key.startsWith('uploads:')).length") == 1
    page.get_by_label(PROMPT).click()  # browsers ask only where somebody has done something
    with page.expect_event("dialog") as asked:
        page.evaluate("setTimeout(() => location.reload())")
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    expect(row).to_have_attribute("data-state", "sending")

    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(row).to_contain_text("Not kept")
    assert axe_findings(page) == []
    row.get_by_role("button", name="Remove the file").click()
    page.reload()
    opened(page)
    expect(row).to_have_count(0)


def test_a_page_that_was_drawn_before_its_own_save_arrived(team: Team, browsers: Browsers):
    page = browsers.of(team.person)
    opened(page)
    prompt = page.get_by_label(PROMPT)
    saves: list[Route] = []

    def first_save_waits(route: Route) -> None:
        if saves:
            route.continue_()
        else:
            saves.append(route)

    def drawn_before_it(route: Route) -> None:
        if route.request.method != "GET":
            route.continue_()
            return
        drawn = route.fetch()
        saves[0].fulfill(response=saves[0].fetch())
        answer = saves[0].request.response()
        assert answer is not None
        answer.finished()
        route.fulfill(response=drawn)

    page.route("**/sessions/new/draft/", first_save_waits)
    page.route("**/sessions/new/", drawn_before_it)
    for text in ("A film about tea", "A film about green tea"):  # without a draft before, and with one
        saves.clear()
        with page.expect_request("**/sessions/new/draft/"):
            prompt.fill(text)
        with page.expect_response(
            lambda answer: answer.request.method == "POST" and answer.url.endswith("/new/")
        ):
            page.reload()  # what was kept is given back, saved and drawn
        expect(page.locator("#new-session")).not_to_have_attribute("aria-busy", "true")
        expect(prompt).to_have_value(text)
        assert Draft.objects.get(owner=team.person).fields["prompt"] == text
    page.unroute_all()

    # What was saved and then discarded elsewhere does not come back.
    page.get_by_label("Straight through").check()
    wait_until(lambda: Draft.objects.get(owner=team.person).fields.get("mode") == "generate")
    page.wait_for_function("!Object.keys(localStorage).some(key => key.startsWith('draft-form'))")
    Draft.objects.all().delete()
    page.reload()
    expect(prompt).to_have_value("")


def test_what_was_saved_while_its_page_was_left_is_nothing_to_decide_later(team: Team, browsers: Browsers):
    page = browsers.of(team.person)
    opened(page)
    prompt = page.get_by_label(PROMPT)
    saves: list[Route] = []

    def left_after_it(route: Route) -> None:
        drawn = route.fetch()
        saves[0].fulfill(response=saves[0].fetch())
        answer = saves[0].request.response()
        assert answer is not None
        answer.finished()
        route.fulfill(response=drawn)

    page.route("**/sessions/new/draft/", lambda route: saves.append(route))
    page.route("**/library/", left_after_it)
    with page.expect_request("**/sessions/new/draft/"):
        prompt.fill("A film about tea")
    page.goto("/library/")
    page.unroute_all()
    mine = Draft.objects.filter(owner=team.person)
    assert mine.get().fields["prompt"] == "A film about tea"
    # Gone on with in another browser.
    mine.update(fields={"prompt": "A film about green tea"}, version=F("version") + 1, token="another one")

    opened(page)
    expect(prompt).to_have_value("A film about green tea")
    expect(page.locator("[data-draft-found]")).to_have_count(0)


def test_a_draft_that_nothing_takes_away(team: Team, browsers: Browsers):
    browsers.complaints.expect("409", "403", "net::", "Failed to fetch", "htmx:error")
    Membership.objects.filter(user=team.person).update(role=Role.APPROVER)
    page = browsers.of(team.person)
    opened(page)
    prompt = page.get_by_label(PROMPT)
    prompt.fill("A film about tea")
    page.get_by_label("Straight through").check()
    expect(page.get_by_role("button", name="Start and render")).to_be_visible()
    saved(page)

    # Another browser has it, and goes on with it; the first one is told before it writes over that.
    other = browsers.of(team.person)
    opened(other)
    expect(other.get_by_label(PROMPT)).to_have_value("A film about tea")
    expect(other.get_by_label("Straight through")).to_be_checked()
    other.get_by_label(PROMPT).fill("A film about green tea")
    wait_until(lambda: Draft.objects.get(owner=team.person).fields["prompt"] == "A film about green tea")
    prompt.fill("A film about black tea")
    expect(page.locator("#draft-state")).to_contain_text("Another window has saved this draft")
    assert axe_findings(page) == []
    page.get_by_role("button", name="Keep what is here").click()
    wait_until(lambda: Draft.objects.get(owner=team.person).fields["prompt"] == "A film about black tea")
    saved(page)

    # The answer to a save is lost: what the server has now is this window's own, and nothing to decide.
    def answer_is_lost(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/sessions/new/draft/", answer_is_lost)
    prompt.fill("A film about red tea")
    expect(page.locator("#draft-state")).to_contain_text("this browser keeps it")
    prompt.fill("A film about blue tea")
    page.unroute("**/sessions/new/draft/")
    page.reload()
    expect(prompt).to_have_value("A film about blue tea")
    wait_until(lambda: Draft.objects.get(owner=team.person).fields["prompt"] == "A film about blue tea")
    saved(page)

    # Without a connection this browser keeps it, also over a reload.
    page.context.set_offline(True)
    prompt.fill("A film about white tea")
    expect(page.locator("#draft-state")).to_contain_text("this browser keeps it")
    page.get_by_role("button", name="Start and render").click()
    expect(prompt).to_have_value("A film about white tea")
    page.context.set_offline(False)
    page.reload()
    expect(prompt).to_have_value("A film about white tea")
    wait_until(lambda: Draft.objects.get(owner=team.person).fields["prompt"] == "A film about white tea")
    assert not team.workspace.video_sessions.exists()

    # Signed out elsewhere, in the middle of a sentence.
    type(team.person).objects.filter(pk=team.person.pk).update(sign_in_epoch=7)
    prompt.fill("A film about no tea")
    expect(page.locator("#draft-state")).to_contain_text("You are signed out")
    team.person.refresh_from_db()
    door = Client()
    door.force_login(team.person)
    page.context.add_cookies(
        [{"name": name, "value": cookie.value, "url": browsers.url} for name, cookie in door.cookies.items()]
    )
    opened(page)
    expect(prompt).to_have_value("A film about no tea")
    wait_until(lambda: Draft.objects.get(owner=team.person).fields["prompt"] == "A film about no tea")

    page.get_by_role("button", name="Discard").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard it").click()
    expect(prompt).to_have_value("")
    expect(page.get_by_label("Talk it through")).to_be_checked()
    assert not Draft.objects.filter(owner=team.person).exists()
