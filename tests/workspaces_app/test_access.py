from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404

from tests.factories import CatalogueItemFactory, MembershipFactory, UserFactory, WorkspaceFactory
from workspaces_app import access
from workspaces_app.models import CatalogueItem, Membership, Role, Workspace

pytestmark = pytest.mark.django_db


def test_roles_are_ordered() -> None:
    allowed = {role: [needed for needed in Role if role.allows(needed)] for role in Role}
    assert allowed == {
        Role.VIEWER: [Role.VIEWER],
        Role.CREATOR: [Role.VIEWER, Role.CREATOR],
        Role.APPROVER: [Role.VIEWER, Role.CREATOR, Role.APPROVER],
        Role.ADMIN: [Role.VIEWER, Role.CREATOR, Role.APPROVER, Role.ADMIN],
    }


def test_visible_workspaces_are_those_of_the_member() -> None:
    membership = MembershipFactory()
    WorkspaceFactory()
    assert list(access.visible_workspaces(membership.user)) == [membership.workspace]
    assert list(access.visible_workspaces(AnonymousUser())) == []


def test_staff_see_only_their_own_workspaces_outside_the_admin() -> None:
    WorkspaceFactory()
    staff = UserFactory(is_staff=True, is_superuser=True)
    assert list(access.visible_workspaces(staff)) == []


def test_somebody_switched_off_sees_nothing() -> None:
    membership = MembershipFactory(user=UserFactory(is_active=False))
    assert list(access.visible_workspaces(membership.user)) == []
    assert access.role_in(membership.user, membership.workspace_id) is None
    assert access.workspaces_with(membership.user, Role.VIEWER) == []


def test_a_workspace_comes_once_with_the_role_of_who_asks() -> None:
    workspace = WorkspaceFactory()
    roles = {MembershipFactory(workspace=workspace, role=role).user: role for role in Role}
    found = {user: [each.my_role for each in access.with_roles(user)] for user in roles}
    assert found == {user: [role] for user, role in roles.items()}
    assert list(access.with_roles(AnonymousUser())) == []


def test_visible_to_scopes_every_row_with_a_workspace() -> None:
    mine = CatalogueItemFactory()
    CatalogueItemFactory()
    membership = MembershipFactory(workspace=mine.workspace)
    assert list(CatalogueItem.objects.visible_to(membership.user)) == [mine]
    assert list(Membership.objects.visible_to(membership.user)) == [membership]
    assert list(Workspace.objects.visible_to(membership.user)) == [mine.workspace]


def test_require_tells_strangers_and_members_apart() -> None:
    membership = MembershipFactory(role=Role.CREATOR)
    assert access.require(membership.user, membership.workspace_id, Role.CREATOR) is Role.CREATOR
    with pytest.raises(PermissionDenied, match="This needs the role “Approver”; yours is “Creator”"):
        access.require(membership.user, membership.workspace_id, Role.APPROVER)
    with pytest.raises(Http404):
        access.require(UserFactory(), membership.workspace_id, Role.VIEWER)
    with pytest.raises(Http404):
        access.require(AnonymousUser(), membership.workspace_id, Role.VIEWER)


def test_workspaces_with_offers_those_where_the_role_is_enough() -> None:
    user = UserFactory()
    MembershipFactory(user=user, role=Role.VIEWER)
    creating = MembershipFactory(user=user, role=Role.CREATOR)
    assert access.workspaces_with(user, Role.CREATOR) == [creating.workspace]
