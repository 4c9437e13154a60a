"""One test for each row of section 11 of the contract: where the sources differ, what a tolerant client does."""

from __future__ import annotations

import hashlib
import hmac
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings

import heygen
from config import env
from heygen import Client, CreateSession, Dialect, SendMessage, statuses
from heygen.webhooks import parse_delivery, verify
from tests.fakes import CREATED
from tests.heygen.dialects import in_dialect
from tests.heygen.server import Server, answer, error

CREATED_AT = datetime.fromtimestamp(CREATED, UTC)
OLD = Dialect.SESSIONS


def test_01_session_urls_follow_the_dialect_and_default_to_the_current_one(
    server: Server, client: Client
) -> None:
    server.data({"session_id": "s", "status": "thinking", "created_at": CREATED})

    assert client.dialect is Dialect.CURRENT
    client.read_session("s")
    in_dialect(client, OLD).read_session("s")

    assert [one.path for one in server.received] == ["/v3/video-agents/s", "/v3/video-agents/sessions/s"]


@pytest.mark.parametrize(("mode", "proceeds"), [("chat", False), ("generate", True)])
def test_02_mode_and_auto_proceed_are_never_sent_together(
    server: Server, client: Client, mode: Any, proceeds: bool
) -> None:
    server.data({"session_id": "s", "status": "thinking", "created_at": CREATED})

    client.create_session(CreateSession("Hi", mode=mode))
    in_dialect(client, OLD).create_session(CreateSession("Hi", mode=mode))

    assert [one.json for one in server.received] == [
        {"prompt": "Hi", "mode": mode},
        {"prompt": "Hi", "auto_proceed": proceeds},
    ]


def test_03_thinking_and_processing_are_one_state() -> None:
    assert [statuses.session_group(word) for word in ("thinking", "processing", "THINKING")] == [
        "working"
    ] * 3


def test_04_both_waiting_states_need_a_person() -> None:
    assert [statuses.session_group(word) for word in ("waiting_for_input", "reviewing")] == ["needs_you"] * 2


def test_05_a_create_answer_may_hold_id_and_time_only(
    server: Server, old_client: Client, client: Client
) -> None:
    server.data({"session_id": "s", "created_at": CREATED})

    for asked, status in ((old_client, "processing"), (client, "thinking")):
        created = asked.create_session(CreateSession("Hi"))
        assert (created.session_id, created.status, created.video_id, created.created_at) == (
            "s",
            status,
            None,
            CREATED_AT,
        )
        assert statuses.session_group(created.status) == "working"


@pytest.mark.parametrize(
    "word",
    [
        "thinking",
        "processing",
        "waiting_for_input",
        "reviewing",
        "generating",
        "completed",
        "failed",
        "newest",
    ],
)
def test_06_one_permissive_parser_for_every_status(server: Server, client: Client, word: str) -> None:
    server.data({"session_id": "s", "status": word, "created_at": CREATED})

    for asked in (client, in_dialect(client, OLD)):
        assert asked.create_session(CreateSession("Hi")).status == word
        assert asked.read_session("s").status == word


def test_07_callbacks_are_sent_in_both_dialects(server: Server, client: Client) -> None:
    server.data({"session_id": "s", "created_at": CREATED})
    wanted = CreateSession("Hi", callback_url="https://a.example.com/x", callback_id="7")

    for asked in (client, in_dialect(client, OLD)):
        asked.create_session(wanted)
        assert (
            server.last.json.items()
            >= {"callback_url": "https://a.example.com/x", "callback_id": "7"}.items()
        )

    # Alone it would be refused.
    client.create_session(CreateSession("Hi", callback_id="7"))
    assert "callback_id" not in server.last.json


def test_08_messages_go_where_the_dialect_wants_them(server: Server, client: Client) -> None:
    server.data({"session_id": "s", "run_id": "r", "title": None})

    client.send_message("s", SendMessage("Yes"))
    in_dialect(client, OLD).send_message("s", SendMessage("Yes"))

    assert [one.path for one in server.received] == [
        "/v3/video-agents/s",
        "/v3/video-agents/sessions/s/messages",
    ]


