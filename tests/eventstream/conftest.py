"""A real uvicorn in a thread, a topic whose objects live in memory, and a reader of event streams."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

import pytest
import uvicorn
from django.test import Client

from config.embedded import listen
from config.web import Server
from eventstream import asgi, hub, sessions, topics
from polling.changes import Announcement, announce
from tests.factories import UserFactory
from tests.processes import wait_until

WORKSPACE = UUID(int=1)


@dataclass
class Things:
    """The objects of the topic "thing": a version each, who may see them, and what was rendered."""

    versions: dict[UUID, int] = field(default_factory=lambda: defaultdict(lambda: 1))
    strangers: set[int] = field(default_factory=set)
    rendered: list[tuple[int | None, str, str]] = field(default_factory=list)
    ages: dict[UUID, float] = field(default_factory=dict)
    broken: Exception | None = None
    hold: threading.Event = field(default_factory=threading.Event)
    padding: str = ""

    def __post_init__(self) -> None:
        self.hold.set()

    def allowed(self, pairs: Iterable[topics.Pair]) -> set[topics.Pair]:
        if self.broken:
            raise self.broken
        return {pair for pair in pairs if pair[0] not in self.strangers}

    def version(self, object_id: UUID) -> int:
        return self.versions[object_id]

    def fragments(self, object_id: UUID, since: int | None, language: str, variant: str) -> str:
        assert self.hold.wait(10)
        self.rendered.append((since, language, variant))
        return f"<hx-partial>{since} to {self.versions[object_id]}\n{self.padding}</hx-partial>"

    def age(self, object_id: UUID) -> float | None:
        return self.ages.get(object_id)

    def change(self, object_id: UUID, *, tell: bool = True) -> int:
        self.versions[object_id] += 1
        if tell:
            announce([Announcement(WORKSPACE, "thing", object_id, self.versions[object_id])])
        return self.versions[object_id]


@pytest.fixture
def things(monkeypatch: pytest.MonkeyPatch) -> Things:
    made = Things()
    monkeypatch.setattr(topics, "_topics", {})
    topics.register(topics.Topic("thing", made.allowed, made.version, made.fragments, made.age))
    return made


@pytest.fixture
def fresh_hub(monkeypatch: pytest.MonkeyPatch) -> hub.Hub:
    """A hub of this test's own, with a sign of life every two seconds."""
    made = hub.Hub(alive_seconds=2)
    for module in (asgi, hub, sessions):
        monkeypatch.setattr(module, "hub", made)
    return made


@pytest.fixture
def server(transactional_db: None, valkey_url: str, things: Things, fresh_hub: hub.Hub) -> Iterator[int]:
    """The port of a running web server."""
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(asgi.stream, lifespan="off", log_config=None, ws="none", loop="uvloop")
    running = Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    wait_until(lambda: running.started, what="uvicorn is up")
    yield listening.getsockname()[1]
    running.should_exit = True
    thread.join(5)
    assert not thread.is_alive()


@dataclass(frozen=True)
class Received:
    data: str
    name: str = ""
    id: str = ""


class Reader:
    """One open stream, or the refusal of one."""

    def __init__(self, port: int, path: str, headers: dict[str, str], *, method: str = "GET") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        self.connection.request(method, path, headers=headers)
        self.response = self.connection.getresponse()

    @property
    def status(self) -> int:
        return self.response.status

    def next(self) -> Received | None:
        """The next event; None when the server has ended the stream."""
        fields: dict[str, str] = {}
        while line := self.response.readline().decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            fields[name] = f"{fields[name]}\n{value}" if name in fields else value
        if not fields:
            return None
        return Received(fields.get("data", ""), fields.get("event", ""), fields.get("id", ""))

    def next_frame(self) -> Received | None:
        """The next event that is no sign of life."""
        while (received := self.next()) is not None and received.name == "alive":
            pass
        return received

    def next_alive(self) -> dict[str, float | None]:
        while (received := self.next()) is not None and received.name != "alive":
            pass
        assert received is not None, "the stream has ended"
        pulse: dict[str, float | None] = json.loads(received.data)
        return pulse

    def ended(self) -> bool:
        """Whether the server ends the stream within the socket's timeout."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if self.next() is None:
                return True
        return False

    def close(self) -> None:
        self.response.close()
        self.connection.close()


Connect = Callable[..., Reader]


@pytest.fixture
def person(transactional_db: None) -> Client:
    """A signed-in browser."""
    client = Client()
    client.force_login(UserFactory())
    return client


@pytest.fixture
def connect(server: int, person: Client, settings: object) -> Iterator[Connect]:
    """Opens a stream on a thing, as `person` unless told otherwise."""
    opened = []

    def open_stream(
        thing: UUID,
        query: str = "",
        *,
        who: Client | None = person,
        path: str = "",
        method: str = "GET",
        **headers: str,
    ) -> Reader:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            sent["Cookie"] = "; ".join(f"{name}={morsel.value}" for name, morsel in who.cookies.items())
        reader = Reader(server, path or f"/stream/thing/{thing}/{query}", sent, method=method)
        opened.append(reader)
        return reader

    yield open_stream
    for reader in opened:
        reader.close()
