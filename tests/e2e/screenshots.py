"""Pictures of every page and main state, in both themes and widths: `./run screenshots` fills `screenshots/`.

A file per picture: `<what>-<light|dark>-<wide|phone>.png`. pytest collects this module only when it is named.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from commands import tokens
from commands.models import Command
from realtime_app import actions as live_actions
from realtime_app.models import Stream, StreamKind
from sessions_app import actions
from sessions_app.models import VideoSession
from tests.e2e.browsers import PHONE, WIDE, Browsers, playing
from tests.e2e.conftest import Team
from tests.factories import MessageFactory, VideoSessionFactory
from tests.installation import ROOT
from tests.processes import wait_until
from workspaces_app.models import Membership, Role, Workspace

FOLDER = ROOT / "screenshots"


# What is fixed to the window would stand in the middle of a long picture, and what is out of sight would be left out.
WHOLE = """() => {
    scrollTo(0, 0);
    document.body.style.position = "relative";
    const rail = document.querySelector(".rail");
    if (rail && getComputedStyle(rail).position === "fixed") rail.style.position = "absolute";
    for (const message of document.querySelectorAll(".message")) message.style.contentVisibility = "visible";
    for (const image of document.images) image.loading = "eager";
}"""
AS_BEFORE = "() => document.querySelector('.rail')?.removeAttribute('style')"
LOADED = "() => [...document.images].every(image => image.complete)"


def take(page: Page, name: str, folder: Path = FOLDER) -> None:
    """The page as it stands, whole, four times; of a dialog what is in the window."""
    for width, size in (("wide", WIDE), ("phone", PHONE)):
        page.set_viewport_size(size)
        page.evaluate(WHOLE)
        page.wait_for_function(LOADED)
        whole = page.locator("dialog[open]").count() == 0
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.screenshot(path=folder / f"{name}-{theme}-{width}.png", full_page=whole)
        page.evaluate(AS_BEFORE)


def visit(page: Page, address: str, name: str) -> None:
    page.set_viewport_size(WIDE)
    page.goto(address)
    expect(page.locator("h1").first).to_be_visible()
    for live_state in page.locator("[data-live-state]").all():
        expect(live_state).to_have_attribute("data-state", "live")
    take(page, name)


def stream(team: Team) -> Stream:
    look, voice = (
        team.workspace.catalogue.filter(kind=kind).earliest("position") for kind in ("look", "voice")
    )
    wanted = live_actions.NewStream(
        kind=StreamKind.TEXT_STREAM,
        avatar_id=look.remote_id,
        avatar_name=look.name,
        voice_id=voice.remote_id,
        voice_name=voice.name,
        text="Good morning, and welcome to the harbour. Today we look at how the new lighthouse works, step by step.",
        title="Morning show from the harbour",
    )
    return live_actions.create(team.workspace, wanted, token=tokens.new(), by=team.person)


@pytest.fixture
def folder() -> Path:
    FOLDER.mkdir(exist_ok=True)
    return FOLDER


def test_pictures_of_every_page(team: Team, browsers: Browsers, folder: Path):
    Membership.objects.filter(user=team.person).update(role=Role.ADMIN)
    team.member(Role.CREATOR, "Carl Creator")
    team.member(Role.VIEWER, "Vera Viewer")
    team.wait_for_catalogue()
    visit(browsers.stranger(), "/sign-in/", "sign-in")
    page = browsers.of(team.person)
    browsers.complaints.expect("404")
    for address, name in (
        ("/", "inbox-empty"),
        ("/sessions/", "sessions-empty"),
        ("/library/", "library-empty"),
        ("/live/", "live-empty"),
        ("/sessions/new/", "session-new"),
        ("/live/new/", "live-new"),
        ("/account/", "account"),
        ("/account/password/", "password"),
        ("/workspaces/", "workspaces"),
        (f"/workspaces/{team.workspace.slug}/", "workspace"),
        (f"/workspaces/{team.workspace.slug}/settings/", "workspace-settings"),
        (f"/workspaces/{team.workspace.slug}/key/", "workspace-key"),
        (f"/workspaces/{team.workspace.slug}/audit/", "workspace-audit"),
        ("/nowhere/", "not-found"),
    ):
        visit(page, address, name)
    page.set_viewport_size(WIDE)
    page.goto("/sessions/new/")
    for picker, name in (("Avatar look", "session-new-looks"), ("Voice", "session-new-voices")):
        page.locator("summary", has_text=picker).click()
        page.get_by_role("radiogroup", name=picker).get_by_role("radio").nth(2).check()
        take(page, name)


def test_pictures_of_sessions(team: Team, browsers: Browsers, folder: Path):
    page = browsers.of(team.person)

    def until(session: VideoSession, condition: str, name: str) -> None:
        team.until(session, condition, seconds=90)
        team.until(
            session,
            "not session.resources.filter(read_at=None).exists()"
            " and not session.resources.filter(files__state='wanted').exists()",
            seconds=90,
        )
        visit(page, session.get_absolute_url(), name)

    until(
        team.create("A film about tea [scenario: stuck-thinking] [messages: 5]"),
        "message_count >= 4",
        "session-thinking",
    )
    main = team.create("A one minute film about the new lighthouse at the harbour")
    until(main, "status == 'waiting_for_input'", "session-question")
    actions.send(main, text="Warm and personal", token=tokens.new(), by=team.person)
    until(main, "status == 'reviewing'", "session-storyboard")
    actions.send(main, text="Make the second picture darker, please", token=tokens.new(), by=team.person)
    team.storyboard(main, after=1)
    until(main, "status == 'reviewing'", "session-revision")
    actions.send(main, text="Looks good, go ahead", token=tokens.new(), by=team.person)
    visit(page, f"/sessions/new/?like={main.pk}", "session-variant")
    until(
        team.create("A film about rain [scenario: stuck-rendering]", mode="generate"),
        "status == 'generating'",
        "session-rendering",
    )
    team.until(main, "session.videos.filter(group='done', files__state='stored')", seconds=90)
    until(main, "status == 'completed'", "session-done")
    until(team.create("A film about luck [scenario: fail-message]"), "status == 'failed'", "session-failed")
    until(
        team.create("A film about stars [scenario: unknown-status]"),
        "status == 'pondering'",
        "session-unknown-status",
    )
    actions.tag(main, tags=["harbour", "spring campaign"], by=team.person)
    waiting = team.create("A film about waiting rooms")
    team.until(waiting, "status == 'waiting_for_input'")
    for address, name in (
        ("/", "inbox"),
        ("/sessions/", "sessions"),
        ("/sessions/?q=nothing+fits", "sessions-none-fits"),
        ("/library/?type=finished-video", "library-films"),
        ("/library/?source=user_uploaded", "library-none-fits"),
        (f"/library/?session={main.pk}", "library-of-a-session"),
        ("/library/", "library"),
    ):
        visit(page, address, name)
    page.set_viewport_size(WIDE)
    page.locator("[data-lightbox][data-look=image]").first.click()
    expect(page.get_by_role("dialog", name="Large view").get_by_role("img")).to_be_visible()
    take(page, "lightbox")
    page.keyboard.press("Escape")
    for box in page.locator(".tile-pick input").all()[:3]:
        box.check()
    take(page, "library-chosen")
    page.keyboard.press("?")
    take(page, "shortcuts")


def test_pictures_of_a_review(team: Team, browsers: Browsers, folder: Path):
    Workspace.objects.filter(pk=team.workspace.pk).update(settings={"approvals_needed": 2})
    session = team.create("A film about tea [scenario: no-question]")
    team.until(session, "status == 'reviewing'")
    team.storyboard(session)
    wait_until(
        lambda: not session.resources.filter(files__state="wanted").exists(), what="the pictures are copied"
    )
    page = browsers.of(team.person)
    room = f"/sessions/{session.pk}/storyboard/"
    visit(page, room, "review")
    page.get_by_label("Note on picture 2").fill("Darker, please, and the cup on the left.")
    page.get_by_label("Note on picture 3").fill("Without the cat.")
    page.get_by_role("button", name="Put the notes together").click()
    expect(page.get_by_label("Message to the agent")).to_have_value(re.compile("Without the cat"))
    take(page, "review-message")

    visit(page, session.get_absolute_url(), "approval-asked")
    page.set_viewport_size(WIDE)
    page.get_by_role("region", name="Storyboard 1").get_by_role("button", name="Approve").click()
    expect(page.get_by_role("button", name="Take it back").first).to_be_visible()
    visit(page, session.get_absolute_url(), "approval-given")
    visit(page, room, "review-approved")
    creator = browsers.of(team.member(Role.CREATOR, "Carl Creator"))
    visit(creator, session.get_absolute_url(), "approval-for-a-creator")

    actions.note(session, body="Legal wants to see the second picture first.", by=team.person)
    actions.note(session, body="Done, they are fine with it.", by=team.member(Role.VIEWER, "Vera Viewer"))
    visit(page, session.get_absolute_url(), "session-notes")
    actions.send(
        session,
        text="Make the second picture darker, please",
        token=tokens.new(),
        by=team.person,
        undecided=True,
    )
    team.storyboard(session, after=1)
    team.until(session, "status == 'reviewing'")
    visit(page, f"{room}?against=1", "review-compared")
    visit(page, f"{room}?revision=1", "review-earlier")

    page.set_viewport_size(WIDE)
    page.goto("/")
    page.route("**/inbox/*/", lambda route: None)  # never answered
    page.keyboard.press("j")
    take(page, "inbox-loading")
    page.unroute("**/inbox/*/")
    page.set_viewport_size(WIDE)
    page.goto("/")
    page.keyboard.press("j")
    expect(page.get_by_role("region", name="The chosen session")).to_contain_text("Storyboard 2")
    take(page, "inbox-review")
    page.set_viewport_size(WIDE)
    page.get_by_role("button", name="until tomorrow", exact=True).click()
    expect(page.locator("#inbox-snoozed")).to_contain_text("Tea")
    take(page, "inbox-snoozed")


def test_pictures_of_trouble(team: Team, browsers: Browsers, folder: Path):
    session = team.create("A film about tea")
    team.until(session, "status == 'waiting_for_input'")
    path = f"/v3/video-agents/{session.remote_id}"
    team.simulator.control.fault("status", path, method="POST", status=400, message="The text is not allowed")
    refused = actions.send(session, text="Something forbidden", token=tokens.new(), by=team.person)
    page = browsers.of(team.person)
    wait_until(lambda: Command.objects.get(pk=refused.pk).state == "refused", what="it is refused")
    visit(page, session.get_absolute_url(), "session-refused")
    # Nobody knows what became of it, and a person has to say: no poll may find it in the conversation.
    team.simulator.control.fault("drop", path, method="POST", count=None)
    unclear = actions.send(session, text="Did this arrive?", token=tokens.new(), by=team.person)
    wait_until(
        lambda: Command.objects.get(pk=unclear.pk).state == "unknown", seconds=60, what="its answer is lost"
    )
    Command.objects.filter(pk=unclear.pk).update(
        asks_person_since=timezone.now(), due_at=None, settle_tries=7
    )
    visit(page, f"/commands/{unclear.pk}/", "press-unclear")
    visit(page, "/", "inbox-unclear")

    long = VideoSessionFactory(
        workspace=team.workspace,
        status="waiting_for_input",
        group="needs_you",
        title="Eine sehr lange Überschrift ohne Ende, die niemand je so schreiben wollte " * 4,
        prompt="Donaudampfschifffahrtsgesellschaftskapitän" * 12,
    )
    for position, text in enumerate(
        [
            "Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrik" * 8,
            "مرحبا، هل تريد أن يكون الفيلم هادئًا أم سريعًا؟",
            "| Scene | Picture | Words |\n|---|---|---|\n"
            + "| 1 | A harbour at dawn | Good morning |\n" * 12,
            "Which of these?\n\n"
            + "\n".join(f"- {'A rather long choice ' * 5}{number}" for number in range(5)),
        ]
    ):
        MessageFactory(session=long, position=position, role="model" if position else "user", content=text)
    VideoSession.objects.filter(pk=long.pk).update(message_count=4)
    actions.tag(
        long,
        tags=[f"a tag that is as long as it may be, {number:03}" for number in range(12)],
        by=team.person,
    )
    visit(page, long.get_absolute_url(), "session-very-long")
    visit(page, "/", "inbox-very-long")
    visit(page, "/sessions/", "sessions-very-long")

    viewer = browsers.of(team.member(Role.VIEWER, "Vera Viewer"))
    browsers.complaints.expect("403")
    visit(viewer, session.get_absolute_url(), "session-for-a-viewer")
    visit(viewer, "/sessions/new/", "forbidden")
    staff = team.member(Role.ADMIN, "Otto Ops")
    staff.is_staff = staff.is_superuser = True
    staff.save(update_fields=["is_staff", "is_superuser"])
    visit(browsers.of(staff), "/ops/", "ops")

    # HeyGen does not take the key any more: what is shown is old, and the page says so.
    watched = team.create("A film about rain [scenario: stuck-thinking]")
    team.until(watched, "status == 'thinking'")
    team.simulator.control.fault("status", "/v3/*", status=401, key=team.key, count=None)
    page.set_viewport_size(WIDE)
    page.goto(watched.get_absolute_url())
    expect(page.locator("#banners")).to_contain_text("key", timeout=60_000)
    visit(page, watched.get_absolute_url(), "session-stale")
    visit(page, "/library/", "library-stale")


def test_pictures_of_a_live_stream(team: Team, browsers: Browsers, folder: Path):
    team.go_live()
    started = stream(team)
    page = browsers.of(team.person)
    visit(page, f"/live/{started.pk}/", "live-starting")
    wait_until(playing(page, "video", from_second=1), seconds=60, what="the picture plays")
    expect(page.locator("[data-words]")).to_contain_text("harbour")
    take(page, "live-playing")
    live_actions.cancel(started, token=tokens.new(), by=team.person)
    expect(page.get_by_role("region", name="Status", exact=True)).to_contain_text(
        re.compile("Ended|Stopped"), timeout=30_000
    )
    take(page, "live-ended")
    visit(page, "/live/", "live")
