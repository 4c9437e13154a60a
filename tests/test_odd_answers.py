"""Whatever HeyGen answers can be stored, or is a failure of that one object: no odd value poisons a row, let alone a batch.

The decoding is tested in tests/heygen; here its results go on to the database, PostgreSQL above all, which refuses what
SQLite takes: NUL in texts, texts that are too long, numbers that are too large.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from itertools import islice

import pytest
from django.db import transaction
from pytest_django.fixtures import Settings

from commands import delivery
from polling import drains, schedule
from polling.kinds import Change, Changed, Claim, Failed, Kind
from polling.models import PollState
from realtime_app.mirror.streams import STREAM
from realtime_app.mirror.words import WORDS
from sessions_app.mirror.adoption import SESSION_LIST
from sessions_app.mirror.resources import RESOURCE
from sessions_app.mirror.sessions import SESSION
from sessions_app.mirror.videos import VIDEO
from sessions_app.models import VideoSession
from tests.factories import (
    ResourceFactory,
    StreamFactory,
    VideoFactory,
    VideoSessionFactory,
    WorkspaceFactory,
)
from tests.heygen.server import KEY, Server, answer
from tests.heygen.test_decoding import answers, places, spoiled
from tests.processes import Valkey
from tests.sessions_app.mirroring import store
from tests.sessions_app.presses import press_in
from timeline.models import Exchange
from workspaces_app.account import ACCOUNT
from workspaces_app.catalogue import CATALOGUE
from workspaces_app.models import Workspace

# As JSON text, because some of them no Python value becomes.
ODD = {
    "NUL": '"a\\u0000b"',
    "half a character": '"a\\ud800b"',
    "NUL in a name": '{"a\\u0000": "\\udfff"}',
    "an overlong id": json.dumps("x" * 256),
    "a long text": json.dumps("x" * 70_000),
    "a huge number": "1" * 40,
    "a number of 5,000 digits": "1" * 5_000,
    "a negative number": "-1",
    "the year 60000": "1831371897600",
    "the year 9999": '"9999-12-31T23:59:59Z"',
    "the year 1": '"0001-01-01T00:00:00Z"',
    "a truth": "true",
    "a deep object": '{"a":' * 500 + "1" + "}" * 500,
}


def bodies(template: str, method: str = "get") -> Iterator[tuple[str, bytes]]:
    """The documented answer with each odd value in each place, as it comes over the wire."""
    whole = answers(template, method)
    for path in places(whole):
        text = json.dumps(spoiled(whole, path, "HERE"))
        for name, odd in ODD.items():
            yield f"{name} at {path}", text.replace('"HERE"', odd).encode()


@pytest.fixture(scope="module")
def wire() -> Iterator[Server]:
    with Server() as found:
        yield found


@pytest.fixture(autouse=True)
def _no_budget(settings: Settings, valkey: Valkey) -> None:
    settings.POLL_REQUESTS_PER_SECOND = settings.POLL_BURST = 100_000


def here(wire: Server) -> Workspace:
    return WorkspaceFactory(base_url=wire.url, key=KEY)


def an_object(kind: Kind, workspace: Workspace) -> uuid.UUID:
    """A row of that kind, not read yet."""
    if kind is SESSION:
        return VideoSessionFactory(workspace=workspace, remote_id="x").pk
    if kind is RESOURCE:
        return ResourceFactory(session__workspace=workspace, resource_id="x").pk
    if kind is VIDEO:
        return VideoFactory(session__workspace=workspace, video_id="x").pk
    if kind in (STREAM, WORDS):
        return StreamFactory(workspace=workspace, stream_id="x").pk
    return workspace.pk


def poll(kind: Kind, workspace: Workspace, object_id: uuid.UUID) -> str:
    """One poll with everything real but the engine: "stored", "same" or why it failed."""
    claim = Claim(
        pk=1, kind=kind.name, object_id=object_id, workspace_id=workspace.pk,
        fingerprint=workspace.key_fingerprint, sequence=8, lease_token=uuid.uuid4(), digest="", group="working",
        failures=0, polled_at=None, changed_at=None, watched=False,
    )  # fmt: skip
    job = kind.load([claim])[object_id]
    reading = kind.read(claim, job)
    if isinstance(reading, Failed):
        return reading.reason
    if not isinstance(reading, Changed):
        return "same"
    store(kind, [Change(claim, job, reading.value, reading.digest, reading.group or "working")])
    return "stored"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "template"),
    [
        (SESSION, "/v3/video-agents/{session_id}"),
        (SESSION_LIST, "/v3/video-agents"),
        (RESOURCE, "/v3/video-agents/{session_id}/resources/{resource_id}"),
        (VIDEO, "/v3/videos/{video_id}"),
        (STREAM, "/v3/avatar-realtime/{stream_id}"),
        (ACCOUNT, "/v3/users/me"),
        (CATALOGUE, "/v3/avatars/looks"),
        (CATALOGUE, "/v3/voices"),
        (CATALOGUE, "/v3/brand-kits"),
    ],
    ids=lambda value: value.name if isinstance(value, Kind) else value,
)
def test_odd_values_in_every_place_can_be_stored(
    wire: Server, kind: Kind, template: str, pytestconfig: pytest.Config
) -> None:
    workspace = here(wire)
    object_id = an_object(kind, workspace)
    came_to: dict[str, str] = {}
    # A third of them reaches every place with some values, and every value in some places; all with --long.
    step = 1 if pytestconfig.getoption("--long") else 3
    for what, body in islice(bodies(template), 0, None, step):
        wire.reply(answer(body))
        with transaction.atomic():
            came_to[what] = poll(kind, workspace, object_id)
            transaction.set_rollback(True)

    assert set(came_to.values()) <= {"stored", "bad_payload"}
    # The object itself, its id, its status: little else may make an answer unusable.
    unusable = [what for what, outcome in came_to.items() if outcome != "stored"]
    assert len(unusable) < len(came_to) / 2, unusable


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("place", ["word", "start", "end"])
def test_odd_words_can_be_stored(wire: Server, place: str, odd: str) -> None:
    workspace = here(wire)
    text = json.dumps({"words": [{"word": "Hi", "start": 0.1, "end": 0.2, place: "HERE"}]})
    events = f"data: {text}\n\nevent: end\ndata: {{}}\n\n".replace('"HERE"', ODD[odd])
    wire.reply(answer(events.encode(), headers={"Content-Type": "text/event-stream"}))

    assert poll(WORDS, workspace, an_object(WORDS, workspace)) == "stored"


BROKEN = {
    "NUL in a gateway's page": answer(b"<html>\x00</html>", 502, {"Content-Type": "text/html"}),
    "NUL in a page with 200": answer(b"<html>\x00</html>", 200, {"Content-Type": "text/html"}),
    "NUL in a refusal": answer(b'{"error": {"code": "a\\u0000b", "message": "\\u0000\\ud800"}}', 400),
    "NUL in the request's id": answer({"error": {"code": "x"}}, 500, {"X-Request-Id": "a\x00b"}),
    "NUL between values": answer(b'{"data": \x00}'),
    "not UTF-8": answer(b'{"data": {"session_id": "\xff\xfe"'),
    "UTF-16": answer('{"data": {}}'.encode("utf-16")),
    "nested without end": answer(b"[" * 100_000),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_answer_is_a_failure_of_its_own_and_the_next_one_heals_it(wire: Server, broken: str) -> None:
    workspace = here(wire)
    session = VideoSessionFactory(workspace=workspace, remote_id="x")
    schedule.enroll("session", [session.pk], workspace_id=workspace.pk, fingerprint=workspace.key_fingerprint)
    wire.reply(BROKEN[broken])

    drains.drain("polls", claiming_seconds=0)

    state = PollState.objects.get(object_id=session.pk)
    assert (state.failures, state.lease_token) == (1, None)
    assert state.reason in {"server_error", "bad_payload", "refused"}

    wire.reply(answer(answers("/v3/video-agents/{session_id}", "get")))
    schedule.wake("session", [session.pk])
    drains.drain("polls", claiming_seconds=0)

    state.refresh_from_db()
    session = VideoSession.objects.get(pk=session.pk)
    assert (state.failures, state.reason, session.title) == (0, "", "x")


def odd_create(odd: str) -> bytes:
    text = json.dumps({"data": {"session_id": "new", "created_at": 1, "video_id": "HERE", "note": "HERE"}})
    return answer(text.replace('"HERE"', odd).encode())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("odd", ODD)
def test_an_accepted_create_stays_accepted_whatever_else_its_answer_holds(wire: Server, odd: str) -> None:
    """Else nobody would know that it was paid for."""
    session = VideoSessionFactory(workspace=here(wire), remote_id=None, status="")
    payload = {"prompt": "A film", "mode": "chat", "dialect": "current"}
    command = press_in(session, kind="session.create", payload=payload)
    wire.reply(odd_create(ODD[odd]))

    delivery.advance(command.pk)

    command.refresh_from_db()
    session.refresh_from_db()
    assert (command.state, command.remote_ref, session.remote_id) == ("accepted", "new", "new")
    assert Exchange.objects.filter(object_id=session.pk).count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_answer_to_a_press_is_stored_as_what_it_is(wire: Server, broken: str) -> None:
    session = VideoSessionFactory(workspace=here(wire), remote_id="x")
    command = press_in(session)
    wire.reply(BROKEN[broken])

    delivery.advance(command.pk)

    command.refresh_from_db()
    assert command.state == ("refused" if broken == "NUL in a refusal" else "unknown")
