"""Whatever HeyGen sends, in whatever field: it is text on the page, inert and readable."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from commands import tokens
from realtime_app import actions
from realtime_app.models import StreamKind
from sessions_app.models import VideoSession
from tests.e2e.browsers import NARROW, Browsers, overflow
from tests.e2e.conftest import Team

SCRIPT = "<script>window.owned = 1</script>"
IMAGE = '<img src=x onerror="window.owned = 2">'
HTMX = '<div hx-get="/owned/" hx-trigger="load">swap</div><hx-partial hx-target="body">gone</hx-partial>'
LINK = "[a gift](javascript:window.owned=3) [data](data:text/html,<script>window.owned=4</script>)"
CLOSING = "</textarea></script></title>--><style>body{display:none}</style>"
ATTRIBUTE = '" onmouseover="window.owned=5" autofocus onfocus="window.owned=6" x="'
HOSTILE = " ".join((SCRIPT, IMAGE, HTMX, LINK, CLOSING, ATTRIBUTE))

RIGHT_TO_LEFT = "مرحبا بالعالم \u202eevil.exe\u202c שלום"
ODD = "Z̸̢͘a̶l̵g̴o " + "\u0301" * 40 + " 👩‍👩‍👧‍👦 \ufeff\u2028\u2029 \ud7ff \U000e0041 ﷽"
LONG = "supercalifragilistic" * 2500
HUGE = "A very long story. " * 2500


def inert(page: Page) -> None:
    """Nothing of what came from outside became an element with a will of its own."""
    assert page.evaluate("window.owned") is None
    found = page.evaluate(
        """() => [...document.querySelectorAll("main *")].flatMap((element) => [...element.attributes]
            .filter((a) => /^on/i.test(a.name) || /^\\s*(javascript|data:text|vbscript):/i.test(a.value)
                || (/^hx-/.test(a.name) && /owned/.test(a.value)))
            .map((a) => `${element.tagName} ${a.name}=${a.value}`))"""
    )
    assert found == []
    assert page.locator("main script, main style, main iframe, main object").count() == 0
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def in_session(team: Team, *steps: dict[str, Any]) -> VideoSession:
    session = team.create(f"{HOSTILE} {RIGHT_TO_LEFT} [scenario: stuck-thinking]")
    team.until(session, "status == 'thinking'")
    # What its story still has to say would come after what is said here, and take the word back.
    team.simulator.control.advance(60)
    team.simulator.control.messages(session.remote_id, *steps)
    return session


def test_words_of_the_agent_and_titles_are_text(team: Team, browsers: Browsers):
    session = in_session(
        team,
        {"title": f"Title {HOSTILE}", "say": f"Message {HOSTILE}", "type": SCRIPT},
        {"say": "**bold** and [a link](https://example.com/) stay"},
        {
            "ask": f"Which one? {HOSTILE}",
            "choices": [f"First {IMAGE}", ATTRIBUTE],
            "waits": "answer",
        },
    )
    team.until(session, "group == 'needs_you'")
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())

    conversation = page.get_by_role("region", name="Conversation")
    expect(conversation).to_contain_text("Message <script>window.owned = 1</script>")
    expect(conversation.get_by_text("bold", exact=True).first).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Title <script>")
    inert(page)
    for address in ("/", "/sessions/", "/sessions/?q=title", "/library/"):
        page.goto(address)
        inert(page)


def test_what_arrives_live_is_as_inert(team: Team, browsers: Browsers):
    session = in_session(team)
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    expect(page.get_by_role("main").get_by_text("Live", exact=True)).to_be_visible()

    team.simulator.control.messages(
        session.remote_id, {"say": f"Pushed {HOSTILE}", "title": f"New {HOSTILE}"}
    )

    expect(page.get_by_role("region", name="Conversation")).to_contain_text("Pushed <script>")
    expect(page.get_by_role("heading", level=1)).to_contain_text("New <script>")
    inert(page)


def test_status_words_and_failures_are_text(team: Team, browsers: Browsers):
    session = team.create("A film [scenario: straight]", mode="generate")
    path = "/v3/videos/*"
    team.simulator.control.fault(
        "edit",
        path,
        count=None,
        set={
            "data.status": "failed",
            "data.failure_message": f"Failed {HOSTILE}",
            "data.failure_code": SCRIPT,
            "data.title": f"Film {HOSTILE}",
            "data.video_url": "javascript:window.owned=7",
            "data.thumbnail_url": "javascript:window.owned=8",
        },
    )
    team.until(session, "session.videos.exclude(failure_message='')", seconds=60)
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    expect(page.get_by_role("main")).to_contain_text("Failed <script>")
    inert(page)

    odd = team.create("A film [scenario: stuck-thinking]")
    team.until(odd, "status == 'thinking'")
    # Its story has to be at rest, or takes the word back.
    team.simulator.control.advance(60)
    team.simulator.control.messages(odd.remote_id, {"status": f"<b>{HOSTILE}"[:200]})
    team.until(odd, "status.startswith('<b>')")
    page.goto(odd.get_absolute_url())
    expect(page.get_by_role("region", name="Status", exact=True)).to_contain_text("<b><script>")
    inert(page)
    page.goto("/sessions/")
    inert(page)


def test_refusals_of_heygen_are_text(team: Team, browsers: Browsers):
    team.simulator.control.fault(
        "status",
        "/v3/video-agents",
        method="POST",
        status=400,
        code="invalid_parameter",
        message=f"No {HOSTILE}",
        param=f"files.0 {IMAGE}",
    )
    session = team.create("A film about no")
    team.until(session, "group == 'failed'")
    page = browsers.of(team.person)
    page.goto(session.get_absolute_url())
    expect(page.get_by_role("main")).to_contain_text("No <script>")
    inert(page)
    page.goto(f"/sessions/new/?like={session.pk}")
    inert(page)


def test_resources_with_odd_types_names_and_links(team: Team, browsers: Browsers):
    team.simulator.control.fault(
        "edit",
        "/v3/video-agents/*/resources/*",
        count=None,
        set={
            "data.resource_type": f"hologram {IMAGE}",
            "data.source_type": SCRIPT,
            "data.url": "javascript:window.owned=9",
            "data.thumbnail_url": "javascript:window.owned=10",
            "data.preview_url": "data:text/html,<script>window.owned=11</script>",
            "data.metadata": {"name": HOSTILE, SCRIPT: [IMAGE]},
        },
    )
    session = team.create("A film [scenario: no-question]")
    team.until(session, "session.resources.exclude(read_at=None)", seconds=60)
    page = browsers.of(team.person)
    browsers.complaints.expect("503")  # such a link leads nowhere, and the file says so
    page.goto(session.get_absolute_url())
    inert(page)
    page.goto("/library/")
    inert(page)


def test_catalogue_names_are_text(team: Team, browsers: Browsers):
    team.wait_for_catalogue()
    team.workspace.catalogue.all().update(name=HOSTILE)
    page = browsers.of(team.person)
    for address in ("/sessions/new/", "/live/new/"):
        page.goto(address)
        for summary in page.locator("main summary").all():
            summary.click()
        inert(page)


def test_words_of_a_stream_are_text(team: Team, browsers: Browsers):
    team.go_live()
    look, voice = (
        team.workspace.catalogue.filter(kind=kind).earliest("position") for kind in ("look", "voice")
    )
    stream = actions.create(
        team.workspace,
        actions.NewStream(
            kind=StreamKind.TEXT_STREAM,
            avatar_id=look.remote_id,
            avatar_name=HOSTILE,
            voice_id=voice.remote_id,
            text=f"{HOSTILE} {RIGHT_TO_LEFT}",
            title=f"Stream {HOSTILE}",
        ),
        token=tokens.new(),
        by=team.person,
    )
    page = browsers.of(team.person)
    page.goto(f"/live/{stream.pk}/")
    expect(page.locator("[data-words]")).to_contain_text(re.compile(r"<\s*script"), timeout=40_000)
    inert(page)
    page.goto("/live/")
    inert(page)


@pytest.mark.parametrize(
    "text", [RIGHT_TO_LEFT, ODD, LONG, HUGE], ids=["right to left", "odd", "one word", "huge"]
)
def test_odd_texts_stay_readable(team: Team, browsers: Browsers, text: str):
    session = in_session(
        team,
        {"title": text[:200], "say": text},
        {"ask": text, "choices": [text[:300], "No"], "waits": "answer"},
    )
    team.until(session, "group == 'needs_you'")
    page = browsers.of(team.person, viewport=NARROW)
    page.goto(session.get_absolute_url())

    first_words = text.split()[0][:30]
    expect(page.get_by_role("region", name="Conversation")).to_contain_text(first_words)
    assert overflow(page) <= 0
    inert(page)
    if text == RIGHT_TO_LEFT:
        heading = page.get_by_role("heading", level=1)
        assert heading.evaluate("heading => getComputedStyle(heading).direction") == "rtl"
    page.goto("/sessions/")
    assert overflow(page) <= 0
