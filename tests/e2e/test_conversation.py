"""A long conversation while it grows: the place that is read, what is new, notes beside it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db.models import F
from playwright.sync_api import Page, expect

from commands import tokens
from commands.models import Command
from polling.changes import Announcement, announce
from sessions_app import actions, reading
from sessions_app.models import Message, MessageRevision, ReadMark, VideoSession
from sessions_app.session_page import PAGE
from tests.e2e.browsers import Browsers, axe_findings
from tests.e2e.conftest import Team
from tests.e2e.test_new_session import GIVE, PAPER, PICTURE
from tests.factories import ResourceFactory, VideoSessionFactory
from tests.processes import wait_until
from workspaces_app.models import Role


def talk(team: Team, size: int, **fields: Any) -> VideoSession:
    """A conversation that HeyGen is not asked about: what comes, the test says."""
    given = {"workspace": team.workspace, "status": "completed", "group": "done", "title": "A long talk"}
    session: VideoSession = VideoSessionFactory(**{**given, **fields})
    say(session, size)
    return session


def say(session: VideoSession, number: int) -> None:
    """So many more messages, told to whoever looks."""
    session.refresh_from_db()
    first = session.message_count
    Message.objects.bulk_create(
        Message(
            session=session,
            position=position,
            role="model",
            type="text",
            content=f"Message {position}. " + "It goes on for a while. " * (position % 7),
            first_seen_at=session.status_since,
            version=session.version + 1,
        )
        for position in range(first, first + number)
    )
    VideoSession.objects.filter(pk=session.pk).update(version=F("version") + 1, message_count=first + number)
    session.refresh_from_db()
    announce([Announcement(session.workspace_id, "session", session.pk, session.version)])


def test_a_strip_stays_at_its_beginning_when_pictures_come_before_what_is_there(
    team: Team, browsers: Browsers
):
    session = talk(team, 1)
    names = ["a", "b", "c", "d", "e"]
    for place, name in enumerate(names):
        ResourceFactory(session=session, resource_id=name, message_position=0, place=place)
    session.messages.update(resource_ids=names)
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    strip = page.locator("#chat .strip")
    expect(strip.locator("li")).to_have_count(5)
    # HeyGen describes them one by one, in any order.
    strip.evaluate("list => list.prepend(...[1, 2].map(() => list.lastElementChild.cloneNode(true)))")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert strip.evaluate("list => list.scrollLeft") == 0


def test_a_banner_leaves_the_composer_in_sight(team: Team, browsers: Browsers):
    session = talk(team, 40)
    page = browsers.of(team.person)
    page.route("**/needs-you/count/*", lambda route: None)  # it would take the banner away
    page.goto(session.get_absolute_url())
    send = page.get_by_role("button", name="Send", exact=True)
    expect(send).to_be_in_viewport(ratio=1)
    page.evaluate(
        """() => {
            const banner = document.getElementById("problem").content.firstElementChild.cloneNode(true);
            banner.querySelector("p").textContent = "HeyGen cannot be reached. What you see is the last known state.";
            document.getElementById("banners").append(banner);
            scrollTo(0, 0); // as on a page that was drawn with it
        }"""
    )
    expect(page.get_by_text("HeyGen cannot be reached.")).to_be_in_viewport()
    expect(send).to_be_in_viewport(ratio=1)


def shown(page: Page) -> list[int]:
    found: list[int] = page.evaluate(
        "[...document.querySelectorAll('#chat > [data-position]')].map(one => Number(one.dataset.position))"
    )
    return found


def top_of(page: Page, position: int) -> float:
    return float(
        page.evaluate("id => document.getElementById(id).getBoundingClientRect().top", f"m{position}")
    )


def test_older_messages_come_above_what_is_read_and_new_ones_are_counted_below(
    team: Team, browsers: Browsers
):
    size = 3 * PAGE + 10
    session = talk(team, size)
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    expect(page.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible()
    expect(page.get_by_text(f"Message {size - 1}.")).to_be_in_viewport()
    assert shown(page) == list(range(size - PAGE, size))

    # From the very top, where browsers do not keep the place by themselves; by keyboard.
    page.evaluate("document.querySelector('.talk-scroll').scrollTop = 0")
    before = top_of(page, size - PAGE)
    page.get_by_role("link", name="Older messages").focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#m{size - 2 * PAGE}")).to_be_attached()
    assert shown(page) == list(range(size - 2 * PAGE, size))
    assert abs(top_of(page, size - PAGE) - before) <= 60, "the place was lost"
    assert page.evaluate("document.querySelector('#chat').contains(document.activeElement)")

    # Where it stands, not how far was scrolled: what is out of sight above may turn out higher than was reserved for it.
    here = top_of(page, size - PAGE)
    say(session, 3)
    new = page.get_by_role("button", name="3 new messages")
    expect(new).to_be_visible()
    assert top_of(page, size - PAGE) == pytest.approx(here, abs=1)
    new.click()
    expect(page.get_by_text(f"Message {size}.")).to_be_in_viewport()
    expect(new).to_be_hidden()
    wait_until(
        lambda: ReadMark.objects.filter(user=team.person, position=size + 2).exists(), what="it was read"
    )


def test_what_others_send_moves_nobody_who_reads_further_up(team: Team, browsers: Browsers):
    session = talk(team, 0)
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    expect(page.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible()
    expect(page.get_by_text("Nothing has been said yet.")).to_be_visible()
    say(session, PAGE)
    expect(page.get_by_text(f"Message {PAGE - 1}.")).to_be_in_viewport()
    expect(page.get_by_text("Nothing has been said yet.")).to_be_hidden()

    # A note is nothing that was sent.
    page.get_by_label("Note", exact=True).fill("Ask legal")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#note-list").get_by_role("listitem")).to_have_count(1)
    page.evaluate("document.querySelector('.talk-scroll').scrollTop = 0")
    expect(page.get_by_role("button", name="To the newest")).to_be_visible()
    before = top_of(page, 0)
    actions.send(
        session, text="Warm and slow", token=tokens.new(), by=team.member(Role.CREATOR, "Carl Creator")
    )
    expect(page.locator("#presses")).to_contain_text("Warm and slow")
    assert top_of(page, 0) == before

    page.get_by_label("Message to the agent").fill("Cool and fast")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#presses").get_by_text("Cool and fast")).to_be_in_viewport()


def test_a_draft_is_the_same_in_every_tab_with_what_its_writer_knew(team: Team, browsers: Browsers):
    session = talk(team, 2, status="waiting_for_input", group="needs_you")
    page = browsers.of(team.person)
    page.route(
        "**/stream/**", lambda route: None
    )  # a tab that was hidden: it has not heard of the newest message yet
    page.goto(session.get_absolute_url())
    typed, seen = page.get_by_label("Message to the agent"), page.locator("#composer-seen")
    knew = seen.input_value()
    say(session, 1)
    others = [page.context.new_page() for _ in range(2)]
    for other in others:
        other.goto(session.get_absolute_url())
        expect(other.locator("#composer-seen")).not_to_have_value(knew)
        # Nobody types there, so they follow: each other, too.
        other.evaluate("window.heard = 0; addEventListener('storage', () => { window.heard += 1 })")
    page.bring_to_front()
    typed.fill("Warm and slow")
    for other in others:
        expect(other.get_by_label("Message to the agent")).to_have_value("Warm and slow")
        expect(other.locator("#composer-seen")).to_have_value(knew)
    page.reload()
    expect(typed).to_have_value("Warm and slow")
    expect(seen).to_have_value(knew)
    assert [other.evaluate("window.heard") for other in others] == [1, 1]


def test_a_jump_leads_to_the_first_unread_message_wherever_it_is(team: Team, browsers: Browsers):
    size = 2 * PAGE + 10
    session = talk(team, size)
    reading.mark_read(session, team.person, 20)
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    jump = page.get_by_role("link", name=f"{size - 21} new since your last visit")
    jump.click()

    expect(page.locator(".unread-marker")).to_be_in_viewport()
    expect(page.locator("#m21")).to_be_in_viewport()
    assert shown(page) == list(range(21, size))
    expect(jump).to_be_hidden()

    # The next visit begins where this one ended, and the one after has nothing new.
    ReadMark.objects.filter(session=session, user=team.person).update(position=size - 3)
    page.reload()
    expect(page.locator(".unread-marker")).to_be_visible()
    assert page.locator(".unread-marker + li").get_attribute("id") == f"m{size - 2}"
    wait_until(
        lambda: ReadMark.objects.filter(user=team.person, position=size - 1).exists(), what="it was read"
    )
    page.reload()
    expect(page.locator(f"#m{size - 1}")).to_be_in_viewport()
    expect(page.locator(".unread-marker")).to_have_count(0)


def test_a_reworded_message_shows_how_it_read_before(team: Team, browsers: Browsers):
    session = talk(team, 2)
    MessageRevision.objects.create(
        message=session.messages.get(position=1),
        content="It read <b>otherwise</b>",
        replaced_at=session.status_since,
    )
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    page.get_by_role("link", name="reworded").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("It read <b>otherwise</b>")
    assert axe_findings(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="reworded")).to_be_focused()


def test_notes_are_written_changed_and_deleted_under_the_eyes_of_others(team: Team, browsers: Browsers):
    session = talk(team, 1)
    writer = browsers.of(team.member(Role.VIEWER, "Vera Viewer"))
    reader = browsers.of(team.person)
    for page in (writer, reader):
        page.goto(session.get_absolute_url())
        expect(page.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible()

    # Typed and not yet saved: it survives a reload.
    writer.get_by_label("Note", exact=True).fill("Ask legal")
    writer.reload()
    expect(writer.get_by_label("Note", exact=True)).to_have_value("Ask legal")
    writer.get_by_role("button", name="Add the note").dblclick()
    expect(writer.get_by_label("Note", exact=True)).to_have_value("")
    theirs = reader.locator("#note-list").get_by_role("listitem")
    expect(theirs).to_have_count(1)
    expect(theirs).to_contain_text("Ask legal")
    expect(reader.get_by_role("link", name="Edit or delete")).to_have_count(0)

    writer.get_by_role("link", name="Edit or delete").click()
    dialog = writer.get_by_role("dialog").first
    field = dialog.get_by_label("Note", exact=True)
    expect(field).to_have_value("Ask legal")
    field.fill("Ask finance")
    say(session, 1)  # a push sweeps nothing away
    expect(writer.get_by_text("Message 1.")).to_be_visible()
    expect(field).to_have_value("Ask finance")
    assert axe_findings(writer) == []
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(theirs).to_contain_text("Ask finance")

    writer.get_by_role("link", name="Edit or delete").click()
    dialog.get_by_role("button", name="Delete").click()
    writer.get_by_role("dialog", name="Delete this note?").get_by_role("button", name="Delete").click()
    expect(theirs).to_have_count(0)
    expect(dialog).to_be_hidden()


def test_what_was_attached_survives_a_reload_until_it_is_sent_or_taken_out(team: Team, browsers: Browsers):
    browsers.complaints.expect("429")
    session = talk(team, 2, status="waiting_for_input", group="needs_you")
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    # Words that an office program copies bring a picture of themselves along.
    page.evaluate(GIVE, ["#id_message", "paste", [PICTURE], {"text/plain": "Tea", "text/html": "<b>Tea</b>"}])
    page.evaluate(GIVE, ["#id_message", "paste", [PICTURE]])
    page.evaluate(GIVE, ["#id_message", "drop", [PAPER]])
    files = page.get_by_role("list", name="Files").get_by_role("listitem")
    expect(files).to_have_count(2)
    expect(files.and_(page.locator("[data-state=done]"))).to_have_count(2)

    page.reload()
    expect(files.and_(page.locator("[data-state=done]"))).to_have_count(2)
    assert axe_findings(page) == []
    with page.expect_response(re.compile("/remove/$")):
        page.get_by_role("button", name="Remove a.png").click()
    page.reload()
    expect(files).to_have_count(1)
    expect(files).to_contain_text("c.pdf")

    page.get_by_label("Message to the agent").fill("Use this paper")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(files).to_have_count(0)
    page.reload()
    expect(page.get_by_label("Message to the agent")).to_have_value("")
    expect(files).to_have_count(0)
    command = Command.objects.get(kind="session.send", object_id=session.pk)
    assert [item["type"] for item in command.payload["files"]] == ["asset_id"]


def test_the_whole_of_a_long_title_stays_while_news_come(team: Team, browsers: Browsers):
    session = talk(team, 2, title="A long talk " * 12)
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    page.get_by_text("Show the whole title").click()
    less = page.get_by_text("Show less of it")
    expect(less).to_be_visible()
    expect(page.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible()
    say(session, 1)
    expect(page.locator("#chat")).to_contain_text("Message 2.")
    expect(less).to_be_visible()
