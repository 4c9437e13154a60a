from __future__ import annotations

import io
import logging

import pytest

import heygen
from heygen import ApiError, Call, Client, CreateSession, SendMessage, Tts
from tests.fakes import CREATED
from tests.heygen.dialects import in_dialect
from tests.heygen.server import KEY, Server, answer, error


class Notebook:
    """A gate that lets everything pass, or nothing, and writes down what it was told."""

    def __init__(self, *, held: heygen.Held | None = None) -> None:
        self.held = held
        self.admitted: list[Call] = []
        self.observed: list[tuple[Call, ApiError | None]] = []

    def admit(self, call: Call) -> None:
        if self.held is not None:
            raise self.held
        self.admitted.append(call)

    def observe(self, call: Call, error: ApiError | None) -> None:
        self.observed.append((call, error))


def gated(server: Server, gate: heygen.Gate) -> Client:
    return Client(base_url=server.url, key=KEY, gate=gate, read_deadline=5, write_deadline=5)


def test_every_attempt_passes_and_is_observed(server: Server) -> None:
    gate = Notebook()
    client = gated(server, gate)
    server.data(
        {"session_id": "s", "status": "thinking", "created_at": CREATED, "stream_id": "st", "asset_id": "a"}
    )

    client.read_session("s")
    client.create_session(CreateSession("Hi"))
    client.send_message("s", SendMessage("Yes"))
    client.stop_session("s")
    client.create_stream(Tts("look", "voice", "Hello"))
    client.append_text("st", "More")
    client.upload_asset(io.BytesIO(b"x"), "a.png", "image/png")
    client.put_upload(
        heygen.DirectUpload.from_json({"asset_id": "a", "upload_url": f"{server.url}/put"}),
        io.BytesIO(b"x"),
        1,
    )

    session = "/v3/video-agents/{session_id}"
    expected = [
        Call("GET", session, paid=False, write=False),
        Call("POST", "/v3/video-agents", paid=True, write=True),
        Call("POST", session, paid=True, write=True),
        Call("POST", f"{session}/stop", paid=False, write=True),
        Call("POST", "/v3/avatar-realtime", paid=True, write=True),
        Call("POST", "/v3/avatar-realtime/{stream_id}/text", paid=False, write=True),
        Call("POST", "/v3/assets", paid=False, write=True),
        Call("PUT", "upload_url", paid=False, write=True),
    ]
    assert gate.admitted == expected
    assert gate.observed == [(call, None) for call in expected]


def test_what_is_held_is_not_sent_and_not_observed(server: Server) -> None:
    held = heygen.Held("budget", 2.5)
    gate = Notebook(held=held)
    client = gated(server, gate)

    for call in (
        lambda: client.read_session("s"),
        lambda: client.words("st"),
        lambda: in_dialect(client, heygen.Dialect.SESSIONS).me(),
    ):
        with pytest.raises(heygen.Held) as caught:
            call()
        assert (caught.value.reason, caught.value.retry_after, caught.value.status) == ("budget", 2.5, None)

    assert server.received == []
    assert gate.observed == []


def test_errors_are_observed_as_they_are_raised(server: Server) -> None:
    gate = Notebook()
    client = gated(server, gate)
    server.reply(
        error(429, "rate_limit_exceeded", "", {"Retry-After": "20"}), answer(b"<html>"), answer({"data": {}})
    )

    raised = []
    for _ in range(3):
        with pytest.raises(ApiError) as caught:
            client.read_session("s")
        raised.append(caught.value)

    assert [error for _, error in gate.observed] == raised
    assert [type(one) for one in raised] == [heygen.RateLimited, heygen.BadPayload, heygen.BadPayload]


def test_an_accepted_answer_survives_a_gate_that_breaks(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Notebook):
        def observe(self, call: Call, error: ApiError | None) -> None:
            raise RuntimeError("no Redis")

    server.data({"session_id": "s", "status": "thinking", "created_at": CREATED})
    caplog.set_level(logging.ERROR, "heygen")

    assert gated(server, Broken()).create_session(CreateSession("Hi")).session_id == "s"
    assert "gate could not observe POST /v3/video-agents" in caplog.text


def test_a_call_that_the_dialect_lacks_asks_no_gate(server: Server) -> None:
    gate = Notebook()
    client = in_dialect(gated(server, gate), heygen.Dialect.SESSIONS)

    with pytest.raises(heygen.Unsupported):
        client.list_sessions()

    assert (gate.admitted, gate.observed) == ([], [])
