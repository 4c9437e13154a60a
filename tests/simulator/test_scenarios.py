"""What may go wrong on demand, by words in the prompt, by file and by the control API."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests

from simulator.scenarios import NAMED, ScenarioError, Scenarios, without_words
from simulator.testing import running

from .conftest import Api


def log(api: Api, session_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.simulator.control.session(session_id)["message_log"]
    return found


def after(api: Api, prompt: str, seconds: float) -> dict[str, Any]:
    session_id = api.create(prompt)
    api.advance(seconds)
    found: dict[str, Any] = api.read(session_id)
    return found


def test_early_failure_without_a_message(api: Api) -> None:
    session = after(api, "Tea [scenario: fail-early]", 30)
    assert (session["status"], session["progress"], session["video_id"]) == ("failed", 0, None)
    assert [message["role"] for message in session["messages"]] == ["user"]


def test_early_failure_of_generate_leaves_a_stub(api: Api) -> None:
    created = api.post("/video-agents", {"prompt": "Tea [scenario: fail-early]"})
    api.advance(30)
    video = api.get(f"/videos/{created['video_id']}")
    assert (video["status"], video["failure_code"], video["failure_message"]) == ("failed", None, None)
    assert api.simulator.control.ledger()["total_usd"] == 0


def test_failure_with_a_message(api: Api) -> None:
    session = after(api, "Tea [fail: thinking] [fail-message: The ink ran out.]", 60)
    assert session["status"] == "failed"
    newest = session["messages"][0]
    assert (newest["role"], newest["type"], newest["content"]) == ("model", "error", "The ink ran out.")


def test_failure_while_waiting(api: Api) -> None:
    session_id = api.create("Tea [scenario: fail-waiting]")
    api.advance(20)
    assert api.read(session_id)["status"] == "waiting_for_input"
    api.advance(30)
    assert api.read(session_id)["status"] == "failed"


def test_failure_of_the_render(api: Api) -> None:
    session_id = api.to_storyboard("Tea [scenario: fail-render]")
    api.say(session_id, "approve")
    api.advance(60)
    session = api.read(session_id)
    assert (session["status"], session["messages"][0]["type"]) == ("failed", "error")
    assert api.get(f"/videos/{session['video_id']}")["status"] == "failed"


def test_failure_of_the_video_alone(api: Api) -> None:
    session_id = api.to_storyboard("Tea [scenario: fail-video]")
    api.say(session_id, "approve")
    api.advance(60)
    session = api.read(session_id)
    video = api.get(f"/videos/{session['video_id']}")
    assert (session["status"], video["status"], video["failure_code"]) == (
        "completed",
        "failed",
        "render_failed",
    )
    assert api.simulator.control.ledger()["charges"] == []


def test_stuck_in_thinking(api: Api) -> None:
    session_id = api.create("Tea [scenario: stuck-thinking]")
    api.advance(60)
    early = api.read(session_id)
    api.advance(86_400)
    assert early["status"] == "thinking"
    assert api.read(session_id) == early


def test_progress_frozen_at_zero(api: Api) -> None:
    session_id = api.to_storyboard("Tea [scenario: progress-zero]")
    api.say(session_id, "approve")
    seen = set()
    for _ in range(12):
        api.advance(5)
        seen.add(api.read(session_id)["progress"])
    assert seen == {0}
    assert api.read(session_id)["status"] == "completed"


def test_unknown_status(api: Api) -> None:
    api.validate = False
    assert after(api, "Tea [scenario: unknown-status]", 5)["status"] == "pondering"


def test_more_messages_than_the_window_holds(api: Api) -> None:
    session_id = api.create("Tea [messages: 120] [rate: 2]")
    seen: list[str] = []
    for _ in range(10):
        api.advance(10)
        window = [message["content"] for message in reversed(api.read(session_id)["messages"])]
        assert len(window) <= 40
        seen += [content for content in window if content not in seen]
    assert seen == [message["content"] for message in log(api, session_id)]
    assert sum(content.startswith("Note ") for content in seen) == 120


def test_a_burst_within_one_second(api: Api) -> None:
    session = after(api, "Tea [scenario: burst]", 60)
    notes = [message for message in session["messages"] if message["content"].startswith("Note ")]
    assert len({message["created_at"] for message in notes}) == 1
    assert [int(message["content"].split()[1]) for message in notes] == list(range(60, 60 - len(notes), -1))


def test_messages_without_a_time(api: Api) -> None:
    session = after(api, "Tea [scenario: undated]", 60)
    assert [m["created_at"] for m in session["messages"] if m["content"].startswith("Note ")] == [None] * 4


def test_identical_messages(api: Api) -> None:
    session = after(api, "Tea [scenario: identical]", 60)
    assert [message["content"] for message in session["messages"]].count("Still working on it.") == 6


def test_a_message_that_grows(api: Api) -> None:
    session_id = api.create("Tea [scenario: growing]")
    seen = []
    for _ in range(30):
        api.advance(0.5)
        content = api.read(session_id)["messages"][0]["content"]
        if content.startswith("Working on the narration") and content not in seen:
            seen.append(content)
    assert len(seen) == 4
    assert all(later.startswith(earlier) for earlier, later in pairwise(seen))


def test_resource_ids_that_come_later(api: Api) -> None:
    session_id = api.create("Tea [scenario: late-resources]")
    seen = []
    for _ in range(60):
        api.advance(0.5)
        for message in api.read(session_id)["messages"]:
            if message["type"] == "resource" and message["resource_ids"] not in seen:
                seen.append(message["resource_ids"])
    assert seen[0] is None
    assert len(seen[1]) == 2


def test_empty_contents(api: Api) -> None:
    session = after(api, "Tea [scenario: empty-content]", 60)
    assert [m["content"] for m in session["messages"] if m["type"] == "resource"] == [""]


def test_resources_missing_at_their_first_reads(api: Api) -> None:
    session_id = api.to_storyboard("Tea [scenario: missing-resources]")
    name = api.read(session_id)["messages"][0]["resource_ids"][0]
    path = f"/video-agents/{session_id}/resources/{name}"
    assert [api.call("GET", path).status_code for _ in range(5)] == [404, 404, 404, 200, 200]


def test_a_session_that_is_gone(api: Api) -> None:
    session_id = api.create("Tea [scenario: gone]")
    api.advance(20)
    assert api.read(session_id)["status"] == "waiting_for_input"
    api.advance(30)
    assert api.call("GET", f"/video-agents/{session_id}").status_code == 404
    assert api.get("/video-agents") == []


def test_several_questions(api: Api) -> None:
    session_id = api.create("Tea [scenario: many-rounds]")
    asked = []
    for _ in range(3):
        api.advance(60)
        session = api.read(session_id)
        assert session["status"] == "waiting_for_input"
        asked.append(session["messages"][0]["content"])
        api.say(session_id, "The first")
    api.advance(60)
    assert api.read(session_id)["status"] == "reviewing"
    assert len(set(asked)) == 3


def test_a_stop_that_is_ignored(api: Api) -> None:
    session_id = api.create("Tea [scenario: stop-ignored]")
    api.advance(5)
    api.post(f"/video-agents/{session_id}/stop")
    api.advance(60)
    assert api.read(session_id)["status"] == "waiting_for_input"


BY_HAND = {
    "name": "by-hand",
    "when": "puppets",
    "legs": {
        "start": [
            {"after": 2, "say": "Hello.", "status": "thinking", "progress": 5, "title": "By hand"},
            {"after": 1, "resources": ["image", "hologram"], "say": "Look.", "type": "resource"},
            {"after": 1, "ask": "Which one?", "choices": ["The first", "The second"]},
        ],
        "answer": [{"after": 2, "storyboard": 4, "say": "Here it is."}],
        "change": [{"after": 2, "fail": "I cannot draw that."}],
    },
}


def test_a_scripted_scenario(api: Api) -> None:
    api.simulator.control.scenarios(BY_HAND)
    session_id = api.create("A play with puppets")
    api.advance(10)
    session = api.read(session_id)
    assert (session["status"], session["title"], session["progress"]) == ("waiting_for_input", "By hand", 5)
    assert [message["content"] for message in session["messages"]] == [
        "Which one?\n\n- The first\n- The second",
        "Look.",
        "Hello.",
        "A play with puppets",
    ]
    api.say(session_id, "The first")
    api.advance(10)
    assert api.read(session_id)["status"] == "reviewing"
    api.say(session_id, "Use other colours")
    api.advance(10)
    session = api.read(session_id)
    assert (session["status"], session["messages"][0]["content"]) == ("failed", "I cannot draw that.")


def test_steps_from_outside(api: Api) -> None:
    session_id = api.create("Tea [scenario: stuck-thinking]")
    api.advance(30)
    api.simulator.control.messages(
        session_id, {"say": "A word from the ops desk."}, {"after": 5, "status": "failed"}
    )
    assert api.read(session_id)["messages"][0]["content"] == "A word from the ops desk."
    api.advance(6)
    assert api.read(session_id)["status"] == "failed"


def test_a_scenario_file(tmp_path: Path) -> None:
    file = tmp_path / "scenarios.json"
    file.write_text(json.dumps({"scenarios": [BY_HAND]}), "utf-8")
    with running(speed=1, scenarios=file) as simulator:
        created = requests.post(
            f"{simulator.url}/v3/video-agents",
            json={"prompt": "puppets", "mode": "chat"},
            headers=simulator.headers(),
            timeout=10,
        ).json()["data"]
        assert simulator.control.session(created["session_id"])["scenario"] == "by-hand"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"scenarios": [{}]},
        {"scenarios": [{"name": "a", "options": {"nonsense": 1}}]},
        {"scenarios": [{"name": "a", "options": {"messages": "many"}}]},
        {"scenarios": [{"name": "a", "legs": {"middle": []}}]},
        {"scenarios": [{"name": "a", "legs": {"start": [{"shout": "x"}]}}]},
    ],
)
def test_scenario_files_that_are_wrong(document: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError):
        Scenarios().load(document)


def test_every_named_scenario_can_be_chosen() -> None:
    for name, options in NAMED.items():
        chosen = Scenarios().choose(f"Tea [scenario: {name}]")
        assert {option: getattr(chosen, option) for option in options} == options


def test_brackets_that_mean_nothing_are_left_alone() -> None:
    prompt = "A film [for kids] about tea [messages: lots] [rate: 3]"
    assert Scenarios().choose(prompt).messages == 0
    assert Scenarios().choose(prompt).rate == 3.0
    assert without_words(prompt) == "A film [for kids] about tea"
