"""Who may: the one place where it is asked. What these functions return is already allowed.

A stranger gets 404 (`Http404`): that a workspace exists is none of their business. A member whose role is too
low gets 403 (`PermissionDenied`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import F, OuterRef, Subquery
from django.http import Http404
from django.utils.translation import gettext as _

from workspaces_app.models import Membership, Role, User, Workspace, WorkspaceQuerySet

Person = User | AnonymousUser


def visible_workspaces(user: Person) -> WorkspaceQuerySet:
    """The workspaces that `user` is a member of, by name."""
    return Workspace.objects.visible_to(user)


def with_roles(user: Person) -> WorkspaceQuerySet:
    """The same, each with `my_role`, what the person is there: a field of the membership that is joined already."""
    mine = F("memberships__role")
    return visible_workspaces(user).annotate(my_role=mine)  # type: ignore[no-redef]  # the model declares it


def role_in(user: Person, workspace_id: UUID) -> Role | None:
    """The person's role, or None for somebody who is not a member, signed out or switched off."""
    if not user.is_authenticated or not user.is_active:
        return None
    role = (
        Membership.objects.filter(user_id=user.pk, workspace_id=workspace_id)
        .values_list("role", flat=True)
        .first()
    )
    return None if role is None else Role(role)


def members_among(
    pairs: Iterable[tuple[int, UUID]], workspace_of: Mapping[UUID, UUID]
) -> set[tuple[int, UUID]]:
    """Those of the pairs (user_id, object_id) whose user is a member where the object belongs: one query for all.

    `workspace_of` leads from the object to its workspace; one that is not in there is nobody's.
    """
    asked = set(pairs)
    members = set(
        Membership.objects.filter(
            user__in={user_id for user_id, _object in asked},
            user__is_active=True,
            workspace__in=set(workspace_of.values()),
        ).values_list("user_id", "workspace_id")
    )
    return {pair for pair in asked if (pair[0], workspace_of.get(pair[1])) in members}


def require(user: Person, workspace_id: UUID, needed: Role) -> Role:
    """The person's role, which is at least `needed`; raises Http404 for strangers, PermissionDenied below it."""
    return required(role_in(user, workspace_id), needed)


def role_of(user: Person) -> Subquery:
    """The person's role as an annotation of rows that have a workspace: it comes with them instead of after them."""
    return Subquery(
        Membership.objects.filter(user_id=user.pk or -1, workspace_id=OuterRef("workspace_id")).values(
            "role"
        )[:1]
    )


def required(role: Role | None, needed: Role) -> Role:
    """The role, if it is at least `needed`; raises Http404 for strangers, PermissionDenied below it."""
    if role is None:
        raise Http404
    if not role.allows(needed):
        raise PermissionDenied(
            _("This needs the role “%(needed)s”; yours is “%(role)s”.")
            % {"needed": needed.label, "role": role.label}
        )
    return role


def workspace(user: Person, slug: str, *, needs: Role = Role.VIEWER) -> Workspace:
    """The workspace behind an address, when the person may do there what `needs` says."""
    found = visible_workspaces(user).filter(slug=slug).first()
    if found is None:
        raise Http404
    require(user, found.pk, needs)
    return found


def workspaces_with(user: Person, needed: Role) -> list[Workspace]:
    """The workspaces in which the person may do what `needed` says, by name: what a form offers."""
    return [each for each in with_roles(user) if Role(each.my_role).allows(needed)]
