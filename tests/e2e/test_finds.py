"""Finding again what was made: several things at once from the library, and sessions by their tags."""

from __future__ import annotations

import re
import zipfile

import pytest
from django.conf import settings
from playwright.sync_api import ViewportSize, expect

from sessions_app.models import MediaFile, SessionTag, VideoSession
from tests.e2e.browsers import NARROW, PHONE, WIDE, Browsers, axe_findings, overflow
from tests.e2e.conftest import Team
from tests.e2e.test_main_job import PICTURE
from tests.factories import MediaFileFactory, ResourceFactory, VideoSessionFactory
from tests.sessions_app.storyboards import reviewing
from workspaces_app.models import Role


def picture_of(session: VideoSession, name: str) -> MediaFile:
    """A picture with a copy of ours, as the mirror leaves it."""
    file: MediaFile = MediaFileFactory(
        resource=ResourceFactory(session=session, metadata={"name": name}),
        state="stored",
        content_type="image/png",
        path=f"{session.pk}-{name}.png",
        size=len(PICTURE),
    )
    settings.MEDIA_DIR.mkdir(parents=True, exist_ok=True)
    (settings.MEDIA_DIR / file.path).write_bytes(PICTURE)
    return file


def test_a_thing_leads_to_its_session_and_a_voice_fits_its_tile(team: Team, browsers: Browsers):
    session = VideoSessionFactory(
        workspace=team.workspace, status="completed", group="done", title="A harbour"
    )
    picture_of(session, "Dawn")
    MediaFileFactory(
        resource=ResourceFactory(session=session, type="voice", metadata={"name": "Aria"}),
        role="preview",
        state="stored",
        content_type="audio/mpeg",
        path="aria.mp3",
        size=1,
    )
    page = browsers.of(team.person)
    page.goto("/library/")
    voice = page.get_by_role("listitem").filter(has_text="Aria")
    player, tile = voice.locator("audio").bounding_box(), voice.bounding_box()
    assert player is not None
    assert tile is not None
    assert player["width"] == tile["width"]
    page.get_by_role("listitem").filter(has_text="Dawn").get_by_role("link", name="A harbour").click()
    expect(page.get_by_role("heading", level=1, name="A harbour")).to_be_visible()


def test_several_things_are_chosen_and_taken_away(team: Team, browsers: Browsers):
    session = VideoSessionFactory(
        workspace=team.workspace, status="completed", group="done", title="A harbour"
    )
    for name in ("Dawn", "Noon", "Dusk", "Night"):
        picture_of(session, name)
    page = browsers.of(team.person)
    page.goto("/library/")
    chosen = page.locator("[data-picks-count]")
    away = page.get_by_role("button", name="Download chosen")
    expect(away).to_be_disabled()

    # A click, and another one with Shift: everything in between. By keyboard one less.
    page.get_by_label("Choose Night").check(force=True)
    page.get_by_label("Choose Noon").click(force=True, modifiers=["Shift"])
    expect(chosen).to_have_text("3 chosen")
    page.get_by_label("Choose Dusk").focus()
    page.keyboard.press("Space")
    expect(chosen).to_have_text("2 chosen")
    assert axe_findings(page) == []
    with page.expect_download() as download:
        away.click()
    with zipfile.ZipFile(download.value.path()) as bundle:
        pictures = {name: bundle.read(name) for name in bundle.namelist() if name.endswith(".png")}
    assert {name.rpartition("/")[2] for name in pictures} == {"noon.png", "night.png"}
    assert set(pictures.values()) == {PICTURE}

    # By keys: to the next one, tick it, look at it.
    for key in ("j", "x"):
        page.keyboard.press(key)
    expect(chosen).to_have_text("1 chosen")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Large view").get_by_role("img")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    expect(chosen).to_have_text("2 chosen")

    everything = page.get_by_label("All on this page")
    everything.check()
    expect(chosen).to_have_text("4 chosen")
    everything.uncheck()
    expect(chosen).to_have_text("")
    expect(away).to_be_disabled()


