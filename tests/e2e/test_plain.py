"""Without JavaScript: everything reads, and a message goes out with the plain form."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.browsers import PHONE, Browsers
from tests.e2e.conftest import Team
from tests.factories import PASSWORD


def test_the_main_job_is_plain_forms_underneath(team: Team, browsers: Browsers):
    page = browsers.stranger(java_script_enabled=False)
    page.goto("/")
    page.get_by_label("E-mail address").fill(team.person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="New session").first.click()
    page.get_by_label("What should the video be about?").fill("A film about paper")
    page.get_by_role("button", name="Start the session").click()
    expect(page).to_have_url(re.compile(r"/sessions/[0-9a-f-]{36}/$"))
    session = team.workspace.video_sessions.get()
    team.until(session, "status == 'waiting_for_input'")

    page.reload()
    expect(page.get_by_text("The agent asks")).to_be_visible()
    expect(page.get_by_role("region", name="Conversation")).to_contain_text("A film about paper")
    page.get_by_label("Message to the agent").fill("Folded, never cut")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("region", name="Conversation")).to_contain_text("Folded, never cut")
    team.until(session, "status == 'reviewing'")
    team.storyboard(session)

    page.reload()
    page.get_by_role("button", name="Approve storyboard 1").first.click()
    team.until(session, "session.videos.filter(group='done', files__state='stored')", seconds=60)
    page.reload()
    expect(page.get_by_role("link", name="MP4", exact=True)).to_be_visible()
    sends = [entry["body"]["message"] for entry in team.accepted() if entry["kind"] == "send_message"]
    assert sends[0] == "Folded, never cut"
    assert len(sends) == 2


@pytest.mark.parametrize(
    "address", ["/", "/sessions/", "/library/", "/live/", "/live/new/", "/sessions/new/", "/account/"]
)
def test_every_page_reads(team: Team, browsers: Browsers, address: str):
    page = browsers.of(team.person, java_script_enabled=False, viewport=PHONE)
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    # What works only with the modules is not offered.
    assert page.get_by_text("Connecting", exact=True).count() == 0
