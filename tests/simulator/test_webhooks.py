"""Webhooks: endpoints, signatures, retries, duplicates, callbacks."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from .conftest import Api


class Receiver:
    """A web server that keeps what it is sent; `answers` are the statuses of the next deliveries, then 200."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((dict(self.headers), body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.end_headers()

            def do_OPTIONS(self) -> None:
                receiver.received.append(({"method": "OPTIONS"}, b""))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.received]


@pytest.fixture
def receiver(api: Api) -> Iterator[Receiver]:
    api.simulator.control.settings(allow_http_webhooks=True)
    # `http` is not in the contract; the switch is for receivers on this machine.
    api.validate = False
    found = Receiver()
    yield found
    found.close()


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def register(api: Api, receiver: Receiver, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = api.post("/webhooks/endpoints", {"url": receiver.url, **body})
    return found


def test_endpoints_are_managed(api: Api, other: Api) -> None:
    made = api.post(
        "/webhooks/endpoints", {"url": "https://example.com/a", "events": ["video_agent.success"]}
    )
    identifier = made["endpoint_id"]
    assert made["secret"].startswith("whsec_")
    shown = {name: value for name, value in made.items() if name != "secret"}
    assert api.get("/webhooks/endpoints") == [shown]
    assert other.get("/webhooks/endpoints") == []
    assert api.post("/webhooks/endpoints", {"url": "https://example.com/a"}, status=409)["code"] == "conflict"
    changed = api.call("PATCH", f"/webhooks/endpoints/{identifier}", json={"events": None}).json()["data"]
    assert changed == {**shown, "events": None}
    rotated = api.call("POST", f"/webhooks/endpoints/{identifier}/rotate-secret").json()["data"]
    assert rotated["endpoint_id"] == identifier
    assert rotated["secret"] != made["secret"]
    assert other.call("DELETE", f"/webhooks/endpoints/{identifier}").status_code == 404
    assert api.call("DELETE", f"/webhooks/endpoints/{identifier}").json() == {"data": {}, "error": None}
    assert api.get("/webhooks/endpoints") == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "url"),
        ({"url": "http://example.com/a"}, "url"),
        ({"url": "https://["}, "url"),
        ({"url": "https://example.com/a", "events": ["nonsense"]}, "events.0"),
        ({"url": "https://example.com/a", "name": "x"}, "name"),
    ],
)
def test_endpoints_that_are_refused(api: Api, body: dict[str, Any], param: str) -> None:
    api.simulator.control.settings(allow_http_webhooks=False)
    assert api.post("/webhooks/endpoints", body, status=400)["param"] == param


def test_idempotency_key_repeats_the_first_answer(api: Api) -> None:
    headers = {"Idempotency-Key": "once"}
    first = api.post("/webhooks/endpoints", {"url": "https://example.com/a"}, headers=headers)
    second = api.post("/webhooks/endpoints", {"url": "https://example.com/b"}, headers=headers)
    assert second == first
    assert len(api.get("/webhooks/endpoints")) == 1
    bad = api.post(
        "/webhooks/endpoints", {"url": "https://example.com/c"}, headers={"Idempotency-Key": "?"}, status=400
    )
    assert bad["param"] == "Idempotency-Key"


def test_event_types(api: Api) -> None:
    names = [item["event_type"] for item in api.get("/webhooks/event-types")]
    assert {"video_agent.success", "video_agent.fail", "avatar_video.success", "avatar_video.fail"} <= set(
        names
    )


