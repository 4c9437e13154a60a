"""What is refused, and on which field the refusal stands."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Api

LONG = "x" * 10_001
FILE = {"type": "url", "url": "https://example.com/a.png"}

CREATE = [
    ({}, "prompt"),
    ({"prompt": ""}, "prompt"),
    ({"prompt": LONG}, "prompt"),
    ({"prompt": 7}, "prompt"),
    ({"prompt": "a", "auto_proceed": True}, "auto_proceed"),
    ({"prompt": "a", "duration_sec": 30}, "duration_sec"),
    ({"prompt": "a", "mode": "fast"}, "mode"),
    ({"prompt": "a", "mode": None}, "mode"),
    ({"prompt": "a", "orientation": "square"}, "orientation"),
    ({"prompt": "a", "incognito_mode": "yes"}, "incognito_mode"),
    ({"prompt": "a", "avatar_id": "look_unknown"}, "avatar_id"),
    ({"prompt": "a", "voice_id": "voice_unknown"}, "voice_id"),
    ({"prompt": "a", "style_id": "style_unknown"}, "style_id"),
    ({"prompt": "a", "brand_kit_id": "kit_unknown"}, "brand_kit_id"),
    ({"prompt": "a", "brand_glossary_id": ""}, "brand_glossary_id"),
    ({"prompt": "a", "callback_id": "x"}, "callback_id"),
    ({"prompt": "a", "callback_url": "nowhere"}, "callback_url"),
    ({"prompt": "a", "files": [FILE] * 21}, "files"),
    ({"prompt": "a", "files": FILE}, "files"),
    ({"prompt": "a", "files": [{"type": "link", "url": "https://example.com"}]}, "files.0.type"),
    ({"prompt": "a", "files": [{"url": "https://example.com"}]}, "files.0.type"),
    ({"prompt": "a", "files": [FILE, {"type": "url"}]}, "files.1.url"),
    ({"prompt": "a", "files": [{**FILE, "name": "a"}]}, "files.0.name"),
    ({"prompt": "a", "files": [{"type": "asset_id", "asset_id": "asset_unknown"}]}, "files.0.asset_id"),
    ({"prompt": "a", "files": [{"type": "base64", "data": "QQ=="}]}, "files.0.media_type"),
    ({"prompt": "a", "files": [{"type": "base64", "media_type": "image/png", "data": "?"}]}, "files.0.data"),
]


@pytest.mark.parametrize(("body", "param"), CREATE)
def test_create_refuses(api: Api, body: dict[str, Any], param: str) -> None:
    error = api.post("/video-agents", body, status=400)
    assert (error["code"], error["param"]) == ("invalid_parameter", param)
    assert api.simulator.control.ledger()["accepted"] == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "message"),
        ({"message": LONG}, "message"),
        ({"message": "a", "auto_proceed": True}, "auto_proceed"),
        ({"message": "a", "style_id": None}, "style_id"),
        ({"message": "a", "brand_kit_id": "kit_unknown"}, "brand_kit_id"),
    ],
)
def test_send_refuses(api: Api, body: dict[str, Any], param: str) -> None:
    session_id = api.create()
    assert api.post(f"/video-agents/{session_id}", body, status=400)["param"] == param


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"prompt": "a", "mode": "chat"}, "mode"),
        ({"prompt": "a", "brand_kit_id": None}, "brand_kit_id"),
        ({"prompt": "a", "auto_proceed": 1}, "auto_proceed"),
    ],
)
def test_old_create_refuses_what_belongs_to_the_other_dialect(
    api: Api, body: dict[str, Any], param: str
) -> None:
    assert api.post("/video-agents/sessions", body, status=400)["param"] == param


def test_stop_wants_the_empty_object(api: Api) -> None:
    session_id = api.create()
    assert api.post(f"/video-agents/{session_id}/stop", {"reason": "x"}, status=400)["param"] == "reason"
    assert api.call("POST", f"/video-agents/{session_id}/stop").status_code == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_bodies_that_are_no_object(api: Api, body: bytes) -> None:
    response = api.call("POST", "/video-agents", data=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"type": "video", "avatar_id": "a"}, "type"),
        ({"avatar_id": "a", "voice_id": "b", "text": "c"}, "type"),
        ({"type": "tts", "avatar_id": "a", "voice_id": "b"}, "text"),
        ({"type": "tts", "avatar_id": "a", "voice_id": "b", "text": ""}, "text"),
        ({"type": "tts", "avatar_id": "a", "voice_id": "b", "text": "c", "quality": "high"}, "quality"),
        ({"type": "audio", "avatar_id": "a", "audio": {"type": "url"}}, "audio.url"),
        ({"type": "audio", "avatar_id": "a", "voice_id": "b", "audio": FILE}, "voice_id"),
        ({"type": "text_stream", "avatar_id": "a", "voice_id": "b", "text": "c"}, "avatar_id"),
    ],
)
def test_realtime_create_refuses(api: Api, body: dict[str, Any], param: str) -> None:
    assert api.post("/avatar-realtime", body, status=400)["param"] == param


@pytest.mark.parametrize(
    "path",
    [
        "/video-agents?limit=0",
        "/video-agents?limit=101",
        "/avatars/looks?limit=51",
        "/voices?limit=ten",
        "/videos?limit=",
        "/brand-kits?limit=1.5",
    ],
)
def test_limits_outside_their_range(api: Api, path: str) -> None:
    response = api.call("GET", path)
    assert (response.status_code, response.json()["error"]["param"]) == (400, "limit")


def test_a_cursor_of_something_else_is_refused(api: Api) -> None:
    for token in ("abc", "%%%", "YWZ0ZXI6bm9ib2R5"):
        response = api.call("GET", "/voices", params={"token": token})
        assert (response.status_code, response.json()["error"]["param"]) == (400, "token")


def test_unknown_addresses_and_methods(api: Api) -> None:
    assert api.call("GET", "/nothing").status_code == 404
    response = api.call("PUT", "/video-agents")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, POST")
