"""Video Agent sessions in the current dialect: the whole main job, and what is refused on the way."""

from __future__ import annotations

import time

import pytest

from .conftest import Api


def statuses(api: Api, session_id: str, seconds: float, pause: float = 1.0) -> list[str]:
    """The statuses that a close watcher sees, without repetitions."""
    seen = [api.read(session_id)["status"]]
    for _ in range(int(seconds / pause)):
        api.advance(pause)
        status = api.read(session_id)["status"]
        if status != seen[-1]:
            seen.append(status)
    return seen


def test_chat_from_prompt_to_a_second_video(api: Api) -> None:
    created = api.post("/video-agents", {"prompt": "A short film about tea", "mode": "chat"})
    session_id = created["session_id"]
    assert created == {
        "session_id": session_id,
        "status": "thinking",
        "video_id": None,
        "created_at": created["created_at"],
    }
    first = api.read(session_id)
    assert first == {
        "session_id": session_id,
        "status": "thinking",
        "progress": 0,
        "title": None,
        "video_id": None,
        "created_at": created["created_at"],
        "messages": [
            {
                "role": "user",
                "content": "A short film about tea",
                "type": "text",
                "created_at": created["created_at"],
                "resource_ids": None,
            }
        ],
    }

    assert statuses(api, session_id, 30) == ["thinking", "waiting_for_input"]
    question = api.read(session_id)["messages"][0]
    assert question["content"].rsplit("\n\n", 1)[1].count("\n- ") == 2

    sent = api.say(session_id, "The second one")
    assert sent["session_id"] == session_id
    assert sent["run_id"].startswith("run_")
    assert api.read(session_id)["status"] == "waiting_for_input", "the status follows a moment later"
    assert statuses(api, session_id, 30) == ["waiting_for_input", "thinking", "reviewing"]
    storyboard = api.read(session_id)["messages"][0]
    assert (storyboard["role"], storyboard["type"]) == ("model", "resource")

    api.say(session_id, "Please make the second picture darker")
    assert statuses(api, session_id, 30) == ["reviewing", "thinking", "reviewing"]
    api.say(session_id, "Yes, go ahead")
    assert statuses(api, session_id, 60) == ["reviewing", "generating", "completed"]
    done = api.read(session_id)
    assert done["progress"] == 100

    api.say(session_id, "Now a shorter version")
    assert statuses(api, session_id, 60) == ["completed", "thinking", "generating", "completed"]
    again = api.read(session_id)
    assert again["video_id"] != done["video_id"]
    api.advance(10)
    videos = api.get(f"/video-agents/{session_id}/videos")
    assert [video["id"] for video in videos] == [again["video_id"], done["video_id"]]


def test_progress_rises_while_rendering(api: Api) -> None:
    session_id = api.to_storyboard()
    api.say(session_id, "approve")
    seen = []
    for _ in range(40):
        api.advance(1)
        seen.append(api.read(session_id)["progress"])
    assert seen == sorted(seen)
    assert len(set(seen)) > 12
    assert (seen[0], seen[-1]) == (50, 100)


def test_video_is_ready_later_than_its_session(api: Api) -> None:
    session_id = api.to_storyboard()
    api.say(session_id, "approve")
    while api.read(session_id)["status"] != "completed":
        api.advance(0.5)
    video_id = api.read(session_id)["video_id"]
    assert api.get(f"/videos/{video_id}")["status"] == "processing"
    assert api.get(f"/videos/{video_id}")["video_url"] is None
    api.advance(6)
    assert api.get(f"/videos/{video_id}")["status"] == "completed"


def test_generate_runs_through_with_its_video_from_the_start(api: Api) -> None:
    created = api.post("/video-agents", {"prompt": "A short film about tea"})
    assert created["status"] == "generating"
    assert api.get(f"/videos/{created['video_id']}")["status"] == "pending"
    assert statuses(api, created["session_id"], 90) == ["generating", "completed"]
    api.advance(6)
    assert api.get(f"/videos/{created['video_id']}")["status"] == "completed"
    error = api.post(f"/video-agents/{created['session_id']}", {"message": "more"}, status=400)
    assert error["param"] == "message"


