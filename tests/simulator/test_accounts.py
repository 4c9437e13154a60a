"""Keys, accounts that cannot see each other, money and ceilings."""

from __future__ import annotations

import time

import pytest
import requests

from .conftest import SECOND, Api


@pytest.mark.parametrize(
    "headers", [{}, {"x-api-key": "wrong"}, {"x-api-key": ""}, {"Authorization": "Bearer wrong"}]
)
def test_missing_and_wrong_keys_get_the_same_answer(api: Api, headers: dict[str, str]) -> None:
    response = requests.get(f"{api.simulator.url}/v3/users/me", headers=headers, timeout=10)
    api.contract.check(response)
    assert response.status_code == 401
    assert response.json() == {
        "error": {
            "code": "unauthorized",
            "message": "Unauthorized",
            "doc_url": "https://docs.example.com/errors",
        }
    }


def test_seed_style_of_the_unauthorized_body(api: Api) -> None:
    api.simulator.control.settings(unauthorized_style="seed")
    response = requests.get(f"{api.simulator.url}/v3/users/me", timeout=10)
    error = response.json()["error"]
    assert (error["code"], error["param"]) == ("authentication_failed", None)


def test_bearer_token_and_header_names_in_any_case(api: Api) -> None:
    for headers in ({"Authorization": f"Bearer {api.simulator.key}"}, {"X-Api-Key": api.simulator.key}):
        assert (
            requests.get(f"{api.simulator.url}/v3/users/me", headers=headers, timeout=10).status_code == 200
        )


def test_a_key_can_be_broken_and_mended(api: Api) -> None:
    api.simulator.control.account(key_works=False)
    assert api.call("GET", "/users/me").status_code == 401
    api.simulator.control.account(key_works=True)
    assert api.call("GET", "/users/me").status_code == 200


def test_nothing_of_another_account_can_be_seen(api: Api, other: Api) -> None:
    session_id, video_id = api.to_video()
    resource_id = api.read(session_id)["messages"][0]["resource_ids"][0]
    looks = {look["id"] for look in api.get("/avatars/looks?ownership=private")}
    own_look = next(iter(looks))
    stream_id = api.post("/avatar-realtime", realtime(api), status=201)["stream_id"]
    for path in (
        f"/video-agents/{session_id}",
        f"/video-agents/{session_id}/videos",
        f"/video-agents/{session_id}/resources/{resource_id}",
        f"/videos/{video_id}",
        f"/avatar-realtime/{stream_id}",
        f"/avatar-realtime/{stream_id}/words",
        f"/avatars/looks/{own_look}",
    ):
        assert other.call("GET", path).status_code == 404, path
    assert other.post(f"/video-agents/{session_id}", {"message": "hi"}, status=404)["code"] == "not_found"
    assert other.post(f"/video-agents/{session_id}/stop", status=404)["code"] == "not_found"
    assert (
        other.post(f"/avatar-realtime/{stream_id}/text", {"delta": "hi"}, status=404)["code"] == "not_found"
    )
    assert other.get("/video-agents") == []
    assert other.get("/videos") == []
    assert looks.isdisjoint(look["id"] for look in other.get("/avatars/looks?limit=50"))


def realtime(api: Api, text: str = "Hello.") -> dict[str, str]:
    look = api.get("/avatars/looks?ownership=public&limit=1")[0]["id"]
    voice = api.get("/voices?limit=1")[0]["voice_id"]
    return {"type": "text_stream", "avatar_id": look, "voice_id": voice, "text": text}


@pytest.mark.parametrize(
    ("billing_type", "filled"),
    [("wallet", "wallet"), ("subscription", "subscription"), ("usage_based", "usage_based"), (None, None)],
)
def test_exactly_the_named_billing_object_is_filled(
    api: Api, billing_type: str | None, filled: str | None
) -> None:
    api.simulator.control.account(billing_type=billing_type)
    user = api.get("/users/me")
    assert user["billing_type"] == billing_type
    assert [name for name in ("wallet", "subscription", "usage_based") if user[name]] == (
        [filled] if filled else []
    )


def test_a_video_is_charged_when_it_is_done(api: Api) -> None:
    _, video_id = api.to_video()
    duration = api.get(f"/videos/{video_id}")["duration"]
    ledger = api.simulator.control.ledger()
    price = round(duration * 0.0333, 4)
    assert ledger["charges"] == [
        {"account": api.simulator.key, "kind": "video", "id": video_id, "seconds": duration, "usd": price}
    ]
    assert api.get("/users/me")["wallet"]["remaining_balance"] == round(250 - price, 2)
    assert [entry["kind"] for entry in ledger["accepted"]] == [
        "create_session",
        "send_message",
        "send_message",
    ]


def test_an_empty_account_creates_nothing(api: Api, other: Api) -> None:
    session_id = api.create()
    api.advance(60)
    api.simulator.control.account(balance=0)
    assert api.post("/video-agents", {"prompt": "a"}, status=402)["code"] == "insufficient_credit"
    assert api.post("/video-agents/sessions", {"prompt": "a"}, status=402)["code"] == "insufficient_credit"
    assert api.post("/avatar-realtime", realtime(api), status=402)["code"] == "insufficient_credit"
    assert api.read(session_id)["status"] == "waiting_for_input"
    other.create()


def test_ten_working_sessions_and_no_more(api: Api) -> None:
    made = [api.create() for _ in range(10)]
    response = api.call("POST", "/video-agents", json={"prompt": "one more"})
    assert (response.status_code, response.headers["Retry-After"]) == (429, "15")
    assert response.json()["error"]["code"] == "rate_limit_exceeded"
    api.advance(60)
    assert {api.read(session_id)["status"] for session_id in made} == {"waiting_for_input"}
    api.create()


def test_three_streams_and_no_more(api: Api) -> None:
    made = [api.post("/avatar-realtime", realtime(api), status=201)["stream_id"] for _ in range(3)]
    assert api.call("POST", "/avatar-realtime", json=realtime(api)).status_code == 429
    api.call("POST", f"/avatar-realtime/{made[0]}/cancel")
    api.post("/avatar-realtime", realtime(api), status=201)
    api.simulator.control.account(max_streams=4)
    api.post("/avatar-realtime", realtime(api), status=201)


def test_a_request_limit_can_be_switched_on(api: Api, other: Api) -> None:
    api.simulator.control.account(requests_per_second=2)
    answers = [api.call("GET", "/users/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[-1].headers["Retry-After"] == "1"
    assert other.call("GET", "/users/me").status_code == 200
    time.sleep(0.6)
    assert api.call("GET", "/users/me").status_code == 200


def test_a_new_key_makes_an_account(api: Api) -> None:
    made = api.simulator.control.account("third-key", balance=5)
    assert (made["key"], made["balance"]) == ("third-key", 5.0)
    response = requests.get(
        f"{api.simulator.url}/v3/users/me", headers={"x-api-key": "third-key"}, timeout=10
    )
    assert response.json()["data"]["username"] not in {
        api.get("/users/me")["username"],
        SECOND,
    }