def test_09_auto_proceed_is_in_messages_of_the_old_dialect_only(server: Server, client: Client) -> None:
    server.data({"session_id": "s", "run_id": "r"})

    client.send_message("s", SendMessage("Yes", auto_proceed=True))
    in_dialect(client, OLD).send_message("s", SendMessage("Yes", auto_proceed=True))
    in_dialect(client, OLD).send_message("s", SendMessage("Change it"))

    assert [one.json for one in server.received] == [
        {"message": "Yes"},
        {"message": "Yes", "auto_proceed": True},
        {"message": "Change it", "auto_proceed": False},
    ]


def resource(name: str) -> dict[str, Any]:
    return {"resource_id": name, "resource_type": "image"}


class TestRow10:
    """A resource by its id: a request of its own, or a filtered list."""

    def test_current(self, server: Server, client: Client) -> None:
        server.reply(answer({"data": resource("a")}), error(404, "resource_not_found"))

        assert client.read_resource("s", "a").resource_id == "a"
        assert server.last.path.endswith("/s/resources/a")
        with pytest.raises(heygen.NotFound):
            client.read_resource("s", "b")

    def test_old(self, server: Server, old_client: Client) -> None:
        server.data({"resources": [resource("a")], "next_cursor": None})

        assert old_client.read_resource("s", "a").resource_id == "a"
        assert server.last.path.endswith("/s/resources?resource_ids=a&limit=1")
        # One that the filter let through all the same is not taken for it.
        with pytest.raises(heygen.NotFound):
            old_client.read_resource("s", "b")


@pytest.mark.parametrize(
    "body",
    [
        {"data": [resource("a")], "has_more": True, "next_token": "t"},
        {"data": [resource("a")], "next_cursor": "t"},
        {"data": {"resources": [resource("a")], "next_cursor": "t"}},
        {"data": {"resources": [resource("a")], "next_token": "t"}},
        {"data": {"items": [resource("a")], "has_more": True, "next_token": "t"}},
        {"data": {"resources": [resource("a")]}, "next_token": "t"},
    ],
)
def test_11_cursors_are_found_under_both_names_in_both_places(
    server: Server, old_client: Client, body: dict[str, Any]
) -> None:
    server.reply(answer(body))

    page = old_client.list_resources("s")

    assert ([one.resource_id for one in page.items], page.next_token) == (["a"], "t")
    old_client.list_resources("s", token=page.next_token)
    assert server.last.path.endswith("&token=t")


def test_12_what_a_dialect_lacks_is_known_before_asking() -> None:
    current, old = Dialect.CURRENT.abilities, Dialect.SESSIONS.abilities

    assert (current.list_sessions, current.list_session_videos, current.list_resources) == (True, True, False)
    assert (old.list_sessions, old.list_session_videos, old.list_resources) == (False, False, True)


@pytest.mark.parametrize("code", ["authentication_failed", "unauthorized", ""])
def test_13_a_401_is_one_whatever_its_code(server: Server, client: Client, code: str) -> None:
    server.reply(error(401, code))

    with pytest.raises(heygen.Unauthorized):
        client.me()


@pytest.mark.parametrize("code", ["rate_limit_exceeded", "rate_limited", ""])
def test_14_a_429_is_one_whatever_its_code(server: Server, client: Client, code: str) -> None:
    server.reply(error(429, code))

    with pytest.raises(heygen.RateLimited):
        client.me()


def test_15_the_old_create_takes_style_and_incognito(server: Server, old_client: Client) -> None:
    server.data({"session_id": "s", "created_at": CREATED})

    old_client.create_session(CreateSession("Hi", mode="chat", style_id="style", incognito_mode=True))

    assert server.last.json == {
        "prompt": "Hi",
        "auto_proceed": False,
        "style_id": "style",
        "incognito_mode": True,
    }


def test_16_brand_fields_are_sent_only_when_chosen(server: Server, client: Client) -> None:
    server.reply(
        answer({"data": {"session_id": "s"}}), error(400, "invalid_parameter", "", param="brand_glossary_id")
    )

    client.create_session(CreateSession("Hi", brand_kit_id="", brand_glossary_id=None))
    assert server.last.json == {"prompt": "Hi", "mode": "generate"}

    with pytest.raises(heygen.Refused) as caught:
        client.create_session(CreateSession("Hi", brand_glossary_id="g"))
    assert caught.value.param == "brand_glossary_id"


