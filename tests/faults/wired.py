"""A studio whose wires to HeyGen and to PostgreSQL run through proxies, with a budget that is worth checking."""

from __future__ import annotations

from dataclasses import dataclass

from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory
from tests.faults.proxy import Proxy
from tests.studio import Studio
from workspaces_app import keys
from workspaces_app.models import Role, User, Workspace


@dataclass
class Wired(Studio):
    """`database` is None on SQLite: there is no wire. `rate` and `burst` are the budget of its key."""

    proxy: Proxy
    database: Proxy | None
    rate: float
    burst: int


def workspace_with_key(heygen_url: str, key: str) -> tuple[Workspace, User]:
    """A workspace with this key, and its administrator."""
    workspace: Workspace = WorkspaceFactory(base_url=heygen_url)
    person: User = UserFactory()
    MembershipFactory(user=person, workspace=workspace, role=Role.ADMIN)
    keys.save(workspace, key, by=person, checked=True)
    return workspace, person
