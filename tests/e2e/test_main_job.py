"""The whole main job by clicking: from signing in to the finished film, and what is found again afterwards."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from sessions_app import actions
from sessions_app.models import MediaFile
from tests.e2e.browsers import Browsers, playing
from tests.e2e.conftest import Team
from tests.factories import PASSWORD
from tests.processes import wait_until

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)

pytestmark = pytest.mark.lasts(25)


def sign_in(page: Page, email: str) -> None:
    page.goto("/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def captions_come_later(team: Team, page: Page) -> None:
    """As when HeyGen has them ready after the film: the open player gets them, and the film plays on."""
    session = team.workspace.video_sessions.get()
    subtitles = MediaFile.objects.filter(video__session=session, role="subtitles")
    wait_until(subtitles.filter(state="stored").exists, seconds=30, what="the captions are copied")
    subtitles.update(state="failed")
    page.reload()
    button = page.get_by_role("button", name="Captions")
    expect(page.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible()
    expect(button).to_be_hidden()
    film = page.locator("article video")
    film.evaluate("video => { video.muted = video.loop = true; window.film = video; return video.play() }")

    subtitles.update(state="stored")
    actions.touched(session)
    expect(button).to_be_visible()
    assert film.evaluate("video => video === window.film && !video.paused")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("() => film.textTracks[0].cues?.length > 0")
    expect(film.locator("track")).to_have_count(1)


def test_from_prompt_to_film(team: Team, browsers: Browsers):
    page = browsers.stranger()
    sign_in(page, team.person.email)

    page.get_by_role("link", name="New session").first.click()
    page.get_by_label("What should the video be about?").fill(
        "A one minute film about the lighthouse keeper's bakery"
    )
    page.get_by_text("Portrait", exact=True).click()
    page.get_by_label("Choose files").set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": PICTURE}
    )
    expect(page.get_by_role("list").filter(has_text="logo.png")).to_be_visible()
    page.get_by_role("button", name="Start the session").click()

    # From here on nothing is loaded again: a mark in the page proves it.
    expect(page).to_have_url(re.compile(r"/sessions/[0-9a-f-]{36}/$"))
    page.evaluate("window.neverReloaded = true")
    expect(page.get_by_text("The agent asks")).to_be_visible()
    question = page.locator("#question")
    question.get_by_role("button").first.click()

    storyboard = page.get_by_role("region", name="Storyboard 1")
    expect(storyboard.get_by_role("img").nth(3)).to_be_visible()  # they are described one after the other
    expect(storyboard.get_by_role("button", name="Approve storyboard 1")).to_be_visible()

    page.get_by_label("Message to the agent").fill(
        "Please make the second picture darker and add another one"
    )
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_label("Message to the agent")).to_have_value("")

    revised = page.get_by_role("region", name="Storyboard 2")
    expect(revised.get_by_role("button", name="Approve storyboard 2")).to_be_visible()
    expect(revised.get_by_text("New").first).to_be_visible()
    revised.get_by_role("button", name="Approve storyboard 2").click()

    film = page.locator("article video")
    expect(film).to_be_visible(timeout=60_000)
    assert page.evaluate("window.neverReloaded"), "the page was loaded again"
    # It came in the place of a note, into a page that was there before.
    page.get_by_label("Speed").select_option("2")
    assert film.evaluate("video => video.playbackRate") == 2
    film.evaluate("video => { video.muted = true; return video.play() }")
    wait_until(playing(page, "article video", from_second=0.5), seconds=20, what="the film plays")

    with page.expect_download() as download:
        page.get_by_role("link", name="MP4", exact=True).click()
    assert download.value.path().read_bytes()[4:8] == b"ftyp"

    captions_come_later(team, page)

    assert [entry["kind"] for entry in team.accepted()] == ["create_session", *["send_message"] * 3]
    assert team.accepted()[0]["body"]["orientation"] == "portrait"
    assert len(team.accepted()[0]["body"]["files"]) == 1

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Library").click()
    expect(page.locator("li.tile img").first).to_be_visible()
    assert (
        page.locator("li.tile img").first.evaluate("image => image.decode().then(() => image.naturalWidth)")
        > 0
    )

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Sessions").click()
    page.get_by_role("searchbox", name="Search").fill("lighthous bakery")
    page.get_by_role("searchbox", name="Search").press("Enter")
    expect(page).to_have_url(re.compile("q=lighthous"))
    expect(page.locator("tbody tr")).to_have_count(1)
