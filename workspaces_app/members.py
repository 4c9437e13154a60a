"""Who is in a workspace: adding, changing roles, removing; the last admin stays."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.http import HttpRequest

from eventstream import sessions as streams
from workspaces_app import audit
from workspaces_app.models import Membership, Role, User, Workspace

# No letters and digits that look alike: people read these out to each other.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class LastAdminError(Exception):
    """The change would leave a workspace without an admin."""


class AlreadyMemberError(Exception):
    """The person is in the workspace already."""


class NotTheirsError(Exception):
    """A password that is not this workspace's business: the person signed in already, or works elsewhere too."""


@dataclass(frozen=True, slots=True)
class Invited:
    """A new membership; `password` is the one-time password of an account made for it, shown once, kept nowhere."""

    membership: Membership
    password: str | None


def one_time_password() -> str:
    """Four groups of five letters: 99 bits, and still dictated over a phone."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


def invite(
    workspace: Workspace, *, email: str, name: str, role: Role, by: User, request: HttpRequest | None = None
) -> Invited:
    """Adds somebody, with an account of their own when they have none. Raises AlreadyMemberError."""
    password: str | None = None
    with transaction.atomic():
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            password = one_time_password()
            user = User.objects.create_user(email, password, name=name, must_change_password=True)
            audit.record("user.created", actor=by, workspace_id=workspace.pk, about=user, request=request)
        membership, created = Membership.objects.get_or_create(
            user=user, workspace=workspace, defaults={"role": role}
        )
        if not created:
            raise AlreadyMemberError
        audit.record(
            "member.added",
            actor=by,
            workspace_id=workspace.pk,
            about=user,
            data={"email": user.email, "role": str(role)},
            request=request,
        )
    return Invited(membership=membership, password=password)


def change_role(membership: Membership, role: Role, *, by: User, request: HttpRequest | None = None) -> bool:
    """Gives a member another role; False when it is the one they have. Raises LastAdminError."""
    with transaction.atomic():
        current = _locked(membership)
        if current.role == role:
            return False
        before, current.role = current.role, role
        _refuse_last_admin(current, leaving=before == Role.ADMIN)
        current.save(update_fields=["role"])
        _ask_streams_again(current.user_id)
        audit.record(
            "member.role-changed",
            actor=by,
            workspace_id=current.workspace_id,
            about=current.user,
            data={"email": current.user.email, "from": before, "to": str(role)},
            request=request,
        )
    return True


def remove(membership: Membership, *, by: User, request: HttpRequest | None = None) -> None:
    """Takes somebody out of the workspace; what they made stays. Raises LastAdminError."""
    with transaction.atomic():
        current = _locked(membership)
        _refuse_last_admin(current, leaving=current.role == Role.ADMIN)
        user, workspace_id = current.user, current.workspace_id
        current.delete()
        _ask_streams_again(user.pk)
        audit.record(
            "member.removed",
            actor=by,
            workspace_id=workspace_id,
            about=user,
            data={"email": user.email, "role": current.role},
            request=request,
        )


def renew_password(membership: Membership, *, by: User, request: HttpRequest | None = None) -> str:
    """A new one-time password for somebody who lost theirs before ever signing in.

    Raises NotTheirsError for everybody else: an admin of one workspace must not become, by a new password, somebody
    who has rights in another one or in the whole installation.
    """
    user = membership.user
    works_elsewhere = user.memberships.exclude(workspace_id=membership.workspace_id).exists()
    if user.last_login is not None or user.is_staff or user.is_superuser or works_elsewhere:
        raise NotTheirsError
    password = one_time_password()
    user.set_password(password)
    user.must_change_password = True
    with transaction.atomic():
        user.save(update_fields=["password", "must_change_password"])
        audit.record(
            "password.renewed",
            actor=by,
            workspace_id=membership.workspace_id,
            about=user,
            data={"email": user.email},
            request=request,
        )
    return password


def _locked(membership: Membership) -> Membership:
    """The row as it is now. The workspace is locked too: two admins who remove each other take turns."""
    Workspace.objects.select_for_update().get(pk=membership.workspace_id)
    return Membership.objects.select_related("user").get(pk=membership.pk)


def _ask_streams_again(user_id: int) -> None:
    transaction.on_commit(partial(streams.ended_for, user_id))


def _refuse_last_admin(membership: Membership, *, leaving: bool) -> None:
    others = Membership.objects.filter(
        workspace_id=membership.workspace_id, role=Role.ADMIN, user__is_active=True
    ).exclude(pk=membership.pk)
    if leaving and not others.exists():
        raise LastAdminError
