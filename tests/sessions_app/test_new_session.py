"""Starting a session: every field of the call, limits before anything is spent, once per press."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from commands import tokens
from commands.models import Command
from sessions_app.forms import MAX_FILE_BYTES
from sessions_app.models import Upload, VideoSession
from simulator.testing import Running, running
from tests.factories import (
    CatalogueItemFactory,
    MembershipFactory,
    UserFactory,
    VideoSessionFactory,
    WorkspaceFactory,
)
from tests.sessions_app.presses import press_in
from workspaces_app.models import Membership, Role, User, Workspace

pytestmark = pytest.mark.django_db

ADDRESS = "/sessions/new/"


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
        for found in re.findall(r'<ul class="errors".*?</ul>', html, re.DOTALL)
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
    assert "No such voice" in html
    assert "voice_id" in html


@pytest.mark.parametrize("like", ["", "nonsense", "01890000-0000-7000-8000-000000000000"])
def test_a_variant_of_nothing_is_an_empty_form(browser: Client, like: str):
    assert browser.get(ADDRESS, {"like": like}).status_code == 200


# --- Pickers ----------------------------------------------------------------------------------------------------------


def choices(browser: Client, **query: Any) -> str:
    address = reverse("sessions:choices", args=["look"])
    return browser.get(address, {"workspace": "studio", **query}).content.decode()


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
    assert 'name="start" value="24"' in first
    rest = choices(browser, start="24")
    assert values(rest) == [f"look-{number}" for number in range(24, 30)]
    assert 'name="start"' not in rest


def test_a_picked_thing_that_is_gone_stays_picked(browser: Client):
    assert values(choices(browser, avatar_id="gone-1")) == ["", "gone-1"]


def test_pickers_are_closed_to_strangers(client: Client, workspace: Workspace):
    client.force_login(UserFactory())
    assert client.get(reverse("sessions:choices", args=["look"]), {"workspace": "studio"}).status_code == 404


def test_there_is_no_picker_for_anything(browser: Client):
    assert (
        browser.get(reverse("sessions:choices", args=["nonsense"]), {"workspace": "studio"}).status_code
        == 404
    )


# --- Uploads ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def heygen() -> Iterator[Running]:
    with running() as simulator:
        yield simulator


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
