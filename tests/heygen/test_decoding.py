"""Tolerant reading: what is new, missing or odd is kept, logged once and stops nothing."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import heygen
from heygen import Client, CreateSession, RemoteMessage, RemoteSession, SendMessage
from tests.contract.client_requests import contract
from tests.fakes import CREATED
from tests.heygen.dialects import in_dialect
from tests.heygen.server import KEY, Server, answer

SESSION: dict[str, Any] = {
    "session_id": "s",
    "status": "waiting_for_input",
    "progress": 45,
    "title": "Onboarding",
    "video_id": None,
    "created_at": CREATED,
    "messages": [
        {
            "role": "model",
            "content": "Which?",
            "type": "resource",
            "created_at": CREATED + 70,
            "resource_ids": ["a", "b"],
        },
        {"role": "user", "content": "A video", "type": "text", "created_at": None, "resource_ids": None},
    ],
}


def test_a_session_is_read_oldest_message_first(server: Server, client: Client) -> None:
    server.data(SESSION)

    assert client.read_session("s") == RemoteSession(
        session_id="s",
        status="waiting_for_input",
        progress=45,
        title="Onboarding",
        video_id=None,
        created_at=datetime.fromtimestamp(CREATED, UTC),
        messages=(
            RemoteMessage("user", "A video", "text", None, (), SESSION["messages"][1]),
            RemoteMessage(
                "model",
                "Which?",
                "resource",
                datetime.fromtimestamp(CREATED + 70, UTC),
                ("a", "b"),
                SESSION["messages"][0],
            ),
        ),
        window_full=False,
        raw=SESSION,
    )


@pytest.mark.parametrize(("count", "full"), [(0, False), (39, False), (40, True), (41, True)])
def test_a_window_of_forty_is_full(count: int, full: bool) -> None:
    messages = [{"role": "user", "content": str(number), "type": "text"} for number in range(count)]

    session = RemoteSession.from_json({**SESSION, "messages": messages})

    assert session.window_full is full
    assert [message.content for message in session.messages] == [
        str(number) for number in reversed(range(count))
    ]


@pytest.mark.parametrize("messages", [{}, {"messages": None}, {"messages": []}])
def test_messages_may_be_absent(messages: dict[str, Any]) -> None:
    bare = {"session_id": "s", "status": "thinking", "created_at": CREATED}

    assert RemoteSession.from_json({**bare, **messages}).messages == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (45, 45),
        (45.9, 45),
        ("45", 45),
        (None, 0),
        (-5, 0),
        (250, 100),
        (True, 0),
        ([], 0),
        (10**400, 0),
    ],
)
def test_progress_is_always_a_percentage(value: Any, expected: int) -> None:
    assert RemoteSession.from_json({**SESSION, "progress": value}).progress == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (CREATED, datetime.fromtimestamp(CREATED, UTC)),
        (float(CREATED), datetime.fromtimestamp(CREATED, UTC)),
        (str(CREATED), datetime.fromtimestamp(CREATED, UTC)),
        (CREATED * 1000, datetime.fromtimestamp(CREATED, UTC)),
        ("2026-09-20T10:00:00Z", datetime(2026, 9, 20, 10, tzinfo=UTC)),
        ("2026-09-20T12:00:00+02:00", datetime(2026, 9, 20, 10, tzinfo=UTC)),
        ("2026-09-20T10:00:00", datetime(2026, 9, 20, 10, tzinfo=UTC)),
        ("0001-01-01T00:00:00+23:59", None),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59Z", None),
        (-1, None),
        (-(10**15), None),
        (10**30, None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (True, None),
        ({}, None),
    ],
)
def test_times_are_aware_utc_or_none(value: Any, expected: datetime | None) -> None:
    assert RemoteSession.from_json({**SESSION, "created_at": value}).created_at == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("Hi", "Hi"), ("", ""), (None, ""), (7, "7"), (True, "true"), ({"a": "ü"}, '{"a": "ü"}'), ([1], "[1]")],
)
def test_content_is_always_text(value: Any, expected: str) -> None:
    assert RemoteMessage.from_json({"role": "model", "content": value, "type": "text"}).content == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["a", "b"], ("a", "b")),
        ([], ()),
        (None, ()),
        ("a", ()),
        ({}, ()),
        ([1, None, "b", [], True], ("1", "b")),
    ],
)
def test_resource_ids_are_always_texts(value: Any, expected: tuple[str, ...]) -> None:
    assert (
        RemoteMessage.from_json({"role": "model", "content": "", "resource_ids": value}).resource_ids
        == expected
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": None},
        {"status": ""},
        {"status": []},
        {"session_id": None},
        {"messages": "x"},
        {"messages": [7]},
    ],
)
def test_what_a_session_cannot_do_without(server: Server, client: Client, wrong: dict[str, Any]) -> None:
    server.data({**SESSION, **wrong})

    with pytest.raises(heygen.BadPayload) as caught:
        client.read_session("s")
    assert caught.value.status == 200


def test_an_accepted_create_without_an_id_says_that_it_was_accepted(server: Server, client: Client) -> None:
    server.reply(answer({"data": {"created_at": CREATED}}))

    with pytest.raises(heygen.BadPayload) as caught:
        client.create_session(CreateSession("Hi"))
    assert caught.value.status == 200


def test_new_fields_and_odd_values_are_kept_raw_and_logged_once(
    server: Server, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "heygen")
    odd = {**SESSION, "visibility": "private text", "title": 7}
    server.data(odd)

    for _ in range(3):
        found = client.read_session("s")

    assert found.title == "7"
    assert found.raw == odd
    assert [record.getMessage() for record in caplog.records] == [
        "HeyGen answer differs from the contract: RemoteSession.visibility is new",
        "HeyGen answer differs from the contract: RemoteSession.title is a number, not a string",
    ]


def test_new_words_of_documented_lists_are_kept_and_logged_once_each(
    server: Server, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "heygen")
    for word in ("Pondering", "THINKING", "pondering", "dreaming", "Dreaming"):
        server.data({**SESSION, "status": word})
        assert client.read_session("s").status == word
    server.data({"username": "u", "billing_type": "wallet", "wallet": {"currency": "eur"}})
    for _ in range(2):
        assert client.me().raw["wallet"] == {"currency": "eur"}

    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "RemoteSession.status has a word that is new",
        "RemoteSession.status has a word that is new",
        "Wallet.currency has a word that is new",
    ]


def test_an_id_that_no_column_holds_is_none(server: Server, client: Client) -> None:
    longest, too_long = "x" * 255, "x" * 256
    server.data(
        {
            **SESSION,
            "video_id": too_long,
            "messages": [{**SESSION["messages"][0], "resource_ids": [too_long, "a"]}],
        }
    )
    found = client.read_session("s")
    assert (found.video_id, found.messages[0].resource_ids) == (None, ("a",))
    assert found.raw["video_id"] == too_long

    server.reply(answer({"data": [{"session_id": one, "created_at": 1} for one in (too_long, longest)]}))
    assert [one.session_id for one in client.list_sessions().items] == [longest]


def test_what_is_nested_too_deeply_is_emptied_and_the_rest_is_read(server: Server, client: Client) -> None:
    body = json.dumps({"data": {**SESSION, "more": "HERE"}}).replace('"HERE"', "[" * 500 + "]" * 500)
    server.reply(answer(body.encode()))

    found = client.read_session("s")

    assert (found.title, json.dumps(found.raw["more"]).count("[")) == ("Onboarding", 63)


def test_a_number_of_thousands_of_digits_is_null(server: Server, client: Client) -> None:
    body = json.dumps({"data": {**SESSION, "progress": "HERE"}}).replace('"HERE"', "9" * 5_000)
    server.reply(answer(body.encode()))

    assert client.read_session("s").raw["progress"] is None


def test_the_memory_of_what_was_logged_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    for number in range(3_000):
        RemoteSession.from_json({**SESSION, f"field_{number}": 1})

    assert len(caplog.records) == 1_000


def test_what_a_database_refuses_is_replaced(server: Server, client: Client) -> None:
    text = rb'"a\u0000b \ud83d\ude00 \ud800 c"'
    body = json.dumps({"data": {**SESSION, "title": "TEXT"}}).encode().replace(b'"TEXT"', text)
    server.reply(answer(body), answer(body.replace(text, b"NaN")), answer(body.replace(text, b"1e999")))

    found = client.read_session("s")
    assert found.title == "a\ufffdb \U0001f600 \ufffd c"
    assert found.raw["title"] == found.title
    for _ in range(2):
        assert client.read_session("s").raw["title"] is None


def test_a_poll_that_knows_the_answer_gets_nothing(server: Server, client: Client) -> None:
    server.reply(
        answer({"data": SESSION}), answer({"data": SESSION}), answer({"data": {**SESSION, "progress": 46}})
    )

    first = client.poll_session("s")
    second = client.poll_session("s", first.digest)
    third = client.poll_session("s", second.digest)

    assert (
        first.session and first.session.progress,
        second.session,
        third.session and third.session.progress,
    ) == (
        45,
        None,
        46,
    )
    assert first.digest == second.digest != third.digest


def test_a_poll_raises_like_a_read(server: Server, client: Client) -> None:
    server.reply(answer({"data": {}}), answer({"error": {"code": "not_found"}}, 404))

    with pytest.raises(heygen.BadPayload):
        client.poll_session("s")
    with pytest.raises(heygen.NotFound):
        client.poll_session("s")


# --------------------------------------------------------- any value anywhere


def example(schema: dict[str, Any]) -> Any:
    """A value that fits a schema of the contract, with every property filled."""
    if "$ref" in schema:
        found: Any = contract()
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return example(found)
    if "allOf" in schema:
        merged: dict[str, Any] = {}
        for part in schema["allOf"]:
            merged.update(example(part))
        return merged
    if "oneOf" in schema:
        return example(schema["oneOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "array":
        return [example(schema["items"])]
    if kind == "object":
        return {name: example(part) for name, part in schema.get("properties", {}).items()}
    return {"string": "x", "integer": CREATED, "number": 1.5, "boolean": True, "null": None}[kind]


def answers(template: str, method: str) -> Any:
    responses = contract()["paths"][template][method]["responses"]
    status = next(one for one in responses if one.startswith("2"))
    response = responses[status]
    if "$ref" in response:
        response = contract()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return example(response["content"]["application/json"]["schema"])


OLD = "/v3/video-agents/sessions"
SPOILED: list[tuple[str, str, Callable[[Client], Any]]] = [
    ("/v3/video-agents", "post", lambda c: c.create_session(CreateSession("Hi"))),
    ("/v3/video-agents", "get", lambda c: c.list_sessions()),
    ("/v3/video-agents/{session_id}", "get", lambda c: c.read_session("s")),
    ("/v3/video-agents/{session_id}", "get", lambda c: c.poll_session("s")),
    ("/v3/video-agents/{session_id}", "post", lambda c: c.send_message("s", SendMessage("Hi"))),
    ("/v3/video-agents/{session_id}/stop", "post", lambda c: c.stop_session("s")),
    ("/v3/video-agents/{session_id}/resources/{resource_id}", "get", lambda c: c.read_resource("s", "r")),
    ("/v3/video-agents/{session_id}/videos", "get", lambda c: c.list_session_videos("s")),
    ("/v3/video-agents/styles", "get", lambda c: c.list_styles()),
    (OLD, "post", lambda c: in_dialect(c, heygen.Dialect.SESSIONS).create_session(CreateSession("Hi"))),
    (
        OLD + "/{session_id}/resources",
        "get",
        lambda c: in_dialect(c, heygen.Dialect.SESSIONS).list_resources("s"),
    ),
    ("/v3/videos", "get", lambda c: c.list_videos()),
    ("/v3/videos/{video_id}", "get", lambda c: c.read_video("v")),
    ("/v3/videos/{video_id}", "delete", lambda c: c.delete_video("v")),
    ("/v3/videos/statuses", "get", lambda c: c.video_statuses(["v"])),
    ("/v3/avatars", "get", lambda c: c.list_avatars()),
    ("/v3/avatars/{group_id}", "get", lambda c: c.read_avatar("g")),
    ("/v3/avatars/looks", "get", lambda c: c.list_looks()),
    ("/v3/avatars/looks/{look_id}", "get", lambda c: c.read_look("l")),
    ("/v3/voices", "get", lambda c: c.list_voices()),
    ("/v3/voices/{voice_id}", "get", lambda c: c.read_voice("v")),
    ("/v3/brand-kits", "get", lambda c: c.list_brand_kits()),
    ("/v3/brand-glossaries", "get", lambda c: c.list_brand_glossaries()),
    ("/v3/users/me", "get", lambda c: c.me()),
    ("/v3/assets", "get", lambda c: c.list_assets("u")),
    ("/v3/assets/{asset_id}", "get", lambda c: c.read_asset("a")),
    ("/v3/assets/{asset_id}", "delete", lambda c: c.delete_asset("a")),
    ("/v3/assets/{asset_id}/complete", "post", lambda c: c.complete_upload("a")),
    ("/v3/assets/direct-uploads", "post", lambda c: c.create_direct_upload("a", "video/mp4", 1)),
    ("/v3/avatar-realtime", "post", lambda c: c.create_stream(heygen.Tts("a", "v", "Hi"))),
    ("/v3/avatar-realtime/{stream_id}", "get", lambda c: c.read_stream("st")),
    ("/v3/avatar-realtime/{stream_id}/text", "post", lambda c: c.append_text("st", "Hi")),
    ("/v3/avatar-realtime/{stream_id}/cancel", "post", lambda c: c.cancel_stream("st")),
    ("/v3/webhooks/event-types", "get", lambda c: c.list_event_types()),
    ("/v3/webhooks/endpoints", "get", lambda c: c.list_webhook_endpoints()),
    ("/v3/webhooks/endpoints", "post", lambda c: c.create_webhook_endpoint("https://a.example.com/")),
    ("/v3/webhooks/endpoints/{endpoint_id}", "delete", lambda c: c.delete_webhook_endpoint("e")),
    ("/v3/webhooks/endpoints/{endpoint_id}/rotate-secret", "post", lambda c: c.rotate_webhook_secret("e")),
    ("/v3/webhooks/events", "get", lambda c: c.list_webhook_events()),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside a JSON value, the value itself included."""
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


