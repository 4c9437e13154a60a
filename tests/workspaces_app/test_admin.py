"""The operators' admin: who gets in, what it notes, what it never shows."""

from __future__ import annotations

import time

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from polling import schedule
from polling.models import PollState
from tests.factories import PASSWORD, CatalogueItemFactory, UserFactory, WorkspaceFactory
from tests.workspaces_app.conftest import API_KEY
from workspaces_app import keys
from workspaces_app.admin_site import CONFIRMED_AT, GuardedAdminSite
from workspaces_app.models import AuditEntry, User, Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def inside(operator: User) -> Client:
    """A browser of the operator that has just given the password."""
    client = Client()
    client.force_login(operator)
    client.post("/admin/confirm/", {"password": PASSWORD})
    return client


def test_the_default_site_is_ours() -> None:
    assert isinstance(admin.site, GuardedAdminSite)


def test_outsiders_stay_out() -> None:
    member = Client()
    member.force_login(UserFactory())
    for url in ("/admin/", "/admin/confirm/", "/admin/login/", "/admin/workspaces_app/user/"):
        assert member.get(url).status_code == 404
        assert Client().get(url)["Location"].startswith("/sign-in/")


def test_password_is_asked_again_and_leads_on(operator: User) -> None:
    client = Client()
    client.force_login(operator)
    wanted = "/admin/workspaces_app/user/?q=amy"
    asked = client.get(wanted)
    assert asked["Location"] == "/admin/confirm/?next=%2Fadmin%2Fworkspaces_app%2Fuser%2F%3Fq%3Damy"
    assert client.get(asked["Location"]).status_code == 200
    wrong = client.post("/admin/confirm/", {"password": "wrong", "next": wanted})
    assert wrong.status_code == 422
    assert client.get("/admin/").status_code == 302
    assert client.post("/admin/confirm/", {"password": PASSWORD, "next": wanted})["Location"] == wanted
    assert client.get(wanted).status_code == 200


