"""A running Dailies with its simulated HeyGen and one workspace: where tests of the whole installation work."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import override_settings

from commands import tokens
from config.celery import app as celery_app
from sessions_app import actions, storyboard
from sessions_app.models import VideoSession
from simulator.testing import Running
from tests.installation import Installation
from tests.processes import Valkey, wait_until
from workspaces_app.models import User, Workspace


@dataclass
class Studio:
    """A running Dailies, its simulated HeyGen, and a person who may do everything in its one workspace.

    `key` is the workspace's account at the simulator: what other workspaces do there is not seen here.
    """

    dailies: Installation
    simulator: Running
    valkey: Valkey
    workspace: Workspace
    person: User
    key: str

    def create(self, prompt: str, *, mode: str = "chat", token: str = "") -> VideoSession:
        return actions.create(
            self.workspace,
            values={"prompt": prompt, "mode": mode},
            files=[],
            token=token or tokens.new(),
            by=self.person,
        )

    def storyboard(self, session: VideoSession, *, after: int = 0) -> storyboard.Revision:
        """The newest storyboard with a number above `after`, as soon as its pictures are described."""
        found: list[storyboard.Revision] = []

        def described() -> bool:
            newest = storyboard.newest(session)
            found[:] = [newest] if newest is not None and newest.number > after else []
            return bool(found) and all(resource.read_at for resource in found[0].resources)

        wait_until(described, seconds=60, what="the storyboard's pictures are described")
        return found[0]

    def stored_log(self, session: VideoSession) -> list[tuple[str, str]]:
        """(role, text) of every message that we have, oldest first."""
        return list(session.messages.order_by("position").values_list("role", "content"))

    def remote_log(self, session: VideoSession) -> list[tuple[str, str]]:
        """The same as HeyGen knows it, beyond what it shows."""
        truth = self.simulator.control.session(session.remote_id)
        return [(message["role"], message["content"]) for message in truth["message_log"]]

    def accepted(self) -> list[dict[str, Any]]:
        """Paid calls of this workspace that HeyGen accepted."""
        ledger = self.simulator.control.ledger()["accepted"]
        return [entry for entry in ledger if entry["account"] == self.key]

    def sent(self) -> list[str]:
        """What HeyGen accepted as messages to its agents, oldest first."""
        return [entry["body"]["message"] for entry in self.accepted() if entry["kind"] == "send_message"]

    def until(self, session: VideoSession, condition: str, *, seconds: float = 30) -> None:
        """Waits until `session`, read again, fulfils e.g. `group == "needs_you"`; shows the logs when it does not."""

        def fulfilled() -> bool:
            session.refresh_from_db()
            return bool(eval(condition, {}, vars(session) | {"session": session}))

        try:
            wait_until(fulfilled, seconds=seconds, what=condition)
        except AssertionError:
            logs = "\n".join(
                f"--- {name}\n{self.dailies.log(name)[-3000:]}" for name in ("worker", "commands", "beat")
            )
            raise AssertionError(f"{condition}: {vars(session)}\n{logs}") from None


@contextlib.contextmanager
def pointed_at(simulator: Running, valkey: Valkey) -> Iterator[None]:
    """Lets the test's own process talk to the same HeyGen and the same Valkey as the installation's processes."""
    from django.conf import settings

    patch = pytest.MonkeyPatch()
    # The hints of presses that the test makes itself go to the same broker.
    patch.setattr(celery_app.conf, "broker_url", valkey.url)
    with override_settings(
        HEYGEN_BASE_URL=simulator.url,
        MEDIA_HOSTS=[simulator.url],
        REDIS_URL=valkey.url,
        CELERY_BROKER_URL=valkey.url,
        CACHES={"default": {**settings.CACHES["default"], "LOCATION": valkey.url}},
    ):
        yield
    patch.undo()
