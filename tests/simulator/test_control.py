"""The control API: clock, counters, ledger, truth, bulk sessions; and who may use it."""

from __future__ import annotations

import time

import pytest
import requests

from simulator.clock import Clock

from .conftest import SECOND, Api


class Real:
    """A real clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_clock_keeps_stamps_true_at_any_speed() -> None:
    real = Real()
    clock = Clock(1.0, real=real)
    real.now += 10
    assert (clock.story(), clock.stamp()) == (10.0, 1_000_010.0)
    clock.set_speed(20)
    real.now += 10
    assert (clock.story(), clock.stamp()) == (210.0, 1_000_020.0)
    assert clock.stamp_at(110.0) == 1_000_015.0
    assert clock.stamp_at(5.0) == 1_000_005.0
    assert clock.seconds_until(250.0) == 2.0


def test_clock_stands_still_and_jumps() -> None:
    real = Real()
    clock = Clock(2.0, real=real)
    clock.freeze()
    real.now += 100
    assert clock.story() == 0.0
    assert clock.seconds_until(1.0) == float("inf")
    clock.advance(30)
    assert (clock.story(), clock.stamp()) == (30.0, 1_000_130.0)
    clock.thaw()
    real.now += 5
    assert clock.story() == 40.0


def test_clock_goes_on_after_a_restart() -> None:
    real = Real()
    clock = Clock(3.0, real=real)
    real.now += 10
    clock.advance(5)
    again = Clock(3.0, bends=clock.bends, offset=clock.offset, real=real)
    real.now += 2
    assert (again.story(), again.stamp()) == (clock.story(), clock.stamp()) == (41.0, 1_000_017.0)


def test_clock_over_http(api: Api) -> None:
    control = api.simulator.control
    before = control.clock()
    assert (before["frozen"], before["speed"]) == (True, 1.0)
    control.advance(60)
    after = control.clock()
    assert after["story"] - before["story"] == pytest.approx(60, abs=0.001)
    assert after["offset"] == 60
    for wrong in ({"speed": 0}, {"speed": "fast"}, {"advance": -1}, {"time": 5}):
        with pytest.raises(RuntimeError, match="400"):
            control.call("POST", "clock", json=wrong)


def test_calls_are_counted_by_key_and_template(api: Api, other: Api) -> None:
    control = api.simulator.control
    begun = time.time()
    session_id = api.create()
    for _ in range(3):
        api.read(session_id)
    other.get("/users/me")
    requests.get(f"{api.simulator.url}/v3/users/me", headers={"x-api-key": "wrong"}, timeout=10)
    report = control.calls()
    assert report["counts"] == [
        {"key": SECOND, "method": "GET", "path": "/v3/users/me", "count": 1},
        {"key": api.simulator.key, "method": "GET", "path": "/v3/video-agents/{session_id}", "count": 3},
        {"key": api.simulator.key, "method": "POST", "path": "/v3/video-agents", "count": 1},
        {"key": "wrong", "method": "GET", "path": "/v3/users/me", "count": 1},
    ]
    mine = control.calls(key=api.simulator.key, template="/v3/video-agents/{session_id}", since=begun)
    assert [(call["path"], call["status"]) for call in mine["calls"]] == [
        (f"/v3/video-agents/{session_id}", 200)
    ] * 3
    times = [call["at"] for call in mine["calls"]]
    assert begun <= times[0] <= times[1] <= times[2] <= time.time()
    control.clear_calls()
    assert control.calls()["total"] == 0


def test_refused_calls_are_counted_with_their_fault(api: Api) -> None:
    api.simulator.control.fault("status", status=503)
    api.call("GET", "/users/me")
    (call,) = api.simulator.control.calls()["calls"]
    assert (call["status"], call["fault"]) == (503, "status")


def test_ledger_holds_every_accepted_paid_call(api: Api) -> None:
    session_id = api.create("Tea")
    api.advance(60)
    run = api.say(session_id, "The first one")
    api.post("/video-agents", {"prompt": ""}, status=400)
    accepted = api.simulator.control.ledger()["accepted"]
    assert [(entry["kind"], entry["id"], entry["body"], entry["account"]) for entry in accepted] == [
        ("create_session", session_id, {"prompt": "Tea", "mode": "chat"}, api.simulator.key),
        ("send_message", run["run_id"], {"message": "The first one"}, api.simulator.key),
    ]


def test_truth_of_a_session_beyond_the_window(api: Api) -> None:
    session_id = api.create("Tea [messages: 50] [rate: 10]")
    api.advance(60)
    truth = api.simulator.control.session(session_id)
    window = api.read(session_id)["messages"]
    assert len(truth["message_log"]) == 55
    assert [m["content"] for m in truth["message_log"]][-40:] == [m["content"] for m in reversed(window)]


def test_many_sessions_at_once(api: Api) -> None:
    ids = api.simulator.control.make_sessions(500, prompt="A load", mode="chat")
    assert len(set(ids)) == 500
    api.advance(60)
    assert api.read(ids[250])["status"] == "waiting_for_input"
    assert api.simulator.control.account()["working"] == 0
    api.create()


def test_settings_that_are_wrong(api: Api) -> None:
    for wrong in ({"nonsense": 1}, {"hls_cors": "yes"}, {"signature": "rsa"}, {"link_seconds": None}):
        with pytest.raises(RuntimeError, match="400"):
            api.simulator.control.settings(**wrong)
    with pytest.raises(RuntimeError, match="400"):
        api.simulator.control.account(billing_type="barter")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
    ],
)
def test_other_web_pages_may_not_pull_strings(api: Api, headers: dict[str, str]) -> None:
    response = requests.post(f"{api.simulator.url}/_control/reset", headers=headers, timeout=10)
    assert response.status_code == 403


def test_reset_forgets_everything(api: Api) -> None:
    session_id, _ = api.to_video()
    api.simulator.control.fault("drop", "/never")
    api.simulator.control.reset()
    assert api.call("GET", f"/video-agents/{session_id}").status_code == 404
    assert api.simulator.control.faults() == []
    assert api.simulator.control.ledger() == {"accepted": [], "charges": [], "total_usd": 0}
