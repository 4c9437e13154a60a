"""FakeClient is only worth something as long as it looks like the client."""

from __future__ import annotations

import inspect

import pytest

import heygen
from tests.fakes import FakeCall, FakeClient, remote_message, remote_session


def public(cls: type) -> dict[str, object]:
    return {
        name: inspect.signature(member) if callable(member) else "property"
        for name, member in inspect.getmembers(cls)
        if not name.startswith("_")
    }


def test_it_has_the_public_names_and_parameters_of_the_client() -> None:
    own = {"called"}
    fake, real = public(FakeClient), public(heygen.Client)

    assert {k: v for k, v in fake.items() if k not in own} == {k: v for k, v in real.items() if k not in own}


def test_it_serves_a_list_in_order_and_anything_else_for_ever() -> None:
    first, second = remote_session(status="thinking"), remote_session(status="completed")
    client = FakeClient(read_session=[first, heygen.NotFound(status=404), second], me="an account")

    assert client.read_session("a") is first
    with pytest.raises(heygen.NotFound):
        client.read_session("b")
    assert client.read_session("c") is second
    with pytest.raises(AssertionError, match="no further answer"):
        client.read_session("d")
    assert [client.me(), client.me()] == ["an account", "an account"]
    assert client.calls[0] == FakeCall("read_session", {"session_id": "a"})


def test_it_calls_a_function_and_refuses_what_has_no_script() -> None:
    client = FakeClient(read_session=lambda session_id: remote_session(session_id))

    assert client.read_session("x").session_id == "x"
    with pytest.raises(AssertionError, match="no answer for me"):
        client.me()
    with pytest.raises(TypeError, match="no_such_call"):
        FakeClient(no_such_call=1)


def test_a_poll_follows_the_script_of_the_read() -> None:
    client = FakeClient(read_session=remote_session())

    first = client.poll_session("session-1")

    assert first.session is not None
    assert client.poll_session("session-1", first.digest).session is None


def test_builders_keep_order_and_raw_together() -> None:
    session = remote_session(messages=[remote_message("first"), remote_message("second")])

    assert [message.content for message in session.messages] == ["first", "second"]
    assert [message["content"] for message in session.raw["messages"]] == ["second", "first"]
