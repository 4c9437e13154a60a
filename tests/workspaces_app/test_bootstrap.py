"""What the first start makes, and what later starts leave alone."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings

from tests.factories import UserFactory, WorkspaceFactory
from workspaces_app import crypto
from workspaces_app.models import Membership, Role, User, Workspace

pytestmark = pytest.mark.django_db

KEY = "sk_from_the_environment_0001"


def bootstrap() -> str:
    said = io.StringIO()
    call_command("bootstrap", stdout=said)
    return said.getvalue()


def test_first_start_makes_an_admin_whose_password_is_shown_once(settings: Settings) -> None:
    settings.HEYGEN_API_KEY = KEY
    said = bootstrap()
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.must_change_password) == (True, True, True)
    password = said.split(" with the password ")[1].split("\n")[0]
    assert said == (
        f"Sign in as {user.email} with the password {password}\n"
        "It is shown this once, and has to be changed at the first sign-in.\n"
    )
    client = Client()
    client.post("/sign-in/", {"email": user.email, "password": password})
    assert client.get("/workspaces/")["Location"] == "/account/password/"
    workspace = Workspace.objects.get()
    assert (workspace.name, workspace.slug, crypto.unseal(workspace.encrypted_key)) == (
        "Studio",
        "studio",
        KEY,
    )
    assert Membership.objects.get(user=user, workspace=workspace).role == Role.ADMIN
    assert bootstrap() == ""
    assert (User.objects.count(), Workspace.objects.count()) == (1, 1)


def test_key_of_the_environment_never_overwrites_one(settings: Settings) -> None:
    workspace = WorkspaceFactory(key="sk_entered_by_a_person_0002")
    settings.HEYGEN_API_KEY = KEY
    bootstrap()
    workspace.refresh_from_db()
    assert crypto.unseal(workspace.encrypted_key) == "sk_entered_by_a_person_0002"
    assert Workspace.objects.count() == 1


def test_key_fills_the_oldest_empty_workspace(settings: Settings) -> None:
    workspace = WorkspaceFactory(base_url="https://old.example", dialect="current")
    settings.HEYGEN_API_KEY, settings.HEYGEN_BASE_URL, settings.HEYGEN_DIALECT = (
        KEY,
        "http://127.0.0.1:9",
        "sessions",
    )
    bootstrap()
    workspace.refresh_from_db()
    assert (workspace.base_url, workspace.dialect, workspace.has_key) == (
        "http://127.0.0.1:9",
        "sessions",
        True,
    )


def test_start_without_a_key_leaves_the_workspace_empty(settings: Settings) -> None:
    settings.HEYGEN_API_KEY = ""
    bootstrap()
    assert not Workspace.objects.get().has_key


def test_demo_shows_four_people_at_every_start(settings: Settings) -> None:
    settings.SIMULATED, settings.HEYGEN_API_KEY = True, "sk_simulator_key_000000"
    first, second = bootstrap(), bootstrap()
    assert first == second
    assert first.count("Sign in as ") == 4
    roles = {
        each.user.email: (each.role, each.user.must_change_password) for each in Membership.objects.all()
    }
    assert roles == {
        "admin@dailies.example": ("admin", False),
        "approver@dailies.example": ("approver", False),
        "creator@dailies.example": ("creator", False),
        "viewer@dailies.example": ("viewer", False),
    }
    for line in first.splitlines():
        email, password = line.removeprefix("Sign in as ").split(" with the password ")
        answer = Client().post("/sign-in/", {"email": email, "password": password})
        assert answer.status_code == 302, email


def test_demo_people_with_passwords_of_their_own_are_not_shown(settings: Settings) -> None:
    settings.SIMULATED = True
    bootstrap()
    user = User.objects.get(email="viewer@dailies.example")
    user.set_password("seven seals of the sea")
    user.save()
    assert "viewer@" not in bootstrap()


def test_demo_passwords_differ_between_installations(settings: Settings) -> None:
    settings.SIMULATED = True
    one = bootstrap()
    User.objects.all().delete()
    settings.SECRET_KEY = "of another installation"
    assert bootstrap() != one


def test_simulator_on_another_port_is_followed(settings: Settings) -> None:
    settings.SIMULATED, settings.HEYGEN_API_KEY, settings.HEYGEN_BASE_URL = True, KEY, "http://127.0.0.1:8001"
    bootstrap()
    settings.HEYGEN_BASE_URL = "http://127.0.0.1:9001"
    bootstrap()
    assert Workspace.objects.get().base_url == "http://127.0.0.1:9001"


def test_real_key_after_the_demo_gets_a_workspace_of_its_own(settings: Settings) -> None:
    settings.SIMULATED, settings.HEYGEN_API_KEY, settings.HEYGEN_BASE_URL = (
        True,
        "sk_simulator_key_000000",
        "http://127.0.0.1:9",
    )
    bootstrap()
    settings.SIMULATED, settings.HEYGEN_API_KEY, settings.HEYGEN_BASE_URL = (
        False,
        KEY,
        "https://api.heygen.com",
    )
    bootstrap()
    demo, real = Workspace.objects.order_by("created_at")
    assert (demo.base_url, real.base_url) == ("http://127.0.0.1:9", "https://api.heygen.com")
    assert crypto.unseal(real.encrypted_key) == KEY
    assert [each.user.email for each in real.memberships.all()] == ["admin@dailies.example"]
    # Their passwords stood on a terminal at every start.
    assert set(User.objects.values_list("must_change_password", flat=True)) == {True}


def test_people_who_are_there_need_no_other_admin() -> None:
    UserFactory()
    assert bootstrap() == ""
    assert User.objects.count() == 1