@pytest.mark.parametrize("extra", [{"param": None, "doc_url": None}, {}])
def test_17_null_and_absent_param_are_alike(server: Server, client: Client, extra: dict[str, None]) -> None:
    server.reply(error(401, "unauthorized", "Unauthorized", **extra))

    with pytest.raises(heygen.Unauthorized) as caught:
        client.me()
    assert (caught.value.param, caught.value.doc_url) == (None, None)


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (
            {"status": "streaming", "hls_url": "https://a/x.m3u8"},
            ("streaming", "streaming", "https://a/x.m3u8"),
        ),
        ({"status": "ready", "url": "https://a/x.m3u8"}, ("streaming", "ready", "https://a/x.m3u8")),
        ({"status": "Ready", "hls_url": None, "url": "https://a/u"}, ("streaming", "Ready", "https://a/u")),
        (
            {"status": "streaming", "hls_url": "https://a/h", "url": "https://a/u"},
            ("streaming", "streaming", "https://a/h"),
        ),
        ({"status": "failed"}, ("error", "failed", None)),
        ({"status": "newest"}, ("newest", "newest", None)),
    ],
)
def test_18_realtime_names_are_read_in_both_forms(
    server: Server, client: Client, wire: dict[str, Any], expected: tuple[str, str, str | None]
) -> None:
    server.data({"stream_id": "st", **wire})

    stream = client.read_stream("st")

    assert (stream.status, stream.raw_status, stream.hls_url) == expected


def test_18_text_is_sent_as_delta(server: Server, client: Client) -> None:
    server.data({"ok": True, "buffered_bytes": 12}, 202)

    assert client.append_text("st", "Hello").buffered_bytes == 12
    assert server.last.json == {"delta": "Hello"}


@pytest.mark.parametrize("status", [200, 201, 202])
def test_19_any_2xx_created_the_stream(server: Server, client: Client, status: int) -> None:
    server.data({"stream_id": "st"}, status)

    assert client.create_stream(heygen.Tts("look", "voice", "Hello")) == "st"


@pytest.mark.parametrize("header", ["Heygen-Signature", "Signature", "X-HeyGen-Signature"])
def test_20_a_signature_is_taken_from_each_header(header: str) -> None:
    body = b'{"event_type": "video_agent.success"}'
    signature = hmac.new(b"whsec_x", body, hashlib.sha256).hexdigest()

    verify(body, {header: signature}, "whsec_x", now=CREATED_AT)


@pytest.mark.parametrize("key", ["event_type", "event", "type"])
def test_21_the_type_of_a_delivery_is_read_from_each_key(key: str) -> None:
    assert parse_delivery(b'{"%s": "video_agent.fail"}' % key.encode()).event_type == "video_agent.fail"


def test_22_the_price_of_video_is_a_setting_and_none_is_built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.VIDEO_PRICE_PER_SECOND == 0.0333
    monkeypatch.setenv("VIDEO_PRICE_PER_SECOND", "0.1")
    assert env.decimal("VIDEO_PRICE_PER_SECOND", default=0.0333, least=0, most=100) == 0.1
    assert not [name for name in dir(heygen) if "price" in name.lower() or "cost" in name.lower()]


def test_23_styles_are_asked_for_in_pages_of_at_most_fifty(server: Server, client: Client) -> None:
    server.reply(answer({"data": []}))

    client.list_styles()
    client.list_styles(limit=100)

    assert [one.path for one in server.received] == ["/v3/video-agents/styles?limit=50"] * 2


@pytest.mark.parametrize("word", ["complete", "completed", "Complete", None])
def test_24_a_voice_is_ready_in_either_word(server: Server, client: Client, word: str | None) -> None:
    server.data({"voice_id": "v", "support_pause": True, "status": word})

    assert client.read_voice("v").usable is True


def test_25_ids_are_mapped_for_each_endpoint(server: Server, client: Client) -> None:
    server.data({"id": "x", "status": "completed"})
    assert client.read_video("x").video_id == "x"
    assert client.read_look("x").look_id == "x"
    assert client.read_avatar("x").group_id == "x"
    assert client.read_asset("x").asset_id == "x"

    server.data({"asset_id": "y"})
    assert client.upload_asset(io.BytesIO(b"1"), "a.png", "image/png").asset_id == "y"
    assert client.read_asset("y").asset_id == "y"

    server.data({"video_id": "z", "status": "completed"})
    assert client.read_video("z").video_id == "z"
    server.data({"session_id": "s", "status": "completed", "video_id": "z"})
    assert client.read_session("s").video_id == "z"
