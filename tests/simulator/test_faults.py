"""Faults: each kind does what it says, as often as it says, and says truly whether the work was done."""

from __future__ import annotations

import email.utils
import time
from typing import Any

import pytest
import requests
from schemathesis.openapi.checks import JsonSchemaError

from .conftest import Api

CREATE = "/v3/video-agents"
BODY = {"prompt": "Tea", "mode": "chat"}


@pytest.fixture
def raw(api: Api) -> Api:
    """The API without a look at the contract: faults break it."""
    api.validate = False
    return api


def create(api: Api, **arguments: Any) -> requests.Response:
    return api.call("POST", "/video-agents", json=BODY, **arguments)


def accepted(api: Api) -> int:
    return len(api.simulator.control.ledger()["accepted"])


@pytest.mark.parametrize("status", [401, 402, 404, 409, 429, 500, 502, 503, 504])
def test_statuses(api: Api, status: int) -> None:
    api.simulator.control.fault("status", status=status)
    response = api.call("GET", "/users/me")
    assert response.status_code == status
    assert api.call("GET", "/users/me").status_code == 200


@pytest.mark.parametrize("value", [20, "20", "soon", "-1", ""])
def test_retry_after_is_sent_as_it_is(raw: Api, value: int | str) -> None:
    raw.simulator.control.fault("status", status=429, retry_after=value)
    assert raw.call("GET", "/users/me").headers["Retry-After"] == str(value)


def test_retry_after_as_a_date(raw: Api) -> None:
    raw.simulator.control.fault("status", status=429, retry_after="date+20")
    moment = email.utils.parsedate_to_datetime(raw.call("GET", "/users/me").headers["Retry-After"])
    assert 17 <= moment.timestamp() - time.time() <= 21


def test_bodies_that_are_no_envelope(raw: Api) -> None:
    control = raw.simulator.control
    control.fault("html")
    control.fault("empty", status=503)
    control.fault("text", status=403, message="error code: 1010")
    control.fault("wrong-type")
    control.fault("truncated")
    answers = [raw.call("GET", "/users/me") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [502, 503, 403, 200, 200]
    assert "<h1>502 Bad Gateway</h1>" in answers[0].text
    assert answers[1].content == b""
    assert answers[2].text == "error code: 1010"
    assert answers[3].headers["content-type"] == "text/html; charset=utf-8"
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answers[4].json()


def test_connection_dropped_before_the_work(raw: Api) -> None:
    raw.simulator.control.fault("drop", CREATE, method="POST")
    with pytest.raises(requests.ConnectionError):
        create(raw)
    assert accepted(raw) == 0


@pytest.mark.parametrize("kind", ["drop", "status", "html", "empty"])
def test_answer_lost_after_the_work(raw: Api, kind: str) -> None:
    raw.simulator.control.fault(kind, CREATE, method="POST", after=True, status=504)
    if kind == "drop":
        with pytest.raises(requests.ConnectionError):
            create(raw)
    else:
        assert create(raw).status_code == 504
    (entry,) = raw.simulator.control.ledger()["accepted"]
    assert (entry["kind"], entry["body"]) == ("create_session", BODY)
    assert [item["session_id"] for item in raw.get("/video-agents")] == [entry["id"]]


def test_cut_in_the_middle_of_the_body(raw: Api) -> None:
    raw.simulator.control.fault("cut")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        raw.call("GET", "/users/me")


def test_slow_before_and_after(raw: Api) -> None:
    raw.simulator.control.fault("slow", CREATE, method="POST", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        create(raw, timeout=0.3)
    assert accepted(raw) == 0
    raw.simulator.control.fault("slow", CREATE, method="POST", seconds=0.4, after=True)
    begun = time.monotonic()
    assert create(raw).status_code == 200
    assert time.monotonic() - begun >= 0.4


def test_drip(raw: Api) -> None:
    raw.simulator.control.fault("drip", rate=50)
    begun = time.monotonic()
    received = b""
    with raw.session.get(f"{raw.simulator.url}/v3/users/me", stream=True, timeout=5) as response:
        for chunk in response.iter_content(1):
            received += chunk
            if len(received) == 20:
                break
    assert time.monotonic() - begun >= 0.3


def test_huge_and_bomb(raw: Api) -> None:
    raw.simulator.control.fault("huge", size=5_000_000)
    assert 4_900_000 < len(raw.call("GET", "/users/me").content) < 5_100_000
    raw.simulator.control.fault("gzip-bomb", size=50_000_000)
    with raw.session.get(f"{raw.simulator.url}/v3/users/me", stream=True, timeout=30) as response:
        assert response.headers["content-encoding"] == "gzip"
        assert len(response.raw.read(decode_content=False)) < 100_000


def test_redirect_to_another_host(raw: Api) -> None:
    raw.simulator.control.fault("redirect", url="http://127.0.0.2:9/steal")
    response = raw.call("GET", "/users/me", allow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (307, "http://127.0.0.2:9/steal")


def test_edited_answers(raw: Api) -> None:
    session_id = raw.create()
    raw.simulator.control.fault(
        "edit",
        "/v3/video-agents/{session_id}",
        set={"data.status": "pondering", "data.mood": {"is": "good"}, "data.messages.0.type": "hologram"},
        remove=["data.title"],
    )
    data = raw.call("GET", f"/video-agents/{session_id}").json()["data"]
    assert (data["status"], data["mood"], data["messages"][0]["type"]) == (
        "pondering",
        {"is": "good"},
        "hologram",
    )
    assert "title" not in data


def test_the_look_at_the_contract_can_fail(api: Api) -> None:
    api.contract.checked.clear()
    session_id = api.create()
    api.simulator.control.fault("edit", "/v3/video-agents/{session_id}", set={"data.created_at": "yesterday"})
    with pytest.raises(JsonSchemaError, match="created_at"):
        api.call("GET", f"/video-agents/{session_id}")


def test_faults_strike_only_what_they_name(raw: Api, other: Api) -> None:
    control = raw.simulator.control
    control.fault("status", "/v3/users/*", method="GET", key=raw.simulator.key, skip=1, count=2, status=503)
    assert other.call("GET", "/users/me").status_code == 200
    assert raw.call("GET", "/voices").status_code == 200
    assert [raw.call("GET", "/users/me").status_code for _ in range(4)] == [200, 503, 503, 200]


def test_faults_until_cleared(raw: Api) -> None:
    control = raw.simulator.control
    control.fault("status", status=503, count=None)
    assert [raw.call("GET", "/users/me").status_code for _ in range(3)] == [503] * 3
    assert [(fault["kind"], fault["struck"]) for fault in control.faults()] == [("status", 3)]
    control.clear_faults()
    assert raw.call("GET", "/users/me").status_code == 200


def test_files_can_fail_too(raw: Api) -> None:
    look = raw.get("/avatars/looks?limit=1")[0]["preview_image_url"]
    raw.simulator.control.fault("status", status=503, count=None)
    raw.simulator.control.fault("status", "/media/looks/*", status=403)
    assert [requests.get(look, timeout=10).status_code for _ in range(2)] == [403, 200]


@pytest.mark.parametrize(
    "document", [{"kind": "nonsense"}, {"kind": "status", "status": 7}, {"kind": "drop", "x": 1}]
)
def test_faults_that_are_wrong(api: Api, document: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="400"):
        api.simulator.control.call("POST", "faults", json=document)
