"""Whatever dies, the page says what is true, or says that it cannot know."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from commands.models import Command
from polling.models import PollState
from tests.e2e.browsers import Browsers
from tests.e2e.conftest import Team
from tests.processes import wait_until

pytestmark = pytest.mark.lasts(90)


def test_a_web_process_killed_in_the_middle_of_a_send(team: Team, browsers: Browsers):
    session = team.create("A film about moths")
    team.until(session, "status == 'waiting_for_input'")
    browsers.complaints.expect(
        "ERR_", "net::", "Failed to fetch", "NetworkError", "htmx:error", "network error"
    )
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    field = page.get_by_label("Message to the agent")
    field.fill("Follow the light")

    team.dailies.kill("web")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("could not be reached")
    expect(field).to_have_value("Follow the light")
    team.dailies.start("web")

    # The page finds its way back by itself, and what was typed survives a reload too.
    expect(page.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible(timeout=40_000)
    page.reload()
    expect(field).to_have_value("Follow the light")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("region", name="Conversation")).to_contain_text("Follow the light")
    team.until(session, "status == 'reviewing'")
    assert team.sent() == ["Follow the light"]


def test_a_browser_without_a_network(team: Team, browsers: Browsers):
    session = team.create("A film about moths")
    team.until(session, "status == 'waiting_for_input'")
    browsers.complaints.expect("ERR_", "net::", "Failed to fetch", "htmx:error", "network error")
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    state = page.get_by_role("main").locator("[data-live-state]")
    expect(state).to_have_attribute("data-state", "live")

    page.context.set_offline(True)
    # Long before the stream's silence would tell.
    expect(state).to_have_attribute("data-state", "off", timeout=5_000)
    field = page.get_by_label("Message to the agent")
    field.fill("Follow the light")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("What you typed is still here")

    page.context.set_offline(False)
    expect(state).to_have_attribute("data-state", "live", timeout=10_000)
    expect(field).to_have_value("Follow the light")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("region", name="Conversation")).to_contain_text("Follow the light")
    # What it said is not true any more.
    expect(page.get_by_role("alert")).not_to_contain_text("What you typed is still here")
    team.until(session, "status == 'reviewing'")
    assert team.sent() == ["Follow the light"]


def test_a_worker_killed_in_the_middle_of_a_send(team: Team, browsers: Browsers):
    session = team.create("A film about moths")
    team.until(session, "status == 'waiting_for_input'")
    # HeyGen takes the message, and who would have heard so dies before it does.
    team.simulator.control.fault(
        "slow", "/v3/video-agents/*", method="POST", key=team.key, seconds=20, after=True
    )
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    page.get_by_label("Message to the agent").fill("Follow the light")
    page.get_by_role("button", name="Send", exact=True).click()
    wait_until(team.sent, what="HeyGen took it")
    assert Command.objects.get(kind="session.send", object_id=session.pk).state == "sending"

    team.dailies.kill("commands")
    try:
        page.reload()
        conversation = page.get_by_role("region", name="Conversation")
        expect(conversation).to_contain_text("Follow the light")
        expect(conversation.get_by_role("button", name="Send again")).to_have_count(0)
    finally:
        team.dailies.start("commands")
    # The agent repeats the words; only the person who said them stands beside them.
    mine = (
        conversation.get_by_role("listitem")
        .filter(has_text=str(team.person))
        .filter(has_text="Follow the light")
    )
    expect(mine.get_by_text("In the conversation")).to_be_visible(timeout=40_000)
    expect(mine).to_have_count(1)
    page.reload()
    expect(mine.get_by_text("In the conversation")).to_be_visible()
    assert team.sent() == ["Follow the light"]


def test_a_browser_closed_in_the_middle_of_a_send(team: Team, browsers: Browsers):
    session = team.create("A film about moths")
    team.until(session, "status == 'waiting_for_input'")
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    page.get_by_label("Message to the agent").fill("Follow the light")
    with page.expect_request(re.compile("/send/$")):
        page.get_by_role("button", name="Send", exact=True).click(no_wait_after=True)
    page.close()

    again = browsers.of(team.person)
    again.goto(session.get_absolute_url())
    expect(again.get_by_role("region", name="Conversation")).to_contain_text("Follow the light")
    team.until(session, "status == 'reviewing'")
    assert team.sent() == ["Follow the light"]


def test_without_a_worker_the_page_says_so_and_stops_saying_it(team: Team, browsers: Browsers):
    session = team.create("A film about moths [scenario: stuck-thinking]")
    team.until(session, "status == 'thinking'")
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    banner = page.get_by_text("No worker is running.")
    expect(page.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible()
    expect(banner).to_have_count(0)

    team.dailies.kill("worker")
    team.dailies.kill("commands")
    try:
        expect(banner.or_(page.get_by_text("May be out of date.")).first).to_be_visible(timeout=60_000)
    finally:
        team.dailies.start("worker", "commands")
    expect(banner).to_have_count(0, timeout=60_000)
    expect(page.get_by_text("May be out of date.")).to_have_count(0, timeout=60_000)


def test_an_open_page_says_when_its_own_session_cannot_be_read(team: Team, browsers: Browsers):
    session = team.create("A film about moths [scenario: stuck-thinking]")
    team.until(session, "status == 'thinking' and message_count > 0")
    page = browsers.of(team.person)
    page.clock.install()
    page.goto(session.get_absolute_url())
    status = page.get_by_role("region", name="Status", exact=True)
    expect(page.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible()
    checked = status.locator("[data-live-age] time")
    first = checked.get_attribute("datetime")

    def schedule() -> PollState:
        return PollState.objects.get(kind="session", object_id=session.pk)

    def looks() -> None:
        with page.expect_response("**/needs-you/count/*"):
            page.clock.fast_forward(31_000)

    # Nothing of it changes, so nothing is pushed: when it was read last comes with the next sign of life.
    expect(checked).not_to_have_attribute("datetime", first or "", timeout=30_000)
    path = f"/v3/video-agents/{session.remote_id}"
    team.simulator.control.fault("status", path, method="GET", status=503, count=None)
    wait_until(lambda: schedule().failures > 0, what="it cannot be read")
    looks()
    expect(status.get_by_text("May be out of date. HeyGen has trouble answering.")).to_be_visible()
    team.simulator.control.clear_faults()
    wait_until(lambda: schedule().failures == 0, seconds=30, what="it is read again")
    looks()
    expect(status.get_by_text("May be out of date.")).to_have_count(0)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_browser_whose_clock_is_off(hours: int, team: Team, browsers: Browsers):
    session = team.create("A film about moths [scenario: stuck-thinking]")
    team.until(session, "status == 'thinking'")
    page = browsers.of(team.person)
    page.add_init_script(f"""{{
        const Real = Date;
        window.Date = class extends Real {{
            constructor(...given) {{ given.length ? super(...given) : super(window.Date.now()); }}
            static now() {{ return Real.now() + {hours} * 3600000; }}
        }};
    }}""")

    def tells_the_truth() -> None:
        # It counts up, from less than a minute ago.
        expect(page.locator("time[data-when=elapsed]").first).to_have_text(re.compile(r"0:(0[1-9]|[1-5]\d)"))
        assert page.locator("time[data-when=relative]").first.inner_text() == "now"

    page.goto(session.get_absolute_url())
    tells_the_truth()
    page.goto("/sessions/")
    page.go_back()
    tells_the_truth()