def spoiled(value: Any, path: tuple[Any, ...], instead: Any) -> Any:
    if not path:
        return instead
    changed = copy.deepcopy(value)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = instead
    return changed


# NaN and Infinity are no JSON, but Python and others write them.
any_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**15)
    | st.floats()
    | st.text()
    | st.sampled_from(["", "0", "-1", "9" * 30, "2026-13-40T00:00:00Z", "x" * 5_000]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def wire() -> Iterator[Server]:
    with Server() as found:
        yield found


@pytest.mark.parametrize(("template", "method", "call"), SPOILED, ids=[f"{m} {t}" for t, m, _ in SPOILED])
def test_the_documented_answer_is_understood(
    wire: Server, template: str, method: str, call: Callable[[Client], Any]
) -> None:
    wire.reply(answer(answers(template, method)))

    call(Client(base_url=wire.url, key=KEY))


@pytest.mark.parametrize(("template", "method", "call"), SPOILED, ids=[f"{m} {t}" for t, m, _ in SPOILED])
def test_any_value_in_any_place_never_crashes_the_client(
    wire: Server, template: str, method: str, call: Callable[[Client], Any]
) -> None:
    whole = answers(template, method)
    ways = list(places(whole))
    client = Client(base_url=wire.url, key=KEY)

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(ways), any_json)
    def spoil(path: tuple[Any, ...], instead: Any) -> None:
        wire.reply(answer(json.dumps(spoiled(whole, path, instead)).encode()))
        try:
            found = call(client)
        except (heygen.BadPayload, heygen.Refused, heygen.ServerError, heygen.RateLimited):
            return
        # What was read can be written down: no NUL, no half character, no number without a value.
        for part in found if isinstance(found, tuple) else [found]:
            raw = getattr(part, "raw", None)
            json.dumps(raw, allow_nan=False, ensure_ascii=False).encode()

    spoil()


@settings(max_examples=300, deadline=None, database=None)
@given(st.binary(max_size=200))
def test_any_bytes_never_crash_the_client(wire: Server, body: bytes) -> None:
    wire.reply(answer(body))
    client = Client(base_url=wire.url, key=KEY)

    with pytest.raises(heygen.ApiError):
        client.read_session("s")
