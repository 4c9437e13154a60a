"""The page in the browser: what it shows, what its switches do, and that nothing foreign gets in."""

from __future__ import annotations

import re

import pytest
import requests

from .conftest import Api


def page(api: Api, path: str = "/") -> str:
    response = requests.get(api.simulator.url + path, timeout=10)
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    return response.text


def press(api: Api, action: str, **form: str) -> requests.Response:
    return requests.post(f"{api.simulator.url}/_page/{action}", data=form, timeout=10, allow_redirects=False)


def test_shows_sessions_streams_and_bills(api: Api) -> None:
    session_id, _ = api.to_video("A film about lanterns")
    text = page(api)
    assert "Lanterns" in text
    assert f'href="/sessions/{session_id}"' in text
    assert "create_session" in text
    assert re.search(r"\$0\.\d\d would have been billed", text)


def test_a_session_with_all_its_messages_and_pictures(api: Api) -> None:
    session_id = api.to_storyboard("Tea [messages: 50] [rate: 10]")
    text = page(api, f"/sessions/{session_id}")
    assert "Note 1 of 50" in text
    pictures = re.findall(r'<img[^>]+src="([^"]+)"', text)
    assert len(pictures) >= 4
    answer = requests.get(api.simulator.url + pictures[0].replace("&amp;", "&"), timeout=10)
    assert answer.headers["content-type"] == "image/jpeg"
    assert requests.get(f"{api.simulator.url}/sessions/nothing", timeout=10).status_code == 404


def test_what_people_write_is_only_text(api: Api) -> None:
    session_id = api.create("<script>alert(1)</script> & <b>tea</b>")
    for path in ("/", f"/sessions/{session_id}"):
        text = page(api, path)
        assert "<script>alert" not in text
        assert "<b>tea" not in text


def test_no_inline_script_or_style(api: Api) -> None:
    text = page(api)
    assert re.findall(r"<script(?![^>]*\ssrc=)", text) == []
    assert "<style" not in text
    assert not re.search(r"\s(style|on\w+)=", text)
    for name in ("console.css", "console.js", "icon.svg"):
        assert requests.get(f"{api.simulator.url}/_page/static/{name}", timeout=10).status_code == 200


@pytest.mark.parametrize(
    "drill",
    [
        *("limit", "quota", "down", "html", "lost-create", "lost-send", "lost-append"),
        *("slow", "drip", "drop", "strange", "expired"),
    ],
)
def test_every_drill_can_be_switched_on_and_off(api: Api, drill: str) -> None:
    assert press(api, "fault", drill=drill).status_code == 303
    (fault,) = api.simulator.control.faults()
    assert f'name="number" value="{fault["number"]}"' in page(api)
    assert press(api, "clear", number=str(fault["number"])).status_code == 303
    assert api.simulator.control.faults() == []


def test_a_fault_of_ones_own(api: Api) -> None:
    press(
        api,
        "fault",
        kind="status",
        path="/v3/users/me",
        method="GET",
        count="1",
        status="503",
        retry_after="9",
    )
    response = api.call("GET", "/users/me")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "9")
    wrong = press(api, "fault", kind="nonsense")
    assert (wrong.status_code, "kind must be one of" in wrong.text) == (400, True)


def test_the_rules_are_changed_by_plain_forms(api: Api) -> None:
    before = api.simulator.control.call("GET", "settings")
    form = {name: str(value) for name, value in before.items() if not isinstance(value, bool)}
    sent = {**form, "hls_cors": "yes", "signature": "plain", "idle_seconds": "12", "webhook_copies": "3"}
    assert press(api, "settings", **sent).status_code == 303
    assert api.simulator.control.call("GET", "settings") == {
        **before,
        "hls_cors": True,
        "realtime_enabled": False,  # its box was not ticked
        "signature": "plain",
        "idle_seconds": 12.0,
        "webhook_copies": 3,
    }
    assert press(api, "settings", signature="runes").status_code == 400

    press(
        api, "account", key=api.simulator.key, billing_type="", balance="", max_sessions="2", max_streams="1"
    )
    accounts = {each["key"]: each for each in api.simulator.control.call("GET", "accounts")["accounts"]}
    account = accounts[api.simulator.key]
    assert (account["billing_type"], account["balance"], account["max_sessions"]) == (None, None, 2)


def test_clock_accounts_and_sessions_from_the_page(api: Api) -> None:
    press(api, "clock", frozen="no")
    press(api, "clock", speed="60")
    press(api, "clock", frozen="yes")
    assert (api.simulator.control.clock()["speed"], api.simulator.control.clock()["frozen"]) == (60.0, True)
    session_id = api.create()
    press(api, "clock", advance="600")
    assert api.read(session_id)["status"] == "waiting_for_input"
    back = press(
        api, "speak", session_id=session_id, text="Hello from the desk", back=f"/sessions/{session_id}"
    )
    assert back.headers["location"] == f"/sessions/{session_id}"
    assert api.read(session_id)["messages"][0]["content"] == "Hello from the desk"
    press(api, "speak", session_id=session_id, fail="yes")
    assert api.read(session_id)["status"] == "failed"
    press(api, "account", key=api.simulator.key, key_works="no")
    assert api.call("GET", "/users/me").status_code == 401


def test_it_leads_nowhere_else(api: Api) -> None:
    assert press(api, "clock", advance="1", back="//evil.example/").headers["location"] == "/"
    foreign = requests.post(
        f"{api.simulator.url}/_page/reset", headers={"Origin": "https://evil.example"}, timeout=10
    )
    assert foreign.status_code == 403
