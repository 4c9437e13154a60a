"""Starting a session: every field of the call, limits before anything is spent, once per press."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from commands import tokens
from commands.models import Command
from sessions_app import drafts
from sessions_app.forms import MAX_FILE_BYTES
from sessions_app.models import Draft, Upload, VideoSession
from simulator.testing import Running
from tests.factories import (
    CatalogueItemFactory,
    MembershipFactory,
    UserFactory,
    VideoSessionFactory,
    WorkspaceFactory,
)
from tests.sessions_app.presses import press_in
from workspaces_app.models import (
    CatalogueItem,
    CatalogueKind,
    CatalogueRead,
    Membership,
    RecentItem,
    Role,
    User,
    Workspace,
)

pytestmark = pytest.mark.django_db

ADDRESS = "/sessions/new/"
QUERIES = 20


@pytest.fixture
def workspace() -> Workspace:
    found: Workspace = WorkspaceFactory(slug="studio")
    return found


@pytest.fixture
def creator(workspace: Workspace) -> User:
    user: User = UserFactory()
    MembershipFactory(user=user, workspace=workspace, role=Role.CREATOR)
    return user


@pytest.fixture
def browser(creator: User) -> Client:
    client = Client()
    client.force_login(creator)
    return client


def filled(**fields: Any) -> dict[str, Any]:
    return {
        "do": "start",
        "token": tokens.new(),
        "workspace": "studio",
        "prompt": "A film about tea",
        "mode": "chat",
        **fields,
    }


def payload() -> dict[str, Any]:
    return Command.objects.get().payload


def errors(html: str) -> list[str]:
    return [
        re.sub(r"<[^>]+>", "", found).strip()
        for found in re.findall(r'<ul class="errors[^"]*".*?</ul>', html, re.DOTALL)
    ]


def test_a_prompt_is_enough(browser: Client, creator: User, workspace: Workspace):
    response = browser.post(ADDRESS, filled())
    session = VideoSession.objects.get()
    assert (response.status_code, response["Location"]) == (302, session.get_absolute_url())
    assert (session.owner, session.workspace, session.prompt) == (creator, workspace, "A film about tea")
    assert payload() == {"prompt": "A film about tea", "mode": "chat", "files": [], "dialect": "current"}


def test_every_field_reaches_the_call(browser: Client, creator: User, workspace: Workspace):
    upload = Upload.objects.create(
        workspace=workspace,
        owner=creator,
        filename="a.png",
        content_type="image/png",
        size=1,
        asset_id="asset-1",
    )
    Membership.objects.filter(user=creator).update(role=Role.APPROVER)
    chosen = {
        "mode": "generate",
        "orientation": "portrait",
        "avatar_id": "look-1",
        "voice_id": "voice-1",
        "style_id": "style-1",
        "brand_kit_id": "kit-1",
        "brand_glossary_id": "glossary-1",
    }
    browser.post(
        ADDRESS,
        filled(
            **chosen,
            incognito_mode="on",
            uploads=[str(upload.pk)],
            file_urls="https://example.com/a.pdf\n\nhttps://example.com/a.pdf\nhttps://example.com/b.pdf",
        ),
    )
    assert payload() == {
        "prompt": "A film about tea",
        **chosen,
        "incognito_mode": True,
        "files": [
            {"type": "asset_id", "asset_id": "asset-1"},
            {"type": "url", "url": "https://example.com/a.pdf"},
            {"type": "url", "url": "https://example.com/b.pdf"},
        ],
        "dialect": "current",
    }


def test_with_htmx_the_browser_is_sent_to_the_session(browser: Client):
    response = browser.post(ADDRESS, filled(), headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Redirect"]) == (
        200,
        VideoSession.objects.get().get_absolute_url(),
    )


def test_the_same_form_twice_is_one_session(browser: Client):
    form = filled()
    first, second = (browser.post(ADDRESS, form) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert VideoSession.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"prompt": "  "}, "This field is required."),
        ({"prompt": "x" * 10_001}, "Ensure this value has at most 10000 characters (it has 10001)."),
        (
            {"file_urls": "http://example.com/a.pdf"},
            "“http://example.com/a.pdf” is no https address of a file.",
        ),
        (
            {"file_urls": "\n".join(f"https://example.com/{n}" for n in range(21))},
            "At most 20 files can go with one message.",
        ),
    ],
)
def test_what_heygen_would_refuse_is_said_before(browser: Client, fields: dict[str, str], error: str):
    response = browser.post(ADDRESS, filled(**fields))
    html = response.content.decode()
    assert response.status_code == 422
    assert error in " ".join(errors(html)).replace("&#x27;", "'")
    assert not Command.objects.exists()


def test_nothing_typed_is_lost_when_something_is_wrong(browser: Client):
    html = browser.post(
        ADDRESS, filled(prompt="Kept\nas <typed>", mode="", orientation="portrait", brand_glossary_id="g-7")
    ).content.decode()
    assert "Kept\nas &lt;typed&gt;</textarea>" in html
    assert re.search(r'value="portrait"\s+checked', html)
    assert 'value="g-7"' in html


def test_somebody_elses_upload_cannot_be_named(browser: Client, workspace: Workspace):
    foreign = Upload.objects.create(
        workspace=workspace,
        owner=UserFactory(),
        filename="a.png",
        content_type="image/png",
        size=1,
        asset_id="x",
    )
    assert browser.post(ADDRESS, filled(uploads=[str(foreign.pk)])).status_code == 422
    assert not Command.objects.exists()


def test_a_workspace_where_one_only_looks_is_not_offered(browser: Client, creator: User):
    looked_at = WorkspaceFactory(slug="looked-at", name="Only looked at")
    MembershipFactory(user=creator, workspace=looked_at, role=Role.VIEWER)
    assert "Only looked at" not in browser.get(ADDRESS).content.decode()
    assert browser.post(ADDRESS, filled(workspace="looked-at")).status_code == 422
    assert not Command.objects.exists()


@pytest.mark.parametrize(
    ("role", "settings", "started"),
    [
        (Role.CREATOR, {}, False),
        (Role.CREATOR, {"creators_may_approve": True}, True),
        (Role.APPROVER, {}, True),
        (Role.ADMIN, {}, True),
        (Role.ADMIN, {"approvals_needed": 2}, False),
        (Role.ADMIN, {"author_may_approve": False}, False),
    ],
)
def test_a_session_that_runs_through_needs_who_could_approve_it_alone(
    browser: Client, creator: User, workspace: Workspace, role: Role, settings: dict[str, Any], started: bool
):
    Membership.objects.filter(user=creator).update(role=role)
    Workspace.objects.filter(pk=workspace.pk).update(settings=settings)
    html = browser.get(ADDRESS).content.decode()
    choice = html.partition('value="generate"')[2].partition("</label>")[0]
    assert ("disabled" in choice, "without questions" not in choice) == (not started, not started)

    response = browser.post(ADDRESS, filled(mode="generate"))

    assert response.status_code == (302 if started else 422)
    assert Command.objects.exists() is started
    if not started:
        assert set(response.context["form"].errors) == {"mode"}


def test_a_start_that_runs_through_is_not_sent_again_below_the_role(
    browser: Client, creator: User, workspace: Workspace
):
    session = VideoSessionFactory(workspace=workspace, mode="generate", remote_id=None)
    refused = press_in(session, "refused", kind="session.create")
    again = reverse("sessions:press-again", args=[refused.pk])

    assert browser.post(again).status_code == 403
    Membership.objects.filter(user=creator).update(role=Role.APPROVER)
    assert browser.post(again).status_code == 302
    assert Command.objects.count() == 2


def test_a_viewer_starts_nothing(workspace: Workspace, client: Client):
    client.force_login(MembershipFactory(workspace=workspace, role=Role.VIEWER).user)
    assert client.get(ADDRESS).status_code == 403
    assert client.post(ADDRESS, filled()).status_code == 403


def test_a_variant_begins_with_the_settings_of_the_first(browser: Client, workspace: Workspace):
    Membership.objects.update(role=Role.APPROVER)
    session = VideoSessionFactory(
        workspace=workspace,
        prompt="The first film",
        settings={"mode": "generate", "orientation": "landscape"},
    )
    html = browser.get(ADDRESS, {"like": session.pk}).content.decode()
    assert "The first film</textarea>" in html
    assert re.search(r'value="landscape"\s+checked', html)
    assert re.search(r'value="generate"\s+checked', html)


def test_a_refused_start_comes_back_with_heygens_reason(browser: Client, workspace: Workspace):
    session = VideoSessionFactory(workspace=workspace, group="failed", status="", remote_id=None)
    press_in(
        session, "refused", kind="session.create", error={"message": "No such voice", "param": "voice_id"}
    )
    html = browser.get(ADDRESS, {"like": session.pk}).content.decode()
    assert errors(html) == ["HeyGen refused this: No such voice"]
    assert html.index('id="voice-error"') > html.index('id="picker-look"')


@pytest.mark.parametrize("like", ["", "nonsense", "01890000-0000-7000-8000-000000000000"])
def test_a_variant_of_nothing_is_an_empty_form(browser: Client, like: str):
    assert browser.get(ADDRESS, {"like": like}).status_code == 200


@pytest.mark.parametrize(
    ("param", "place"),
    [
        ("prompt", "id_prompt_error"),
        ("avatar_id", "look-error"),
        ("brand_glossary_id", "glossary-error"),
        ("files[0].url", "id_file_urls_error"),
        ("orientation", "orientation-error"),
        ("callback_url", ""),
        ("", ""),
    ],
)
def test_heygens_reason_stands_at_its_field_and_everything_is_kept(
    browser: Client, workspace: Workspace, param: str, place: str
):
    settings = {
        "voice_id": "voice-1",
        "files": [{"type": "url", "url": "https://example.com/a.pdf"}],
        "incognito_mode": True,
    }
    session = VideoSessionFactory(workspace=workspace, prompt="Kept", group="failed", settings=settings)
    session.remote_id = None
    session.save(update_fields=["remote_id"])
    press_in(session, "refused", kind="session.create", error={"message": "Not this", "param": param})
    html = browser.get(ADDRESS, {"like": session.pk}).content.decode()
    where = f'id="{place}"' if place else 'class="form-errors"'
    assert "HeyGen refused this: Not this" in html.partition(where)[2][:600]
    assert "Kept</textarea>" in html
    assert "https://example.com/a.pdf</textarea>" in html
    assert re.search(r'name="voice_id" value="voice-1" checked', html)
    assert re.search(r'name="incognito_mode"[^>]*checked', html)


def test_only_the_start_button_starts(browser: Client, workspace: Workspace):
    for do in (
        "",
        "save",
        "show:look",
        "more:look:24",
        "refresh",
        "workspace",
        "favourite:x:1:look",
        "nonsense",
    ):
        answer = browser.post(ADDRESS, filled(do=do))
        assert answer.status_code == 200, do
        assert "A film about tea</textarea>" in answer.content.decode()
    assert not Command.objects.exists()
    assert Draft.objects.get().fields["prompt"] == "A film about tea"


def test_what_is_not_ready_at_heygen_is_refused_before(browser: Client, workspace: Workspace):
    CatalogueItemFactory(workspace=workspace, remote_id="look-1", name="Dana", data={"status": "processing"})
    answer = browser.post(ADDRESS, filled(avatar_id="look-1"))
    assert (answer.status_code, errors(answer.content.decode())) == (
        422,
        ["“Dana” is not ready at HeyGen yet: pick another."],
    )


def test_an_old_workspace_is_offered_no_brand_kit(browser: Client, workspace: Workspace):
    Workspace.objects.update(dialect="sessions")
    html = browser.get(ADDRESS).content.decode()
    assert 'id="picker-voice"' in html
    assert 'id="picker-brand_kit"' not in html
    answer = browser.post(ADDRESS, filled(brand_kit_id="kit-1"))
    assert answer.status_code == 422
    assert "The API that this workspace speaks has no such choice." in answer.content.decode()


# --- Drafts -----------------------------------------------------------------------------------------------------------


DRAFT = "/sessions/new/draft/"


def test_a_draft_is_there_in_another_browser(browser: Client, creator: User, workspace: Workspace):
    fields = filled(
        prompt="  Half a thought", orientation="portrait", voice_id="voice-1", file_urls="http://no"
    )
    assert browser.post(DRAFT, fields).status_code == 200
    browser.logout()
    other = Client()
    other.force_login(creator)
    html = other.get(ADDRESS).content.decode()
    assert "  Half a thought</textarea>" in html
    assert re.search(r'value="portrait"\s+checked', html)
    assert 'name="voice_id" value="voice-1" checked' in html
    assert "http://no</textarea>" in html
    assert "Draft saved" in html


def test_a_draft_is_a_persons_own_and_one_for_each_workspace(
    browser: Client, creator: User, workspace: Workspace
):
    second = MembershipFactory(
        user=creator, workspace=WorkspaceFactory(slug="second", name="Zweit"), role=Role.CREATOR
    )
    browser.post(DRAFT, filled(prompt="For the studio"))
    browser.post(DRAFT, filled(prompt="For the second", workspace="second"))
    assert "For the studio</textarea>" in browser.get(ADDRESS, {"workspace": "studio"}).content.decode()
    assert "For the second</textarea>" in browser.get(ADDRESS, {"workspace": "second"}).content.decode()
    colleague = Client()
    colleague.force_login(MembershipFactory(workspace=second.workspace, role=Role.CREATOR).user)
    assert "For the second" not in colleague.get(ADDRESS).content.decode()


def test_a_start_ends_the_draft_and_nothing_of_it_comes_back(browser: Client):
    form = filled()
    browser.post(DRAFT, form)
    browser.post(ADDRESS, form)
    # What the page still had on its way when the button was pressed.
    assert browser.post(DRAFT, form).status_code == 200
    assert not Draft.objects.exists()
    assert "A film about tea" not in browser.get(ADDRESS).content.decode()


def test_a_refused_form_is_kept_as_a_draft(browser: Client):
    browser.post(ADDRESS, filled(prompt="Kept", file_urls="no address"))
    assert Draft.objects.get().fields == {"prompt": "Kept", "mode": "chat", "file_urls": "no address"}


def test_another_window_is_not_written_over(browser: Client):
    first, second = filled(prompt="First"), filled(prompt="Second")
    assert browser.post(DRAFT, {**first, "base": "0"}).status_code == 200
    conflict = browser.post(DRAFT, {**second, "base": "0"})
    assert conflict.status_code == 409
    assert "Another window has saved this draft" in conflict.content.decode()
    assert Draft.objects.get().fields["prompt"] == "First"
    # The first window, whose answer was cut off, goes on; then the person decides for the second one.
    assert browser.post(DRAFT, {**first, "prompt": "First, more", "base": "0"}).status_code == 200
    assert browser.post(DRAFT, {**second, "base": "0", "over": "1"}).status_code == 200
    assert (Draft.objects.get().fields["prompt"], Draft.objects.get().version) == ("Second", 3)


def test_a_draft_that_was_discarded_elsewhere_is_asked_about(
    browser: Client, creator: User, workspace: Workspace
):
    form = filled()
    browser.post(DRAFT, {**form, "base": "0"})
    assert browser.post(ADDRESS, filled(do="discard")).status_code == 302
    assert not Draft.objects.exists()
    answer = browser.post(DRAFT, {**form, "prompt": "More", "base": "1"})
    assert (answer.status_code, Draft.objects.exists()) == (409, False)


def test_a_variant_has_a_draft_of_its_own(browser: Client, workspace: Workspace):
    session = VideoSessionFactory(workspace=workspace, prompt="The first film")
    browser.post(DRAFT, filled(prompt="Something new"))
    browser.post(DRAFT, filled(prompt="The second film", like=str(session.pk)))
    assert "Something new</textarea>" in browser.get(ADDRESS).content.decode()
    html = browser.get(ADDRESS, {"like": session.pk}).content.decode()
    assert "The second film</textarea>" in html
    assert "<del>first</del> <ins>second</ins>" in html


def test_an_absurdly_long_text_is_kept_up_to_a_limit(browser: Client):
    browser.post(DRAFT, filled(prompt="x" * 200_000))
    assert len(Draft.objects.get().fields["prompt"]) == drafts.LONGEST


def test_who_may_save_a_draft(client: Client, workspace: Workspace):
    assert client.post(DRAFT, filled()).status_code == 302
    client.force_login(UserFactory())
    assert client.post(DRAFT, filled()).status_code == 403
    client.force_login(MembershipFactory(workspace=workspace, role=Role.VIEWER).user)
    assert client.post(DRAFT, filled()).status_code == 403
    assert client.get(DRAFT).status_code == 405
    assert not Draft.objects.exists()


# --- Another workspace ------------------------------------------------------------------------------------------------


def test_another_workspace_takes_the_words_along_and_not_the_accounts_things(
    browser: Client, creator: User, workspace: Workspace
):
    MembershipFactory(user=creator, workspace=WorkspaceFactory(slug="second"), role=Role.CREATOR)
    answer = browser.post(
        ADDRESS,
        filled(was="studio", workspace="second", voice_id="voice-1", orientation="portrait", do="start"),
    )
    assert (answer.status_code, Command.objects.exists()) == (302, False)
    html = browser.get(answer["Location"]).content.decode()
    assert "A film about tea</textarea>" in html
    assert "voice-1" not in html
    assert re.search(r'value="second"\s+selected', html)
    assert Draft.objects.get().workspace.slug == "second"


def test_a_draft_that_waits_in_another_workspace_is_not_written_over(browser: Client, creator: User):
    MembershipFactory(user=creator, workspace=WorkspaceFactory(slug="second"), role=Role.CREATOR)
    browser.post(DRAFT, filled(prompt="It waits", workspace="second"))
    answer = browser.post(
        ADDRESS, filled(was="studio", workspace="second", do="workspace"), headers={"HX-Request": "true"}
    )
    assert answer["HX-Redirect"] == "/sessions/new/?workspace=second"
    assert "It waits</textarea>" in browser.get(answer["HX-Redirect"]).content.decode()
    assert set(Draft.objects.values_list("fields__prompt", flat=True)) == {"It waits", "A film about tea"}


# --- Variants ---------------------------------------------------------------------------------------------------------


def test_a_variant_shows_every_difference(browser: Client, creator: User, workspace: Workspace):
    Membership.objects.update(role=Role.APPROVER)
    CatalogueItemFactory(workspace=workspace, kind=CatalogueKind.VOICE, remote_id="voice-1", name="Aria")
    upload = Upload.objects.create(
        workspace=workspace,
        owner=UserFactory(),
        filename="a.png",
        content_type="image/png",
        size=1,
        asset_id="a1",
    )
    session = VideoSessionFactory(
        workspace=workspace,
        prompt="A film about tea",
        settings={"voice_id": "voice-1", "files": [{"type": "asset_id", "asset_id": "a1"}]},
    )
    unchanged = filled(like=str(session.pk), voice_id="voice-1", uploads=[str(upload.pk)])
    assert "Nothing differs from it yet." in browser.post(DRAFT, unchanged).content.decode()
    changed = {
        **unchanged,
        "prompt": "A long film about tea",
        "mode": "generate",
        "voice_id": "",
        "orientation": "portrait",
        "incognito_mode": "on",
        "uploads": [],
    }
    html = browser.post(DRAFT, {**changed, "over": "1"}).content.decode()
    shown = [
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip()
        for row in re.findall(r"<dt>.*?</dd>", html, re.DOTALL)
    ]
    assert shown == [
        "Prompt A long film about tea",
        "How much to steer Talk it through Straight through",
        "Orientation The agent decides Portrait",
        "Voice Aria The agent decides",
        "Incognito Off On",
        "Files a.png None",
    ]
    # The first one's file may go along, although somebody else uploaded it.
    assert browser.post(ADDRESS, unchanged).status_code == 302
    assert payload()["files"] == [{"type": "asset_id", "asset_id": "a1"}]


# --- Pickers ----------------------------------------------------------------------------------------------------------


def choices(browser: Client, **query: Any) -> str:
    address = reverse("workspaces:choices", args=["studio", "look"])
    return browser.get(address, query).content.decode()


def values(html: str) -> list[str]:
    return re.findall(r'name="avatar_id" value="([^"]*)"', html)


def test_a_picker_offers_the_catalogue_and_the_picked_one_first(browser: Client, workspace: Workspace):
    for number in range(3):
        CatalogueItemFactory(workspace=workspace, remote_id=f"look-{number}", name=f"Look {number}")
    CatalogueItemFactory(name="Of another workspace")
    assert values(choices(browser)) == ["", "look-0", "look-1", "look-2"]
    assert values(choices(browser, avatar_id="look-2")) == ["", "look-2", "look-0", "look-1"]


def test_a_picker_shows_more_on_demand(browser: Client, workspace: Workspace):
    for number in range(30):
        CatalogueItemFactory(workspace=workspace, remote_id=f"look-{number}", position=number)
    first = choices(browser)
    assert len(values(first)) == 25
    assert 'value="more:look:24"' in first
    rest = choices(browser, **{"look-start": "24"})
    assert values(rest) == [f"look-{number}" for number in range(24, 30)]
    assert "more:" not in rest


def test_a_picked_thing_that_is_gone_stays_picked(browser: Client):
    assert values(choices(browser, avatar_id="gone-1")) == ["", "gone-1"]


def test_what_was_used_lately_comes_first(browser: Client, creator: User, workspace: Workspace):
    items = [
        CatalogueItemFactory(workspace=workspace, remote_id=f"look-{number}", position=number)
        for number in range(4)
    ]
    RecentItem.objects.note(creator, [items[2]])
    RecentItem.objects.note(UserFactory(), [items[3]])
    CatalogueItem.objects.filter(pk=items[1].pk).update(favourite=True)
    assert values(choices(browser)) == ["", "look-2", "look-1", "look-0", "look-3"]
    assert values(choices(browser, **{"look-show": "recent"})) == ["", "look-2"]
    assert values(choices(browser, **{"look-show": "favourite"})) == ["", "look-1"]


def test_what_a_session_was_started_with_is_remembered(browser: Client, creator: User, workspace: Workspace):
    voice = CatalogueItemFactory(workspace=workspace, kind=CatalogueKind.VOICE, remote_id="voice-1")
    browser.post(ADDRESS, filled(voice_id="voice-1"))
    assert list(RecentItem.objects.values_list("user", "item")) == [(creator.pk, voice.pk)]


def test_filters_come_from_the_catalogue(browser: Client, workspace: Workspace):
    CatalogueRead.objects.create(
        workspace=workspace,
        facets={"look": {"gender": ["female", "male"]}, "style": {"tags": ["print", "retro-tech"]}},
    )
    CatalogueItemFactory(workspace=workspace, remote_id="look-1", data={"gender": "female"})
    CatalogueItemFactory(
        workspace=workspace, remote_id="look-2", data={"gender": "male"}, ownership="private"
    )
    for name, search_text in (("a", " a retro tech"), ("b", " b print")):
        CatalogueItemFactory(workspace=workspace, kind="style", remote_id=name, search_text=search_text)
    html = browser.get(ADDRESS).content.decode()
    assert 'name="look-gender"' in html
    assert 'name="look-avatar_type"' not in html
    assert values(choices(browser, **{"look-gender": "male"})) == ["", "look-2"]
    assert values(choices(browser, **{"look-show": "private"})) == ["", "look-2"]
    assert values(choices(browser, **{"look-show": "public"})) == ["", "look-1"]
    address = reverse("workspaces:choices", args=["studio", "style"])
    styles = browser.get(address, {"style-tags": "retro-tech"}).content.decode()
    assert re.findall(r'name="style_id" value="([^"]*)"', styles) == ["", "a"]


def test_without_javascript_a_picker_is_searched_with_everything_typed_kept(
    browser: Client, workspace: Workspace
):
    for number in range(30):
        CatalogueItemFactory(
            workspace=workspace, remote_id=f"look-{number}", name=f"Look {number}", position=number
        )
    html = browser.post(ADDRESS, filled(do="show:look", **{"look-search": "nobody"})).content.decode()
    assert re.search(r"<details [^>]*data-picker open>", html)
    assert "Nothing fits." in html
    assert "A film about tea</textarea>" in html
    html = browser.post(ADDRESS, filled(do="more:look:24", avatar_id="look-29")).content.decode()
    assert len(values(html)) == 31
    assert 'value="look-29" checked' in html


def test_a_favourite_without_javascript(browser: Client, workspace: Workspace):
    item = CatalogueItemFactory(workspace=workspace, remote_id="look-1")
    foreign = CatalogueItemFactory()
    for pk in (item.pk, foreign.pk):
        browser.post(ADDRESS, filled(do=f"favourite:{pk}:1:look"))
    assert list(CatalogueItem.objects.filter(favourite=True)) == [item]


def test_the_age_of_the_catalogue_is_said(browser: Client, workspace: Workspace):
    assert "for the first time" in browser.get(ADDRESS).content.decode()
    read = CatalogueRead.objects.create(workspace=workspace, finished_at=timezone.now())
    html = browser.get(ADDRESS).content.decode()
    assert "Catalogue read from HeyGen" in html
    assert "Old:" not in html
    read.finished_at -= timedelta(days=1)
    read.problems = {"voice/private": "403 forbidden: not yours"}
    read.save()
    html = browser.get(ADDRESS).content.decode()
    assert "Old:" in html
    assert "HeyGen did not give us this list: 403 forbidden: not yours" in html


def test_a_link_that_no_browser_can_open_is_no_preview(browser: Client, workspace: Workspace):
    CatalogueItemFactory(workspace=workspace, remote_id="a", data={"preview_image_url": "s3://bucket/a.png"})
    CatalogueItemFactory(
        workspace=workspace, remote_id="b", data={"preview_image_url": "https://x.test/b.png"}
    )
    html = choices(browser)
    assert (
        html.count("/picture/") == 2
    )  # of the second one: its picture, and where the closer look has it from


def test_the_page_asks_the_database_the_same_whatever_there_is(
    browser: Client, creator: User, workspace: Workspace, django_assert_num_queries: Any
):
    browser.get(ADDRESS)
    for number in range(2):
        for kind in CatalogueKind:
            CatalogueItemFactory(workspace=workspace, kind=kind, remote_id=f"{kind}-{number}")
        VideoSessionFactory(workspace=workspace, owner=creator)
        with django_assert_num_queries(QUERIES):
            browser.get(ADDRESS)


def test_pickers_are_closed_to_strangers(client: Client, workspace: Workspace):
    client.force_login(UserFactory())
    assert client.get(reverse("workspaces:choices", args=["studio", "look"])).status_code == 404


def test_there_is_no_picker_for_anything(browser: Client):
    assert browser.get(reverse("workspaces:choices", args=["studio", "nonsense"])).status_code == 404


# --- Uploads ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def connected(workspace: Workspace, heygen: Running, valkey: Any) -> Workspace:
    """The workspace with a key that the simulator knows."""
    from workspaces_app import crypto

    key = "uploads-test-key"
    heygen.control.account(key)
    workspace.base_url = heygen.url
    workspace.encrypted_key = crypto.seal(key)
    workspace.key_fingerprint = crypto.fingerprint(key)
    workspace.save()
    return workspace


PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")


def test_an_upload_becomes_an_asset_of_the_person(browser: Client, creator: User, connected: Workspace):
    response = browser.post("/uploads/studio/", {"file": SimpleUploadedFile("logo.png", PNG, "image/png")})
    upload = Upload.objects.get()
    assert response.json() == {"id": str(upload.pk), "name": "logo.png"}
    assert (upload.owner, upload.workspace, upload.size) == (creator, connected, len(PNG))
    assert upload.asset_id


def test_without_javascript_files_go_with_the_form(browser: Client, connected: Workspace):
    browser.post(ADDRESS, filled(attachments=[SimpleUploadedFile("logo.png", PNG, "image/png")]))
    assert payload()["files"] == [{"type": "asset_id", "asset_id": Upload.objects.get().asset_id}]


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (SimpleUploadedFile("empty.png", b"", "image/png"), "is empty"),
        (
            SimpleUploadedFile("virus.exe", b"MZ", "application/x-msdownload"),
            "of a kind that HeyGen does not take",
        ),
    ],
)
def test_a_file_that_heygen_would_refuse_is_refused_here(
    browser: Client, file: SimpleUploadedFile, reason: str
):
    response = browser.post("/uploads/studio/", {"file": file})
    assert response.status_code == 422
    assert reason in response.json()["error"]
    assert not Upload.objects.exists()


def test_a_file_that_is_too_large_is_refused_here(creator: User, workspace: Workspace):
    from sessions_app import uploads

    file = SimpleUploadedFile("film.mp4", b"x", "video/mp4")
    file.size = MAX_FILE_BYTES + 1
    with pytest.raises(uploads.NotUploaded, match="larger than 32 MB"):
        uploads.store(file, workspace=workspace, owner=creator)


def test_without_a_key_the_reason_is_said(browser: Client):
    response = browser.post("/uploads/studio/", {"file": SimpleUploadedFile("logo.png", PNG, "image/png")})
    assert (response.status_code, response.json()) == (
        422,
        {"error": "The workspace has no API key yet: an admin can enter it."},
    )


def test_no_file_at_all(browser: Client):
    assert browser.post("/uploads/studio/").status_code == 422


def test_who_may_upload(client: Client, workspace: Workspace):
    file = {"file": SimpleUploadedFile("logo.png", PNG, "image/png")}
    client.force_login(UserFactory())
    assert client.post("/uploads/studio/", file).status_code == 404
    client.force_login(MembershipFactory(workspace=workspace, role=Role.VIEWER).user)
    assert client.post("/uploads/studio/", file).status_code == 403
    assert client.get("/uploads/studio/").status_code == 405