def test_confirmation_leads_nowhere_else(operator: User) -> None:
    client = Client()
    client.force_login(operator)
    answer = client.post("/admin/confirm/", {"password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/admin/"


def test_confirmation_ends_after_a_quarter_of_an_hour(inside: Client, settings: Settings) -> None:
    assert inside.get("/admin/").status_code == 200
    session = inside.session
    session[CONFIRMED_AT] = time.time() - 15 * 60 - 1
    session.save()
    assert inside.get("/admin/")["Location"].startswith("/admin/confirm/")


def test_guessing_the_password_is_throttled(operator: User) -> None:
    client = Client()
    client.force_login(operator)
    for _ in range(10):
        client.post("/admin/confirm/", {"password": "guess"})
    assert client.post("/admin/confirm/", {"password": PASSWORD}).status_code == 422


def test_every_list_and_form_opens(inside: Client) -> None:
    WorkspaceFactory(key=API_KEY)
    CatalogueItemFactory()
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert inside.get(reverse(f"{name}_changelist")).status_code == 200, name
        for row in model._default_manager.all()[:1]:
            assert inside.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200, name


def test_looking_at_a_row_is_noted(inside: Client, operator: User) -> None:
    workspace = WorkspaceFactory(key=API_KEY)
    page = inside.get(reverse("admin:workspaces_app_workspace_change", args=[workspace.pk]))
    assert API_KEY not in page.content.decode()
    assert workspace.encrypted_key not in page.content.decode()
    entry = AuditEntry.objects.order_by("id").last()
    assert entry is not None
    assert (entry.action, entry.actor, entry.data) == (
        "admin.viewed",
        operator,
        {"model": "workspaces_app_workspace", "object": str(workspace.pk), "page": "change"},
    )


def test_new_user_gets_a_one_time_password(inside: Client) -> None:
    fields = {
        "email": "new@example.com",
        "name": "New",
        "is_active": "on",
        "time_zone": "UTC",
        "language": "en",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }
    page = inside.post("/admin/workspaces_app/user/add/", fields, follow=True).content.decode()
    user = User.objects.get(email="new@example.com")
    password = page.split("shown only now: ")[1].split("<")[0].strip()
    assert user.check_password(password)
    assert user.must_change_password
    last = AuditEntry.objects.order_by("id").filter(action="admin.changed").last()
    assert last is not None
    assert last.data["page"] == "add"


def test_one_time_password_by_action_ends_the_persons_sessions(inside: Client) -> None:
    user = UserFactory()
    theirs = Client()
    theirs.force_login(user)
    action = {"action": "give_one_time_password", "_selected_action": [str(user.pk)]}
    inside.post("/admin/workspaces_app/user/", action)
    user.refresh_from_db()
    assert (user.must_change_password, user.check_password(PASSWORD)) == (True, False)
    assert theirs.get("/account/").status_code == 302


def test_sign_out_everywhere_by_action(inside: Client) -> None:
    user = UserFactory()
    theirs = Client()
    theirs.force_login(user)
    inside.post(
        "/admin/workspaces_app/user/", {"action": "sign_out_everywhere", "_selected_action": [str(user.pk)]}
    )
    assert theirs.get("/account/").status_code == 302


@pytest.mark.parametrize("model", ["auditentry", "catalogueitem", "accountsnapshot", "webhookdelivery"])
def test_mirrored_rows_cannot_be_changed(model: str, inside: Client) -> None:
    assert inside.get(f"/admin/workspaces_app/{model}/add/").status_code == 403
    item = CatalogueItemFactory()
    assert (
        inside.post(f"/admin/workspaces_app/catalogueitem/{item.pk}/change/", {"name": "x"}).status_code
        == 403
    )
    assert (
        inside.post(f"/admin/workspaces_app/catalogueitem/{item.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )


def test_people_and_workspaces_are_never_deleted(inside: Client) -> None:
    user, workspace = UserFactory(), WorkspaceFactory()
    for name, row in (("user", user), ("workspace", workspace)):
        assert (
            inside.post(f"/admin/workspaces_app/{name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
        )


def change(inside: Client, workspace: Workspace, **values: str) -> None:
    address = reverse("admin:workspaces_app_workspace_change", args=[workspace.pk])
    form = inside.get(address).context["adminform"].form
    as_shown = {name: form[name].value() or "" for name in form.fields}
    inlines = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    assert inside.post(address, {**as_shown, "settings": "{}", **inlines, **values}).status_code == 302
    workspace.refresh_from_db()


def test_another_dialect_has_everything_read_anew(inside: Client) -> None:
    workspace = WorkspaceFactory(slug="studio", dialect="sessions")
    schedule.enroll("session_list", [workspace.pk], workspace_id=workspace.pk, fingerprint="key")
    schedule.retire("session_list", [workspace.pk])

    change(inside, workspace, dialect="current")

    assert workspace.dialect == "current"
    assert PollState.objects.get(kind="session_list").next_poll_at is not None


def test_no_operator_sends_a_key_to_another_address(inside: Client) -> None:
    workspace = WorkspaceFactory(slug="studio")
    keys.save(workspace, API_KEY, by=None, checked=False)

    change(inside, workspace, name="Studio 2")
    assert workspace.has_key

    change(inside, workspace, base_url="https://elsewhere.example")
    assert (workspace.base_url, workspace.encrypted_key) == ("https://elsewhere.example", "")
    assert AuditEntry.objects.filter(workspace=workspace, action="key.removed").exists()


def test_admin_has_no_second_way_out_or_password_page(inside: Client) -> None:
    assert inside.get("/admin/password_change/")["Location"] == "/account/password/"
    assert inside.get("/admin/logout/")["Location"] == "/admin/"
    assert inside.post("/admin/logout/")["Location"] == "/sign-in/"
    assert inside.get("/account/").status_code == 302
