"""People, a workspace at a real simulator whose clock stands still, and the two engines in this very thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from commands import delivery, hints, tokens
from commands.models import Command
from polling import drains, schedule
from polling.budget import Priority
from realtime_app import actions
from realtime_app.actions import NewStream
from realtime_app.models import Stream, StreamKind
from simulator.testing import Running, running
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory
from workspaces_app.connections import client_for
from workspaces_app.models import Role, User, Workspace

API_KEY = "sk_live_only-for-tests-of-streams"
# How long the simulator may prepare an avatar, in its seconds.
PREPARATION_SECONDS = 40


@pytest.fixture
def workspace(db: None) -> Workspace:
    return WorkspaceFactory(name="Studio", slug="studio")


@pytest.fixture
def member(workspace: Workspace) -> Callable[[Role], User]:
    return lambda role: MembershipFactory(workspace=workspace, role=role).user


@pytest.fixture
def creator(member: Callable[[Role], User]) -> User:
    return member(Role.CREATOR)


@pytest.fixture
def viewer(member: Callable[[Role], User]) -> User:
    return member(Role.VIEWER)


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody with a workspace of their own."""
    return MembershipFactory(role=Role.ADMIN, user=UserFactory()).user


@pytest.fixture
def browse() -> Callable[[User], Client]:
    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture(autouse=True)
def _no_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs beside a test: it does by itself what is due."""
    monkeypatch.setattr(hints, "deliver", lambda command_id: None)


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[Running]:
    with running(keys=[API_KEY]) as simulator:
        yield simulator


@pytest.fixture
def simulator(simulator_process: Running, valkey: object, settings: Settings) -> Running:
    """A HeyGen that answers over HTTP and whose time passes only when a test says so."""
    settings.POLL_REQUESTS_PER_SECOND = settings.POLL_BURST = 1000
    simulator_process.control.reset()
    simulator_process.control.freeze()
    return simulator_process


@dataclass(frozen=True)
class Studio:
    """A workspace at the simulator, a person in it, and what workers would do."""

    workspace: Workspace
    person: User
    simulator: Running
    look: str
    voice: str

    def start(self, text: str = "Good morning.", kind: StreamKind = StreamKind.TEXT_STREAM) -> Stream:
        """A stream that was asked for, and nothing more."""
        return actions.create(
            self.workspace,
            NewStream(kind=kind, avatar_id=self.look, voice_id=self.voice, text=text),
            token=tokens.new(),
            by=self.person,
        )

    def playing(self, text: str = "Good morning.", kind: StreamKind = StreamKind.TEXT_STREAM) -> Stream:
        """A stream that HeyGen plays and that the mirror has seen playing."""
        stream = self.start(text, kind)
        self.deliver()
        stream.refresh_from_db()
        for _ in range(PREPARATION_SECONDS * 2):
            if self.at_heygen(stream)["status"] == "streaming":
                break
            self.simulator.control.advance(0.5)
        return self.poll(stream)

    def at_heygen(self, stream: Stream) -> dict[str, Any]:
        """The simulator's own knowledge of the stream."""
        return self.simulator.control.stream(stream.stream_id or "")

    def push(self, stream: Stream, text: str, *, final: bool = False) -> Command:
        return actions.push(stream, text=text, final=final, token=tokens.new(), by=self.person)

    def deliver(self) -> None:
        """Sends what is queued, in the order of pressing."""
        for command in Command.objects.filter(state="queued").order_by("id"):
            delivery.advance(command.pk)

    def poll(self, stream: Stream, kind: str = "stream") -> Stream:
        """Reads the stream (or its words) now, and gives the row as it is then."""
        schedule.wake(kind, [stream.pk])
        drains.drain("words" if kind == "words" else "polls")
        return Stream.objects.get(pk=stream.pk)


@pytest.fixture
def studio(transactional_db: None, simulator: Running) -> Studio:
    workspace = WorkspaceFactory(base_url=simulator.url, key=API_KEY)
    person = MembershipFactory(workspace=workspace, role=Role.CREATOR).user
    client = client_for(workspace, priority=Priority.COMMAND)
    look = client.list_looks(ownership="public").items[0].look_id
    voice = client.list_voices(type="public").items[0].voice_id
    return Studio(workspace, person, simulator, look, voice)
