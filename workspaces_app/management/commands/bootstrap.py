"""The first start: an admin who can sign in, and a workspace that uses the key of the environment."""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.management.base import BaseCommand
from django.db import transaction

from workspaces_app import audit, keys, members
from workspaces_app.models import Membership, Role, User, Workspace

ADMIN = "admin@dailies.example"
DEMO = {
    ADMIN: ("Ada Admin", Role.ADMIN),
    "approver@dailies.example": ("Amy Approver", Role.APPROVER),
    "creator@dailies.example": ("Carl Creator", Role.CREATOR),
    "viewer@dailies.example": ("Vera Viewer", Role.VIEWER),
}


@dataclass(frozen=True, slots=True)
class SignIn:
    """What somebody needs to sign in, to be printed once."""

    email: str
    password: str


class Command(BaseCommand):
    help = "Makes what the first start needs, and does nothing where it is there: run at every start."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            workspace = home_workspace()
            fill_key(workspace)
            # An update may have brought new kinds of polls; those that are there stay as they are.
            for keyed in Workspace.objects.exclude(key_fingerprint=""):
                keys.enroll(keyed.pk, keyed.key_fingerprint)
            sign_ins = demo_people(workspace) if settings.SIMULATED else first_admin(workspace)
        for each in sign_ins:
            self.stdout.write(f"Sign in as {each.email} with the password {each.password}")
        if sign_ins and not settings.SIMULATED:
            self.stdout.write("It is shown this once, and has to be changed at the first sign-in.")


def home_workspace() -> Workspace:
    """The oldest workspace of this world; "Studio" when there is none.

    There are two worlds, the simulated and the real one: whoever tried the demo first and then has a key of their
    own starts with a fresh workspace, whose key is theirs to fill.
    """
    for workspace in Workspace.objects.order_by("created_at", "id"):
        if bool(workspace.settings.get("simulated")) == settings.SIMULATED:
            return workspace
    slug = (
        "studio" if not Workspace.objects.filter(slug="studio").exists() else f"studio-{secrets.token_hex(3)}"
    )
    workspace = Workspace.objects.create(
        name="Studio",
        slug=slug,
        base_url=settings.HEYGEN_BASE_URL,
        dialect=settings.HEYGEN_DIALECT,
        settings={"simulated": True} if settings.SIMULATED else {},
    )
    for operator in User.objects.filter(is_superuser=True):
        Membership.objects.create(user=operator, workspace=workspace, role=Role.ADMIN)
    return workspace


def fill_key(workspace: Workspace) -> bool:
    """Gives an empty workspace the key of the environment; never overwrites one that is there."""
    if settings.SIMULATED and workspace.base_url != settings.HEYGEN_BASE_URL:
        # The simulator may listen on another port than the last time.
        workspace.base_url = settings.HEYGEN_BASE_URL
        workspace.save(update_fields=["base_url"])
    if not settings.HEYGEN_API_KEY or workspace.has_key:
        return False
    workspace.base_url = settings.HEYGEN_BASE_URL
    workspace.dialect = settings.HEYGEN_DIALECT
    workspace.save(update_fields=["base_url", "dialect"])
    keys.save(workspace, settings.HEYGEN_API_KEY, by=None, checked=False)
    return True


def demo_password() -> str:
    """The password of the demo's people: their own in every installation, and the same at each of its starts."""
    digest = hmac.digest(settings.SECRET_KEY.encode(), b"dailies demo password", "sha256")
    return "-".join(base64.b32encode(digest).decode().lower()[start : start + 4] for start in (0, 4, 8))


def first_admin(workspace: Workspace) -> list[SignIn]:
    """An operator with a one-time password, when there are no people at all. Those of a demo must choose a new one."""
    if User.objects.exists():
        for user in User.objects.filter(email__in=DEMO, must_change_password=False):
            if user.check_password(demo_password()):
                User.objects.filter(pk=user.pk).update(must_change_password=True)
        return []
    password = members.one_time_password()
    user = User.objects.create_superuser(ADMIN, password, name="Admin", must_change_password=True)
    Membership.objects.create(user=user, workspace=workspace, role=Role.ADMIN)
    audit.record("user.created", actor=None, about=user, workspace_id=workspace.pk)
    return [SignIn(ADMIN, password)]


def demo_people(workspace: Workspace) -> list[SignIn]:
    """One person for each role, with a password that is printed at every start until they choose their own.

    Their password and its hash are the same, because working out a hash takes half a second of every start.
    """
    sign_ins = []
    password = demo_password()
    people = {user.email: user for user in User.objects.filter(email__in=DEMO)}
    unchanged = {
        encoded: check_password(password, encoded) for encoded in {user.password for user in people.values()}
    }
    encoded = next((encoded for encoded, still in unchanged.items() if still), None) or make_password(
        password
    )
    unchanged[encoded] = True
    for email, (name, role) in DEMO.items():
        user = people.get(email)
        if user is None:
            make = User.objects.create_superuser if role == Role.ADMIN else User.objects.create_user
            user = make(email, None, name=name)
            user.password = encoded
            user.save(update_fields=["password"])
        Membership.objects.get_or_create(user=user, workspace=workspace, defaults={"role": role})
        if user.is_active and unchanged[user.password]:
            sign_ins.append(SignIn(email, password))
    return sign_ins