def test_a_picture_that_cannot_be_shown(team: Team, browsers: Browsers):
    session = VideoSessionFactory(workspace=team.workspace, status="completed", group="done")
    (settings.MEDIA_DIR / picture_of(session, "Dawn").path).write_bytes(b"no picture")
    page = browsers.of(team.person)
    page.goto("/library/")
    tile = page.get_by_role("listitem").filter(has_text="Dawn")
    expect(tile).to_contain_text("Picture unavailable")
    expect(tile.locator("img")).to_have_count(0)
    assert axe_findings(page) == []
    tile.get_by_role("link", name="Dawn").click()
    expect(page.get_by_role("dialog", name="Large view")).to_contain_text("Dawn: Picture unavailable")

    # One that comes later, and is nowhere.
    browsers.complaints.expect("404", "503")
    reviewing(workspace=team.workspace, title="A film")
    page.goto("/")
    page.keyboard.press("j")
    expect(page.get_by_role("region", name="The chosen session")).to_contain_text("Picture unavailable")


def test_tags_are_put_on_found_by_and_taken_off(team: Team, browsers: Browsers):
    tagged, other = (
        VideoSessionFactory(workspace=team.workspace, status="completed", group="done", title=title)
        for title in ("The harbour film", "Another film")
    )
    page = browsers.of(team.person)
    page.goto(tagged.get_absolute_url())
    page.get_by_text("Add tags").click()
    field = page.get_by_label("Tags")
    field.fill("Launch, <b>spring</b>")
    assert axe_findings(page) == []
    field.press("Enter")
    expect(page.get_by_role("link", name="Launch", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="<b>spring</b>")).to_be_visible()
    assert SessionTag.objects.filter(session=tagged).count() == 2

    page.get_by_role("link", name="Launch", exact=True).click()
    expect(page).to_have_url(re.compile(r"/sessions/\?tag=Launch$"))
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("The harbour film")
    page.get_by_role("combobox", name="Tag").select_option("")
    expect(rows).to_have_count(2)

    page.goto(tagged.get_absolute_url())
    page.get_by_text("Change tags").click()
    field.fill("")
    field.press("Enter")
    expect(page.get_by_text("Add tags")).to_be_visible()
    assert not SessionTag.objects.filter(session=tagged).exists()

    viewer = browsers.of(team.member(Role.VIEWER, "Vera Viewer"))
    viewer.goto(other.get_absolute_url())
    expect(viewer.get_by_role("heading", name="Another film")).to_be_visible()
    expect(viewer.get_by_text("Add tags")).to_have_count(0)


def test_filters_by_keyboard_are_sent_when_the_choice_is_made(team: Team, browsers: Browsers):
    VideoSessionFactory(workspace=team.workspace, status="completed", group="done", title="A harbour")
    page = browsers.of(team.person)
    page.goto("/sessions/")
    person = page.get_by_role("combobox", name="Person")
    options = person.locator("option").all_inner_texts()
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.is_navigation_request() else None)
    person.focus()
    for _ in options[1:]:
        page.keyboard.press("ArrowDown")
    # Down to the last one: what was passed on the way was never asked for.
    expect(page).to_have_url(re.compile("person="))
    expect(person.locator("option:checked")).to_have_text(options[-1])
    expect(person).to_be_focused()
    assert len(asked) == 1

    page.goto("/library/")
    since = page.get_by_label("From")
    since.focus()
    page.keyboard.type("02022026")
    expect(since).to_have_value("2026-02-02")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?since=2026-02-02$"))
    assert [url for url in asked if "since" in url] == [page.url]


@pytest.mark.parametrize("size", [WIDE, PHONE, NARROW])
def test_the_library_of_a_session_with_a_long_title(size: ViewportSize, team: Team, browsers: Browsers):
    session = VideoSessionFactory(
        workspace=team.workspace, status="completed", group="done", title="A harbour " * 9
    )
    picture_of(session, "Dawn")
    page = browsers.of(team.person, viewport=size)
    page.goto(f"/library/?session={session.pk}")
    expect(page.get_by_role("link", name="Show all sessions")).to_be_attached()
    assert overflow(page) == 0
