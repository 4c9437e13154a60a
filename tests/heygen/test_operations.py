"""Each method asks for its operation, and together they are all of the contract's operations."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

import heygen
from heygen import (
    Audio,
    Client,
    CreateSession,
    Dialect,
    FileAsset,
    FileBase64,
    FileUrl,
    SendMessage,
    TextStream,
    Tts,
)
from tests.contract.client_requests import ContractRecorder, operations
from tests.heygen.dialects import in_dialect
from tests.heygen.server import Server, answer

FILES = (
    FileAsset("asset_1"),
    FileUrl("https://files.example.com/a.png"),
    FileBase64("image/png", "iVBORw0="),
)

EVERYTHING = CreateSession(
    prompt="A short introduction",
    mode="chat",
    avatar_id="look_1",
    voice_id="voice_1",
    style_id="style_1",
    brand_kit_id="kit_1",
    brand_glossary_id="glossary_1",
    orientation="portrait",
    files=FILES,
    callback_url="https://dailies.example.com/callback/abc/",
    callback_id="session-17",
    incognito_mode=True,
)
OLD_EVERYTHING = CreateSession(
    prompt="A short introduction",
    mode="generate",
    avatar_id="look_1",
    voice_id="voice_1",
    style_id="style_1",
    orientation="portrait",
    files=FILES,
    callback_url="https://dailies.example.com/callback/abc/",
    callback_id="session-17",
    incognito_mode=True,
)

# One object that every endpoint can read something from: what counts here is what is asked.
DATA = {
    "id": "x",
    "session_id": "x",
    "status": "thinking",
    "run_id": "r",
    "resource_id": "x",
    "voice_id": "x",
    "asset_id": "x",
    "upload_url": "https://upload.example.com/x",
    "upload_headers": {},
    "stream_id": "x",
    "endpoint_id": "x",
    "secret": "whsec_x",
    "items": [],
    "resources": [],
}

SESSION = "/v3/video-agents/s%2F1"
OLD = "/v3/video-agents/sessions"

# method and path that are expected, the call, and the body that is expected (None: no body)
CALLS: list[tuple[str, Callable[[Client], Any], dict[str, Any] | None]] = [
    (
        "POST /v3/video-agents",
        lambda c: c.create_session(CreateSession("Hi")),
        {"prompt": "Hi", "mode": "generate"},
    ),
    (
        "POST /v3/video-agents",
        lambda c: c.create_session(EVERYTHING),
        {
            "prompt": "A short introduction",
            "mode": "chat",
            "avatar_id": "look_1",
            "voice_id": "voice_1",
            "style_id": "style_1",
            "brand_kit_id": "kit_1",
            "brand_glossary_id": "glossary_1",
            "orientation": "portrait",
            "files": [
                {"type": "asset_id", "asset_id": "asset_1"},
                {"type": "url", "url": "https://files.example.com/a.png"},
                {"type": "base64", "media_type": "image/png", "data": "iVBORw0="},
            ],
            "callback_url": "https://dailies.example.com/callback/abc/",
            "callback_id": "session-17",
            "incognito_mode": True,
        },
    ),
    ("GET /v3/video-agents?limit=20", lambda c: c.list_sessions(), None),
    ("GET /v3/video-agents?limit=5&token=a%2Bb%3D", lambda c: c.list_sessions(5, "a+b="), None),
    (f"GET {SESSION}", lambda c: c.read_session("s/1"), None),
    (f"GET {SESSION}", lambda c: c.poll_session("s/1"), None),
    (
        f"POST {SESSION}",
        lambda c: c.send_message("s/1", SendMessage("Yes", "look_1", "voice_1", "kit_1", FILES[:1], True)),
        {
            "message": "Yes",
            "avatar_id": "look_1",
            "voice_id": "voice_1",
            "brand_kit_id": "kit_1",
            "files": [{"type": "asset_id", "asset_id": "asset_1"}],
        },
    ),
    (f"POST {SESSION}/stop", lambda c: c.stop_session("s/1"), {}),
    (f"GET {SESSION}/resources/r%201", lambda c: c.read_resource("s/1", "r 1"), None),
    (f"GET {SESSION}/videos", lambda c: c.list_session_videos("s/1"), None),
    ("GET /v3/video-agents/styles?tag=print&limit=50", lambda c: c.list_styles(tag="print", limit=100), None),
    (
        "GET /v3/videos?folder_id=f&title=Intro&limit=10",
        lambda c: c.list_videos(folder_id="f", title="Intro"),
        None,
    ),
    ("GET /v3/videos/v1", lambda c: c.read_video("v1"), None),
    ("DELETE /v3/videos/v1", lambda c: c.delete_video("v1"), None),
    ("GET /v3/videos/statuses?video_ids=a%2Cb", lambda c: c.video_statuses(["a", "b", "a"]), None),
    ("GET /v3/videos/statuses?batch_ids=z", lambda c: c.video_statuses(batch_ids=["z"]), None),
    ("GET /v3/avatars?ownership=private&limit=50", lambda c: c.list_avatars(ownership="private"), None),
    ("GET /v3/avatars/g1", lambda c: c.read_avatar("g1"), None),
    (
        "GET /v3/avatars/looks?group_id=g1&avatar_type=photo_avatar&limit=50",
        lambda c: c.list_looks(group_id="g1", avatar_type="photo_avatar", limit=90),
        None,
    ),
    ("GET /v3/avatars/looks/l1", lambda c: c.read_look("l1"), None),
    (
        "GET /v3/voices?type=private&engine=e&language=German&gender=female&limit=100",
        lambda c: c.list_voices(type="private", engine="e", language="German", gender="female"),
        None,
    ),
    ("GET /v3/voices/v1", lambda c: c.read_voice("v1"), None),
    ("GET /v3/brand-kits?limit=100", lambda c: c.list_brand_kits(), None),
    ("GET /v3/brand-glossaries?limit=100", lambda c: c.list_brand_glossaries(), None),
    ("GET /v3/users/me", lambda c: c.me(), None),
    (
        "POST /v3/assets/direct-uploads",
        lambda c: c.create_direct_upload("a.mp4", "video/mp4", 10, "a" * 64),
        {"filename": "a.mp4", "content_type": "video/mp4", "size_bytes": 10, "checksum_sha256": "a" * 64},
    ),
    ("POST /v3/assets/a1/complete", lambda c: c.complete_upload("a1"), {}),
    (
        "POST /v3/assets/a1/complete",
        lambda c: c.complete_upload("a1", "b" * 64),
        {"checksum_sha256": "b" * 64},
    ),
    ("GET /v3/assets/a1", lambda c: c.read_asset("a1"), None),
    ("GET /v3/assets?username=u&limit=20", lambda c: c.list_assets("u"), None),
    ("GET /v3/assets?username=u&folder_id=&limit=20", lambda c: c.list_assets("u", folder_id=""), None),
    ("DELETE /v3/assets/a1", lambda c: c.delete_asset("a1"), None),
    (
        "POST /v3/avatar-realtime",
        lambda c: c.create_stream(Tts("look_1", "voice_1", "Hello.")),
        {"type": "tts", "avatar_id": "look_1", "voice_id": "voice_1", "text": "Hello."},
    ),
    (
        "POST /v3/avatar-realtime",
        lambda c: c.create_stream(Audio("look_1", FileUrl("https://files.example.com/a.mp3"))),
        {
            "type": "audio",
            "avatar_id": "look_1",
            "audio": {"type": "url", "url": "https://files.example.com/a.mp3"},
        },
    ),
    (
        "POST /v3/avatar-realtime",
        lambda c: c.create_stream(TextStream("look_1", "voice_1", "Hello.")),
        {"type": "text_stream", "avatar_id": "look_1", "voice_id": "voice_1", "text": "Hello."},
    ),
    ("GET /v3/avatar-realtime/st1", lambda c: c.read_stream("st1"), None),
    ("POST /v3/avatar-realtime/st1/text", lambda c: c.append_text("st1", " More."), {"delta": " More."}),
    (
        "POST /v3/avatar-realtime/st1/text",
        lambda c: c.append_text("st1", "", True),
        {"delta": "", "final": True},
    ),
    ("POST /v3/avatar-realtime/st1/cancel", lambda c: c.cancel_stream("st1"), None),
    ("GET /v3/webhooks/event-types", lambda c: c.list_event_types(), None),
    ("GET /v3/webhooks/endpoints?limit=100", lambda c: c.list_webhook_endpoints(), None),
    (
        "POST /v3/webhooks/endpoints",
        lambda c: c.create_webhook_endpoint("https://a.example.com/", idempotency_key="k-1"),
        {"url": "https://a.example.com/"},
    ),
    (
        "POST /v3/webhooks/endpoints",
        lambda c: c.create_webhook_endpoint(
            "https://a.example.com/", events=["video_agent.fail"], entity_id="e"
        ),
        {"url": "https://a.example.com/", "events": ["video_agent.fail"], "entity_id": "e"},
    ),
    (
        "PATCH /v3/webhooks/endpoints/e1",
        lambda c: c.update_webhook_endpoint("e1", url="https://b.example.com/", events=[]),
        {"url": "https://b.example.com/", "events": []},
    ),
    ("DELETE /v3/webhooks/endpoints/e1", lambda c: c.delete_webhook_endpoint("e1"), None),
    (
        "POST /v3/webhooks/endpoints/e1/rotate-secret",
        lambda c: c.rotate_webhook_secret("e1", idempotency_key="k-2"),
        None,
    ),
    (
        "GET /v3/webhooks/events?event_type=video_agent.fail&entity_id=e&limit=100",
        lambda c: c.list_webhook_events(event_type="video_agent.fail", entity_id="e"),
        None,
    ),
]

OLD_CALLS: list[tuple[str, Callable[[Client], Any], dict[str, Any] | None]] = [
    (
        f"POST {OLD}",
        lambda c: c.create_session(OLD_EVERYTHING),
        {
            "prompt": "A short introduction",
            "auto_proceed": True,
            "avatar_id": "look_1",
            "voice_id": "voice_1",
            "style_id": "style_1",
            "orientation": "portrait",
            "files": [
                {"type": "asset_id", "asset_id": "asset_1"},
                {"type": "url", "url": "https://files.example.com/a.png"},
                {"type": "base64", "media_type": "image/png", "data": "iVBORw0="},
            ],
            "callback_url": "https://dailies.example.com/callback/abc/",
            "callback_id": "session-17",
            "incognito_mode": True,
        },
    ),
    (f"GET {OLD}/s%2F1", lambda c: c.read_session("s/1"), None),
    (
        f"POST {OLD}/s%2F1/messages",
        lambda c: c.send_message("s/1", SendMessage("Fine.", auto_proceed=True)),
        {"message": "Fine.", "auto_proceed": True},
    ),
    (f"POST {OLD}/s%2F1/stop", lambda c: c.stop_session("s/1"), {}),
    (
        f"GET {OLD}/s%2F1/resources?resource_ids=a%2Cb&limit=2",
        lambda c: c.list_resources("s/1", resource_ids=["a", "b"], limit=2),
        None,
    ),
    (
        f"GET {OLD}/s%2F1/resources?type=image&source=generated&limit=100&token=t",
        lambda c: c.list_resources("s/1", type="image", source="generated", token="t"),
        None,
    ),
    ("GET /v3/video-agents/styles?limit=50", lambda c: c.list_styles(), None),
]


@pytest.mark.parametrize(
    ("asked", "call", "body"), CALLS, ids=[f"{i} {row[0]}" for i, row in enumerate(CALLS)]
)
def test_current_dialect(
    server: Server, client: Client, asked: str, call: Callable[[Client], Any], body: dict[str, Any] | None
) -> None:
    server.data(DATA)

    call(client)

    assert f"{server.last.method} {server.last.path}" == asked
    assert (server.last.json if server.last.body else None) == body
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("asked", "call", "body"), OLD_CALLS, ids=[f"{i} {row[0]}" for i, row in enumerate(OLD_CALLS)]
)
def test_old_dialect(
    server: Server, old_client: Client, asked: str, call: Callable[[Client], Any], body: dict[str, Any] | None
) -> None:
    server.data(DATA)

    call(old_client)

    assert f"{server.last.method} {server.last.path}" == asked
    assert (server.last.json if server.last.body else None) == body


def test_together_they_are_every_operation_of_the_contract(server: Server, client: Client) -> None:
    server.reply(answer({"data": DATA}))
    recorder = ContractRecorder()
    heygen.transport.recorders.append(recorder)
    try:
        for _, call, _ in CALLS:
            call(client)
        for _, call, _ in OLD_CALLS:
            call(in_dialect(client, Dialect.SESSIONS))
        client.upload_asset(io.BytesIO(b"bytes"), "a.png", "image/png", "key-1")
        with pytest.raises(heygen.BadPayload):  # the scripted answer is no event stream
            client.words("st1")
    finally:
        heygen.transport.recorders.remove(recorder)

    assert recorder.operations == operations()


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda c: c.list_sessions(), None),
        (lambda c: c.list_session_videos("s"), None),
        (lambda c: c.create_session(CreateSession("Hi", brand_kit_id="kit")), "brand_kit_id"),
        (lambda c: c.create_session(CreateSession("Hi", brand_glossary_id="g")), "brand_glossary_id"),
        (lambda c: c.send_message("s", SendMessage("Hi", brand_kit_id="kit")), "brand_kit_id"),
    ],
)
def test_what_the_old_dialect_lacks_is_not_sent(
    server: Server, old_client: Client, call: Callable[[Client], Any], what: str | None
) -> None:
    with pytest.raises(heygen.Unsupported) as caught:
        call(old_client)

    assert caught.value.param == what
    assert server.received == []


def test_the_current_dialect_has_no_list_of_resources(server: Server, client: Client) -> None:
    with pytest.raises(heygen.Unsupported):
        client.list_resources("s")
    assert server.received == []


def test_every_request_says_who_asks(server: Server, client: Client) -> None:
    server.data(DATA)

    client.me()

    assert server.last.headers["user-agent"].startswith("Dailies/")
    assert server.last.headers["x-api-key"] == "sk_test_5f1c9e"
    assert "cookie" not in server.last.headers


@pytest.mark.parametrize("bad", ["", ".", ".."])
def test_an_id_that_would_name_another_endpoint_is_not_sent(server: Server, client: Client, bad: str) -> None:
    with pytest.raises(heygen.NotFound):
        client.read_session(bad)
    assert server.received == []


def test_a_bad_idempotency_key_is_an_error_of_the_caller(server: Server, client: Client) -> None:
    with pytest.raises(ValueError, match="idempotency"):
        client.rotate_webhook_secret("e1", idempotency_key="with space")
    assert server.received == []
