"""A remote side of the ledger's tests: it counts what reaches it and answers as it is told."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from uuid import UUID

import uuid6

from commands import kinds, ledger, tokens
from commands.kinds import Accepted, Outcome, Refused, Settlement
from commands.models import Command
from workspaces_app.models import User, Workspace

Answer = Outcome | Exception | Callable[[Command], Outcome]


class Remote:
    """Where the test kinds send to. `arrived` is what came in, by command id and in order."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.arrived: list[UUID] = []
        self.answers: dict[UUID, list[Answer]] = defaultdict(list)
        self.sightings: dict[UUID, list[Settlement | Exception]] = defaultdict(list)
        # The app's side: what the hooks were told.
        self.followed: list[tuple[UUID, Accepted | Refused]] = []
        self.shown: list[tuple[UUID, str, str]] = []
        self.repeats: list[tuple[UUID, UUID]] = []
        self.hook_crashes = 0

    def will(self, command: Command, *answers: Answer) -> None:
        """What the next sends of `command` come to; after those it is accepted."""
        self.answers[command.pk] += answers

    def will_show(self, command: Command, *sightings: Settlement | Exception) -> None:
        self.sightings[command.pk] += sightings

    def send(self, command: Command) -> Outcome:
        with self.lock:
            self.arrived.append(command.pk)
            waiting = self.answers[command.pk]
            answer = waiting.pop(0) if waiting else Accepted(f"remote-{command.pk}", {"ok": True})
        if isinstance(answer, Exception):
            raise answer
        return answer(command) if callable(answer) else answer

    def settle(self, command: Command) -> Settlement:
        with self.lock:
            waiting = self.sightings[command.pk]
            sighting = waiting.pop(0) if waiting else kinds.NotYet()
        if isinstance(sighting, Exception):
            raise sighting
        return sighting

    def follow(self, command: Command, outcome: Accepted | Refused) -> None:
        if self.hook_crashes:
            self.hook_crashes -= 1
            # A write first: it must not survive the crash.
            Command.objects.filter(pk=command.pk).update(remote_ref="half done")
            raise RuntimeError("the app's own rows")
        self.followed.append((command.pk, outcome))

    def show(self, command: Command) -> None:
        self.shown.append((command.pk, command.state, command.waiting_for))

    def repeated(self, old: Command, new: Command) -> None:
        self.repeats.append((old.pk, new.pk))

    def kind(self, name: str, **options: Any) -> kinds.CommandKind:
        kind = kinds.CommandKind(
            **{
                "name": name,
                "send": self.send,
                "accepted": self.follow,
                "refused": self.follow,
                "settle": self.settle,
                "changed": self.show,
                "repeated": self.repeated,
                **options,
            }
        )
        kinds.register(kind)
        return kind


class Presser:
    """Presses buttons of one workspace as one person."""

    def __init__(self, workspace: Workspace, person: User) -> None:
        self.workspace = workspace
        self.person = person

    def __call__(
        self,
        kind: str = "session.create",
        *,
        object_id: UUID | None = None,
        token: str | None = None,
        payload: dict[str, Any] | None = None,
    ) -> Command:
        command, _ = self.press(kind, object_id=object_id, token=token, payload=payload)
        return command

    def press(
        self,
        kind: str,
        *,
        object_id: UUID | None = None,
        token: str | None = None,
        payload: dict[str, Any] | None = None,
    ) -> tuple[Command, bool]:
        return ledger.record(
            kind,
            object_id=object_id or uuid6.uuid7(),
            workspace_id=self.workspace.pk,
            payload={"prompt": "a red door"} if payload is None else payload,
            token=token or tokens.new(),
            by=self.person,
        )
