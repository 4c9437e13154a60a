"""A studio whose wires to HeyGen and to PostgreSQL run through proxies, with a budget that is worth checking."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.core.management import call_command

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

    def renewed(self, *, undone: str = "") -> Wired:
        """As if it had just been installed, without the rule that is undone, and without a web process."""
        self.dailies.clear()
        self.simulator.control.reset()
        self.proxy.clear()
        self.valkey.clear()
        call_command("flush", verbosity=0, interactive=False)
        self.dailies.undone = undone
        self.dailies.start("worker", "commands", "beat")
        workspace, person = workspace_with_key(self.workspace.base_url, self.key)
        return replace(self, workspace=workspace, person=person)


def workspace_with_key(heygen_url: str, key: str) -> tuple[Workspace, User]:
    """A workspace with this key, and its administrator."""
    workspace: Workspace = WorkspaceFactory(base_url=heygen_url)
    person: User = UserFactory()
    MembershipFactory(user=person, workspace=workspace, role=Role.ADMIN)
    keys.save(workspace, key, by=person, checked=True)
    return workspace, person