@pytest.mark.parametrize(
    ("style", "header"),
    [("heygen", "Heygen-Signature"), ("plain", "Signature"), ("x-heygen", "X-HeyGen-Signature")],
)
def test_deliveries_are_signed(api: Api, receiver: Receiver, style: str, header: str) -> None:
    api.simulator.control.settings(signature=style)
    endpoint = register(api, receiver)
    session_id, video_id = api.to_video()
    until(lambda: len(receiver.received) == 2)
    for headers, body in receiver.received:
        assert headers[header] == hmac.new(endpoint["secret"].encode(), body, hashlib.sha256).hexdigest()
        assert ("Heygen-Timestamp" in headers) == ("Heygen-Event-Id" in headers) == (style == "heygen")
    agent, video = sorted(
        receiver.documents(), key=lambda document: str(document["event_type"]), reverse=True
    )
    assert agent["event_type"] == "video_agent.success"
    assert agent["event_data"] == {"callback_id": None, "session_id": session_id, "video_id": video_id}
    assert video["event_type"] == "avatar_video.success"
    assert video["event_data"]["video_id"] == video_id
    history = api.get("/webhooks/events")
    assert {event["event_id"] for event in history} == {agent["event_id"], video["event_id"]}
    assert len(api.get("/webhooks/events", params={"event_type": "video_agent.success"})) == 1


def test_only_wanted_events(api: Api, receiver: Receiver) -> None:
    register(api, receiver, events=["video_agent.fail"])
    api.to_video()
    api.create("Tea [scenario: fail-message]")
    api.advance(60)
    until(lambda: len(receiver.received) == 1)
    (document,) = receiver.documents()
    assert document["event_type"] == "video_agent.fail"
    assert document["event_data"]["msg"] == "I could not reach the narration service. Please try again."


def test_failed_deliveries_come_again_after_growing_pauses(api: Api, receiver: Receiver) -> None:
    register(api, receiver, events=["video_agent.fail"])
    receiver.answers = [500, 302]
    api.create("Tea [scenario: fail-early]")
    api.advance(30)
    for count, pause in ((1, 11), (2, 31), (3, 121)):
        until(lambda count=count: len(receiver.received) == count)  # type: ignore[misc]
        until(lambda count=count: api.simulator.control.deliveries()[0]["attempts"] == count)  # type: ignore[misc]
        api.advance(pause)
    assert len({body for _, body in receiver.received}) == 1, "the same event each time"
    (delivery,) = api.simulator.control.deliveries()
    assert (delivery["state"], delivery["answers"]) == ("delivered", [500, 302, 200])


def test_duplicates_missing_url_and_another_type_key(api: Api, receiver: Receiver) -> None:
    api.simulator.control.settings(
        webhook_copies=3, webhook_without_url=True, webhook_type_key="event", webhook_ids=False
    )
    register(api, receiver, events=["avatar_video.success"])
    api.to_video()
    until(lambda: len(receiver.received) == 3)
    documents = receiver.documents()
    assert documents[0] == documents[1] == documents[2]
    assert set(documents[0]) == {"event", "event_data"}
    assert "url" not in documents[0]["event_data"]


def test_callback_is_delivered_unsigned(api: Api, receiver: Receiver) -> None:
    created = api.post(
        "/video-agents", {"prompt": "Tea", "callback_url": receiver.url, "callback_id": "order-17"}
    )
    api.advance(120)
    until(lambda: len(receiver.received) == 1)
    headers, body = receiver.received[0]
    assert not {name for name in headers if "signature" in name.lower()}
    assert json.loads(body)["event_data"] == {
        "callback_id": "order-17",
        "session_id": created["session_id"],
        "video_id": created["video_id"],
    }


def test_old_dialect_delivers_nothing_to_its_callback(api: Api, receiver: Receiver) -> None:
    api.post("/video-agents/sessions", {"prompt": "Tea", "auto_proceed": True, "callback_url": receiver.url})
    api.advance(120)
    until(lambda: len(api.get("/webhooks/events")) == 2)
    assert api.simulator.control.deliveries() == []


def test_an_event_of_ones_own(api: Api, receiver: Receiver) -> None:
    register(api, receiver)
    api.simulator.control.emit("podcast.success", {"anything": [1]}, event_id="evt_mine")
    until(lambda: len(receiver.received) == 1)
    assert receiver.documents()[0]["event_id"] == "evt_mine"


def test_probe_with_options(api: Api, receiver: Receiver) -> None:
    api.simulator.control.settings(probe_endpoints=True)
    register(api, receiver)
    assert receiver.received == [({"method": "OPTIONS"}, b"")]
    error = api.post("/webhooks/endpoints", {"url": "http://127.0.0.1:9/"}, status=400)
    assert error["param"] == "url"
