"""Two people in two browsers; who may do what; what a signed-out browser still gets."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.browsers import Browsers, axe_findings
from tests.e2e.conftest import Team
from tests.factories import UserFactory
from tests.processes import wait_until
from workspaces_app.models import Role


def post(page: Page, address: str, **fields: str) -> int:
    """The status of a form that this browser posts, whatever buttons its page shows."""
    return int(
        page.evaluate(
            """async ([address, fields]) => {
                const body = new URLSearchParams(fields);
                const headers = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
                return (await fetch(address, {method: "POST", body, headers})).status
            }""",
            [address, fields],
        )
    )


def test_a_second_person_sees_what_the_first_does(team: Team, browsers: Browsers):
    session = team.create("A film about bread")
    team.until(session, "status == 'waiting_for_input'")
    colleague = team.member(Role.CREATOR, "Carl Creator")
    first, second = browsers.of(team.person), browsers.of(colleague)
    for page in (first, second):
        page.goto(session.get_absolute_url())
        expect(page.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible()

    typed = second.get_by_label("Message to the agent")
    typed.fill("I was about to say")
    first.get_by_label("Message to the agent").fill("Warm and slow")
    first.get_by_role("button", name="Send", exact=True).click()

    conversation = second.get_by_role("region", name="Conversation")
    expect(conversation.get_by_text("Warm and slow")).to_be_visible()
    expect(second.get_by_role("region", name="Storyboard 1").get_by_role("img").first).to_be_visible()
    expect(typed).to_have_value("I was about to say")


def send_though_it_works(page: Page) -> None:
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("dialog", name="Send it now?").get_by_role("button", name="Send it now").click()


def test_what_is_sent_while_the_agent_works_is_asked_about_first(team: Team, browsers: Browsers):
    session = team.create("A film about bread")
    team.simulator.control.freeze()
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    expect(page.get_by_text("The agent is at work.")).to_be_visible()
    typed = page.get_by_label("Message to the agent")
    typed.fill("Warm and slow")
    typed.press("Control+Enter")
    asking = page.get_by_role("dialog", name="Send it now?")
    expect(asking).to_contain_text("HeyGen may refuse")
    asking.get_by_role("button", name="Cancel").click()
    expect(asking).to_be_hidden()
    expect(typed).to_have_value("Warm and slow")

    team.simulator.control.thaw()
    expect(page.get_by_text("The agent asks")).to_be_visible()
    assert team.sent() == []
    page.get_by_role("button", name="Send", exact=True).click()
    wait_until(team.sent, what="HeyGen has the answer")
    assert team.sent() == ["Warm and slow"]


def test_an_answer_that_came_while_one_typed_is_seen_before_the_own_one_goes_out(
    team: Team, browsers: Browsers
):
    session = team.create("A film about bread [scenario: stuck-thinking]")
    team.until(session, "status == 'thinking'")
    first, second = browsers.of(team.person), browsers.of(team.member(Role.CREATOR, "Carl Creator"))
    for page in (first, second):
        page.goto(session.get_absolute_url())
        expect(page.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible()
    typed = second.get_by_label("Message to the agent")
    typed.fill("Cool and fast")
    first.get_by_label("Message to the agent").fill("Warm and slow")
    send_though_it_works(first)
    expect(
        second.get_by_role("region", name="Conversation").get_by_text("Warm and slow").first
    ).to_be_visible()

    # Also after a reload: what was typed and what was known then belong together.
    second.reload()
    expect(typed).to_have_value("Cool and fast")
    browsers.complaints.expect("422")
    send_though_it_works(second)
    notice = second.locator("#composer-errors")
    expect(notice).to_contain_text("This came while you were typing")
    expect(notice).to_contain_text("Warm and slow")
    expect(second.get_by_role("alert")).to_contain_text("Your message was not sent")
    expect(typed).to_have_value("Cool and fast")
    # It is about these words: whoever takes them back is not told about them any more.
    typed.fill("")
    expect(notice).to_have_text("")
    typed.fill("Cool and fast")

    send_though_it_works(second)
    expect(typed).to_have_value("")
    wait_until(lambda: len(team.sent()) == 2, what="both are sent")
    assert team.sent() == ["Warm and slow", "Cool and fast"]

    # Who had not begun to type has seen it: nothing is asked.
    typed.fill("One more thing")
    send_though_it_works(second)
    expect(typed).to_have_value("")


def test_an_answer_of_ones_own_from_another_device_is_seen_before_the_next_one_goes_out(
    team: Team, browsers: Browsers
):
    session = team.create("A film about bread [scenario: stuck-thinking]")
    team.until(session, "status == 'thinking'")
    laptop, tablet = browsers.of(team.person), browsers.of(team.person)
    for page in (laptop, tablet):
        page.goto(session.get_absolute_url())
        expect(page.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible()
    typed = tablet.get_by_label("Message to the agent")
    typed.fill("Cool and fast")
    # What a page sends itself is no news to it.
    for number, text in enumerate(("Warm and slow", "And short"), start=1):
        laptop.get_by_label("Message to the agent").fill(text)
        send_though_it_works(laptop)
        expect(laptop.get_by_label("Message to the agent")).to_have_value("")
        wait_until(lambda number=number: len(team.sent()) == number, what="it is sent")  # type: ignore[misc]

    browsers.complaints.expect("422")
    send_though_it_works(tablet)
    notice = tablet.locator("#composer-errors")
    expect(notice.get_by_role("listitem")).to_have_count(2)
    expect(notice).to_contain_text("You, on another page")
    expect(notice).to_contain_text("Warm and slow")
    assert axe_findings(tablet) == []
    send_though_it_works(tablet)
    expect(typed).to_have_value("")
    wait_until(lambda: len(team.sent()) == 3, what="all are sent")
    assert team.sent() == ["Warm and slow", "And short", "Cool and fast"]


def test_the_stream_of_a_signed_out_browser_ends(team: Team, browsers: Browsers):
    session = team.create("A film about bread [scenario: stuck-thinking]")
    team.until(session, "status == 'thinking'")
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    expect(page.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible()

    browsers.complaints.expect("403")  # what the stream answers from now on
    elsewhere = page.context.new_page()
    elsewhere.goto("/account/")
    elsewhere.locator("summary").filter(has_text=team.person.name).click()
    elsewhere.get_by_role("button", name="Sign out", exact=True).click()
    expect(elsewhere.get_by_role("heading", name="Sign in")).to_be_visible()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=30_000)
    assert f"next={session.get_absolute_url()}" in page.url.replace("%2F", "/")


def test_a_viewer_reads_and_cannot_send(team: Team, browsers: Browsers):
    session = team.create("A film about bread")
    team.until(session, "status == 'waiting_for_input'")
    page = browsers.of(team.member(Role.VIEWER, "Vera Viewer"))
    page.goto(session.get_absolute_url())

    expect(page.get_by_text("The agent asks")).to_be_visible()
    expect(page.get_by_text("You are a viewer here")).to_be_visible()
    assert page.get_by_label("Message to the agent").count() == 0
    assert page.locator("#question").get_by_role("button").count() == 0

    browsers.complaints.expect("403")
    address = session.get_absolute_url()
    for name in ("send", "answer", "approve", "stop"):
        assert post(page, f"{address}{name}/", message="Hello", choice="Hello", token="x") == 403
    assert [entry["kind"] for entry in team.accepted()] == ["create_session"]


def test_only_an_approver_speaks_while_a_storyboard_is_reviewed(team: Team, browsers: Browsers):
    session = team.create("A film about bread [scenario: no-question]")
    team.simulator.control.freeze()
    creator = browsers.of(team.member(Role.CREATOR, "Carl Creator"))
    creator.goto(session.get_absolute_url())
    send = creator.get_by_role("button", name="Send", exact=True)
    typed = creator.get_by_label("Message to the agent")
    expect(creator.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible()
    expect(send).to_be_visible()
    typed.fill("Looks good")

    # While the page is open the agent begins to wait: nothing is left that would be refused, and nothing typed is lost.
    team.simulator.control.thaw()
    expect(creator.get_by_text("An approver decides.")).to_be_visible()
    expect(creator.get_by_text("An approver has to answer")).to_be_visible()
    expect(send).to_be_hidden()
    assert creator.get_by_role("button", name="Approve storyboard").count() == 0
    typed.press("Control+Enter")
    creator.reload()
    expect(typed).to_have_value("Looks good")
    expect(send).to_be_hidden()
    browsers.complaints.expect("403")
    assert post(creator, f"{session.get_absolute_url()}send/", message="Looks good", token="x") == 403
    assert team.sent() == []

    approver = browsers.of(team.person)
    approver.goto(session.get_absolute_url())
    expect(approver.get_by_role("button", name="Send", exact=True)).to_be_visible()
    approver.get_by_role("button", name="Approve storyboard 1").first.click()
    expect(creator.get_by_role("region", name="Status", exact=True)).to_contain_text(
        re.compile("Rendering|Done")
    )
    expect(send).to_be_visible()
    expect(typed).to_have_value("Looks good")


def test_the_counter_leaves_room_for_the_line_that_goes_out_before_a_text(team: Team, browsers: Browsers):
    team.workspace.settings = {"approvals_needed": 2}
    team.workspace.save(update_fields=["settings"])
    session = team.create("A film about bread [scenario: no-question]")
    team.simulator.control.freeze()
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    expect(page.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible()
    counter = page.locator('[data-counter="id_message"]')
    expect(counter).to_have_text("0 / 10,000")

    team.simulator.control.thaw()
    expect(page.get_by_text("This is not an approval yet.")).to_be_visible()
    expect(counter).to_have_text("0 / 9,970")
    typed = page.get_by_label("Message to the agent")
    typed.fill("x" * 9_971)
    expect(counter).to_have_attribute("data-over", "")
    browsers.complaints.expect("422")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#composer-errors")).to_contain_text("9970 fit")
    expect(typed).to_have_value("x" * 9_971)


def test_a_stranger_finds_nothing(team: Team, browsers: Browsers):
    session = team.create("A film about secrets")
    browsers.complaints.expect("404")
    page = browsers.of(UserFactory(name="Sam Stranger"))
    answer = page.goto(session.get_absolute_url())

    assert answer is not None
    assert answer.status == 404
    assert "secrets" not in page.content()
    page.goto("/sessions/")
    assert "secrets" not in page.content()
