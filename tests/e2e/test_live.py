"""A live avatar: started, seen and heard, given more to say, stopped."""

from __future__ import annotations

import re

import pytest
from django.db.models.functions import Now
from playwright.sync_api import Page, expect

from realtime_app.models import Stream
from tests.e2e.browsers import PHONE, WIDE, Browsers, playing
from tests.e2e.conftest import Team
from tests.factories import StreamFactory
from tests.processes import wait_until

pytestmark = pytest.mark.lasts(25)


def pick_first(page: Page, label: str) -> None:
    """Opens the picker and takes its first choice, by keyboard; Enter closes it and starts nothing."""
    summary = page.locator("summary", has_text=label)
    summary.focus()
    page.keyboard.press("Enter")
    page.get_by_role("radiogroup", name=label).get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    expect(summary).not_to_contain_text("Choose one")
    page.keyboard.press("Enter")
    expect(summary).to_be_focused()


def test_the_list_follows_what_runs(team: Team, browsers: Browsers):
    stream = StreamFactory(workspace=team.workspace, title="A harbour")
    page = browsers.of(team.person)
    page.goto("/live/")
    streams = page.get_by_role("region", name="Live streams")
    expect(streams).to_contain_text("Live")
    Stream.objects.filter(pk=stream.pk).update(status="completed", group="completed", ended_at=Now())
    page.evaluate("document.dispatchEvent(new CustomEvent('needs-you'))")  # asks before its time
    expect(streams).to_contain_text("Ended")
    assert page.locator("[data-refresh]").count() == 0


def test_a_live_stream_is_started_watched_spoken_to_and_stopped(team: Team, browsers: Browsers):
    team.go_live()
    page = browsers.of(team.person)
    page.goto("/live/")
    page.get_by_role("link", name="Start the first one").click()
    pick_first(page, "Avatar look")
    pick_first(page, "Voice")
    page.get_by_label("Text", exact=True).fill("Welcome to the morning show. We begin with the weather.")
    expect(page.get_by_text("55 characters")).to_be_visible()
    page.get_by_role("button", name="Start the stream").click()

    expect(page).to_have_url(re.compile(r"/live/[0-9a-f-]{36}/$"))
    page.evaluate("window.neverReloaded = true")
    wait_until(playing(page, "video", from_second=1), seconds=60, what="hls.js plays")
    assert page.locator("video").evaluate("video => video.src").startswith("blob:"), "hls.js does not play it"
    spoken = page.locator("[data-words]")
    expect(spoken).to_contain_text("weather")

    field = page.get_by_label("What the avatar says next")
    field.fill("And now an umbrella for everybody")
    page.set_viewport_size(PHONE)
    field.scroll_into_view_if_needed()
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator("[data-player] video")).to_be_in_viewport(ratio=0.9)
    page.set_viewport_size(WIDE)
    field.press("Enter")
    expect(field).to_have_value("")
    expect(page.get_by_role("listitem").filter(has_text="And now an umbrella")).to_be_visible()
    expect(spoken).to_contain_text("umbrella", timeout=30_000)

    page.get_by_role("button", name="Stop the stream").click()
    page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    status = page.get_by_role("region", name="Status", exact=True)
    expect(status).to_contain_text(re.compile("Stopped|Ended|Cancel", re.IGNORECASE))
    expect(page.get_by_text("The stream has ended: it takes no more text.")).to_be_visible()
    assert page.evaluate("window.neverReloaded"), "the page was loaded again"
    assert [entry["kind"] for entry in team.accepted()] == ["create_stream", "append_text"]
