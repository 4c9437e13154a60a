"""However often somebody presses, one press reaches HeyGen."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.browsers import Browsers
from tests.e2e.conftest import Team
from tests.e2e.test_live import pick_first
from tests.processes import wait_until


def test_a_double_click_on_a_choice_answers_once(team: Team, browsers: Browsers):
    session = team.create("A film about bread")
    team.until(session, "status == 'waiting_for_input'")
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())

    page.locator("#question").get_by_role("button").first.dblclick()

    team.until(session, "status == 'reviewing'")
    assert len(team.sent()) == 1


def test_a_double_enter_in_the_composer_sends_once(team: Team, browsers: Browsers):
    session = team.create("A film about bread")
    team.until(session, "status == 'waiting_for_input'")
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    field = page.get_by_label("Message to the agent")
    field.fill("Calm, with few words")

    # Both in one turn of the browser: nothing can have been disabled in between by an answer. Whoever goes on typing
    # before that comes keeps what they typed.
    field.evaluate(
        """field => {
            for (let i = 0; i < 2; i++) field.dispatchEvent(
                new KeyboardEvent("keydown", {key: "Enter", ctrlKey: true, bubbles: true, cancelable: true}));
            field.value += "\\nAnd a cat";
            field.dispatchEvent(new Event("input", {bubbles: true}));
        }"""
    )
    expect(field).to_have_value("And a cat")

    team.until(session, "status == 'reviewing'")
    assert team.sent() == ["Calm, with few words"]


def test_a_form_that_is_posted_twice_starts_one_session(team: Team, browsers: Browsers):
    page = browsers.of(team.person)
    page.goto("/sessions/new/")
    page.get_by_label("What should the video be about?").fill("A film about twins")
    again = page.evaluate(
        """async () => {
            const form = document.getElementById("new-session");
            const send = () => fetch(form.action, {method: "POST", body: new FormData(form, form.querySelector("[value=start]"))});
            return (await Promise.all([send(), send(), send()])).map(answer => answer.url)
        }"""
    )

    assert len(set(again)) == 1
    assert re.search(r"/sessions/[0-9a-f-]{36}/$", again[0])
    wait_until(team.accepted, what="HeyGen has the session")
    assert team.workspace.video_sessions.count() == 1
    assert [entry["kind"] for entry in team.accepted()] == ["create_session"]


def test_back_and_resubmit_starts_no_second_session_of_the_same_form(team: Team, browsers: Browsers):
    page = browsers.of(team.person, java_script_enabled=False)
    page.goto("/sessions/new/")
    prompt = page.get_by_label("What should the video be about?")
    token = page.locator("#new-session input[name=token]")
    prompt.fill("A film about echoes")
    first_token = token.input_value()
    page.get_by_role("button", name="Start the session").click()
    expect(page).to_have_url(re.compile(r"/sessions/[0-9a-f-]{36}/$"))
    page.wait_for_load_state()

    page.go_back()
    page.wait_for_url("**/sessions/new/")
    prompt.fill("A film about echoes")
    # A browser that kept the form sends the same wish again; one that loaded it anew makes a new one.
    wishes = len({first_token, token.input_value()})
    page.get_by_role("button", name="Start the session").click()
    expect(page).to_have_url(re.compile(r"/sessions/[0-9a-f-]{36}/$"))
    assert team.workspace.video_sessions.count() == wishes


def test_a_push_to_the_avatar_is_spoken_once(team: Team, browsers: Browsers):
    team.go_live()
    page = browsers.of(team.person)
    page.goto("/live/new/")
    pick_first(page, "Avatar look")
    pick_first(page, "Voice")
    page.get_by_label("Text", exact=True).fill("One.")
    page.get_by_role("button", name="Start the stream").dblclick()
    expect(page).to_have_url(re.compile(r"/live/[0-9a-f-]{36}/$"))
    field = page.get_by_label("What the avatar says next")
    field.fill("Two and three")
    page.get_by_role("button", name="Speak", exact=True).dblclick()

    wait_until(lambda: len(team.accepted()) >= 2, seconds=30, what="HeyGen has the text")
    expect(page.get_by_role("listitem").filter(has_text="Two and three")).to_have_count(1)
    assert [entry["kind"] for entry in team.accepted()] == ["create_stream", "append_text"]