def test_stop_halts_at_the_next_checkpoint(api: Api) -> None:
    session_id = api.create()
    api.advance(4)
    assert api.post(f"/video-agents/{session_id}/stop") == {"session_id": session_id}
    assert api.read(session_id)["status"] == "thinking"
    api.advance(3)
    stopped = api.read(session_id)
    assert stopped["status"] == "failed"
    api.advance(600)
    assert api.read(session_id) == stopped, "nothing happens after a stop"
    assert api.post(f"/video-agents/{session_id}/stop", status=409)["code"] == "conflict"
    assert api.post(f"/video-agents/{session_id}", {"message": "go on"}, status=409)["code"] == "conflict"


def test_message_while_thinking_is_noted(api: Api) -> None:
    session_id = api.create()
    api.advance(4)
    api.say(session_id, "And mention the harvest")
    api.advance(60)
    session = api.read(session_id)
    contents = [message["content"] for message in session["messages"]]
    assert session["status"] == "waiting_for_input"
    assert "Noted, I will work that in: *And mention the harvest*" in contents


def test_message_while_rendering_is_refused(api: Api) -> None:
    session_id = api.to_storyboard()
    api.say(session_id, "approve")
    api.advance(5)
    assert api.post(f"/video-agents/{session_id}", {"message": "wait"}, status=409)["code"] == "conflict"


def test_sessions_are_listed_newest_first_in_pages(api: Api, other: Api) -> None:
    made = [api.create(f"Film number {place}") for place in range(5)]
    other.create("Not mine")
    first = api.call("GET", "/video-agents?limit=2").json()
    second = api.call("GET", f"/video-agents?limit=2&token={first['next_token']}").json()
    third = api.call("GET", f"/video-agents?limit=2&token={second['next_token']}").json()
    ids = [item["session_id"] for page in (first, second, third) for item in page["data"]]
    assert ids == made[::-1]
    assert [page["has_more"] for page in (first, second, third)] == [True, True, False]
    assert third["next_token"] is None
    assert set(first["data"][0]) == {"session_id", "title", "created_at"}


def test_pages_stay_whole_while_new_sessions_arrive(api: Api) -> None:
    made = [api.create(f"Film number {place}") for place in range(4)]
    first = api.call("GET", "/video-agents?limit=2").json()
    api.create("In between")
    second = api.call("GET", f"/video-agents?limit=2&token={first['next_token']}").json()
    ids = [item["session_id"] for page in (first, second) for item in page["data"]]
    assert ids == made[::-1]


def test_the_same_seed_tells_the_same_story(api: Api) -> None:
    def tell() -> tuple[str, list[str], list[str]]:
        session_id = api.to_storyboard("An explainer about owls")
        messages = api.read(session_id)["messages"]
        return session_id, [m["content"] for m in messages], messages[0]["resource_ids"]

    first = tell()
    api.simulator.control.reset()
    api.simulator.control.freeze()
    assert tell() == first


def test_speed_makes_the_story_run_faster_but_not_the_stamps(api: Api) -> None:
    control = api.simulator.control
    control.thaw()
    control.set_speed(200)
    before = time.time()
    session_id = api.create()
    while api.read(session_id)["status"] != "waiting_for_input":
        assert time.time() - before < 10
    session = api.read(session_id)
    assert abs(session["created_at"] - before) <= 2
    assert abs(session["messages"][0]["created_at"] - time.time()) <= 2


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("approve", "generating"),
        ("Yes!", "generating"),
        ("Looks great, render it.", "generating"),
        ("LGTM", "generating"),
        ("ok", "generating"),
        ("Yes, but swap the last two", "thinking"),
        ("Not yet", "thinking"),
        ("I'd like more light", "thinking"),
    ],
)
def test_only_plain_consent_starts_the_render(api: Api, text: str, status: str) -> None:
    session_id = api.to_storyboard()
    api.say(session_id, text)
    api.advance(2)
    assert api.read(session_id)["status"] == status
