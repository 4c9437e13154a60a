"""The old dialect, and simulators that serve only one."""

from __future__ import annotations

import pytest

from simulator.testing import running

from .conftest import Api, Contract


def create(api: Api, **body: object) -> str:
    return str(api.post("/video-agents/sessions", {"prompt": "A short film about tea", **body})["session_id"])


def read(api: Api, session_id: str) -> dict[str, object]:
    found: dict[str, object] = api.get(f"/video-agents/sessions/{session_id}")
    return found


def test_create_answers_id_and_time_only(api: Api) -> None:
    data = api.post("/video-agents/sessions", {"prompt": "A short film about tea"})
    assert set(data) == {"session_id", "created_at"}
    assert data["session_id"].startswith("sess_")
    assert read(api, data["session_id"])["status"] == "processing"


def test_review_change_and_approve(api: Api) -> None:
    session_id = create(api)
    api.advance(60)
    assert (read(api, session_id)["status"], read(api, session_id)["progress"]) == ("reviewing", 45)
    api.post(f"/video-agents/sessions/{session_id}/messages", {"message": "Change the first picture"})
    api.advance(2)
    assert read(api, session_id)["status"] == "processing"
    api.advance(60)
    assert read(api, session_id)["status"] == "reviewing"
    api.post(f"/video-agents/sessions/{session_id}/messages", {"message": "Fine", "auto_proceed": True})
    api.advance(5)
    assert read(api, session_id)["status"] == "generating"
    api.advance(60)
    assert read(api, session_id)["status"] == "completed"
    assert api.get(f"/videos/{read(api, session_id)['video_id']}")["status"] == "completed"


def test_auto_proceed_runs_through(api: Api) -> None:
    session_id = create(api, auto_proceed=True)
    seen = []
    for _ in range(90):
        api.advance(1)
        status = read(api, session_id)["status"]
        if status not in seen[-1:]:
            seen.append(status)
    assert seen == ["processing", "generating", "completed"]


def test_resources_come_in_pages_of_eight(api: Api) -> None:
    session_id = create(api)
    api.advance(60)
    api.post(f"/video-agents/sessions/{session_id}/messages", {"message": "Change everything"})
    api.advance(60)
    path = f"/video-agents/sessions/{session_id}/resources"
    first = api.get(path)
    assert set(first) == {"resources", "next_cursor"}
    assert len(first["resources"]) == 8
    rest = api.get(path, params={"token": first["next_cursor"], "limit": 100})
    names = [item["resource_id"] for item in first["resources"] + rest["resources"]]
    truth = [item["resource_id"] for item in api.simulator.control.session(session_id)["resource_log"]]
    assert names == truth
    assert rest["next_cursor"] is None

    wanted = ",".join(names[:3])
    assert [r["resource_id"] for r in api.get(path, params={"resource_ids": wanted})["resources"]] == names[
        :3
    ]
    kinds = {r["resource_type"] for r in api.get(path, params={"type": "image", "limit": 100})["resources"]}
    assert kinds == {"image"}
    assert api.get(path, params={"source": "user_uploaded"})["resources"] == []
    assert api.call("GET", path, params={"source": "elsewhere"}).json()["error"]["param"] == "source"


def test_stop(api: Api) -> None:
    session_id = create(api)
    api.advance(3)
    assert api.post(f"/video-agents/sessions/{session_id}/stop") == {"session_id": session_id}
    api.advance(5)
    assert read(api, session_id)["status"] == "failed"


def test_ids_belong_to_their_dialect(api: Api) -> None:
    old, current = create(api), api.create()
    assert api.call("GET", f"/video-agents/{old}").status_code == 404
    assert api.call("GET", f"/video-agents/sessions/{current}").status_code == 404


@pytest.mark.parametrize("dialects", ["current", "sessions"])
def test_one_dialect_only(dialects: str, contract: Contract) -> None:
    with running(speed=1, dialects=dialects) as simulator:
        api = Api(simulator, contract, simulator.key)
        listed = api.call("GET", "/video-agents?limit=1").status_code
        created = api.call("POST", "/video-agents/sessions", json={"prompt": "a"}).status_code
        styles = api.call("GET", "/video-agents/styles").status_code
        api.session.close()
    # On a current-only server `sessions` is taken for the id of a session.
    assert (listed, created, styles) == ((200, 404, 200) if dialects == "current" else (404, 200, 200))
