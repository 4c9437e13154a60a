"""Pictures of every page and main state, in both themes and widths: `./run screenshots` fills `screenshots/`.

A file per picture: `<what>-<light|dark>-<wide|phone>.png`. pytest collects this module only when it is named.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from commands import tokens
from realtime_app import actions as live_actions
from realtime_app.models import Stream, StreamKind
from sessions_app import actions
from sessions_app.models import VideoSession
from tests.e2e.browsers import PHONE, WIDE, Browsers, playing
from tests.e2e.conftest import Team
from tests.installation import ROOT
from tests.processes import wait_until
from workspaces_app.models import Membership, Role

FOLDER = ROOT / "screenshots"


def take(page: Page, name: str, folder: Path = FOLDER) -> None:
    """The page as it stands, whole, four times. What is below a fold is scrolled to first, because pictures load late."""
    for width, size in (("wide", WIDE), ("phone", PHONE)):
        page.set_viewport_size(size)
        page.evaluate("document.querySelectorAll('img').forEach(image => { image.loading = 'eager' })")
        page.evaluate("Promise.allSettled([...document.images].map(image => image.decode()))")
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.screenshot(path=folder / f"{name}-{theme}-{width}.png", full_page=True)


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
    page.locator("[data-lightbox]").first.click()
    expect(page.get_by_role("dialog", name="Large view").get_by_role("img")).to_be_visible()
    take(page, "lightbox")
    page.keyboard.press("Escape")
    for box in page.locator(".tile-pick input").all()[:3]:
        box.check()
    take(page, "library-chosen")
    page.keyboard.press("?")
    take(page, "shortcuts")


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
