"""The client and the simulator were written from the same contract by different hands: here they meet."""

from __future__ import annotations

import hashlib
import io
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import pytest

import heygen
from heygen import Client, CreateSession, Dialect, EndOfWords, SendMessage, TextStream, Tts, Word, WordBatch
from heygen.statuses import session_group, stream_group, video_group
from simulator.testing import Running, running
from tests.heygen.dialects import in_dialect
from tests.heygen.server import KEY

T = TypeVar("T")


@pytest.fixture
def live(simulator: Running) -> Iterator[Client]:
    """A client of a simulator that has forgotten whatever other tests did to it."""
    simulator.control.reset()
    yield Client(base_url=simulator.url, key=simulator.key, read_deadline=20, write_deadline=20)
    simulator.control.clear_faults()


def until(read: Callable[[], T], wanted: Callable[[T], bool], seconds: float = 30) -> T:
    """Read again until it is as wanted; the simulator's own clock runs much faster than this one."""
    end = time.monotonic() + seconds
    while not wanted(found := read()):
        assert time.monotonic() < end, f"still {found}"
        time.sleep(0.05)
    return found


def words_of(items: Iterable[WordBatch | EndOfWords]) -> list[Word]:
    return [word for item in items if isinstance(item, WordBatch) for word in item.words]


@pytest.mark.parametrize("dialect", list(Dialect))
def test_a_whole_conversation(live: Client, dialect: Dialect, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "heygen")
    client = in_dialect(live, dialect)
    prompt = "A short film about our new dashboard, in a calm voice."

    created = client.create_session(CreateSession(prompt, mode="chat", orientation="landscape"))
    assert session_group(created.status) == "working"
    assert created.created_at is not None

    for _ in range(50):
        session = until(
            lambda: client.read_session(created.session_id),
            lambda one: session_group(one.status) != "working",
        )
        if session_group(session.status) == "done":
            break
        assert session_group(session.status) == "needs_you"
        known = len(session.messages)
        try:
            sent = client.send_message(created.session_id, SendMessage("Yes, go ahead.", auto_proceed=True))
        except heygen.Conflict:
            continue  # the status was the one from before the last message: read again
        assert sent.run_id
        session = until(
            lambda: client.read_session(created.session_id),
            lambda one: len(one.messages) > known,  # noqa: B023
        )
        assert "Yes, go ahead." in [message.content for message in session.messages]
    assert session_group(session.status) == "done"
    assert heygen.is_ours(session.messages[0], prompt, created.created_at)

    ids = [one for message in session.messages for one in message.resource_ids]
    assert [client.read_resource(created.session_id, one).resource_id for one in ids] == ids
    with pytest.raises(heygen.NotFound):
        client.read_resource(created.session_id, "nothing-has-this-id")

    assert session.video_id is not None
    video_id = session.video_id
    video = until(lambda: client.read_video(video_id), lambda one: video_group(one.status) != "working")
    assert (video.status, bool(video.video_url)) == ("completed", True)
    assert [one.status for one in client.video_statuses([video_id, "unknown"])] == ["completed", "not_found"]

    polled = client.poll_session(created.session_id)
    assert client.poll_session(created.session_id, polled.digest).session is None
    # Nothing that the simulator says is new to the client.
    assert caplog.messages == []


def test_lists_and_catalogues(live: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "heygen")
    for number in range(3):
        live.create_session(CreateSession(f"Session {number}"))

    listed = list(heygen.every(lambda token: live.list_sessions(2, token)))
    assert len(listed) == 3
    assert sorted((one.created_at for one in listed if one.created_at), reverse=True) == [
        one.created_at for one in listed
    ]

    looks = list(heygen.every(lambda token: live.list_looks(token=token)))
    assert live.read_look(looks[0].look_id) == looks[0]
    groups = list(heygen.every(lambda token: live.list_avatars(token=token)))
    assert live.read_avatar(groups[0].group_id) == groups[0]
    voices = list(heygen.every(lambda token: live.list_voices(type="public", token=token)))
    assert live.read_voice(voices[0].voice_id).voice_id == voices[0].voice_id
    assert list(heygen.every(lambda token: live.list_styles(limit=5, token=token)))
    live.list_brand_kits()
    live.list_brand_glossaries()
    assert live.list_videos().items is not None
    assert live.me().username
    assert caplog.messages == []


def test_stop(live: Client) -> None:
    created = live.create_session(CreateSession("Something long", mode="chat"))

    assert live.stop_session(created.session_id).session_id == created.session_id
    until(lambda: live.read_session(created.session_id), lambda one: session_group(one.status) == "failed")


def test_a_live_stream(live: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "heygen")
    look = next(one for one in live.list_looks(avatar_type="photo_avatar").items)
    voice = live.list_voices().items[0]

    stream_id = live.create_stream(TextStream(look.look_id, voice.voice_id, "Hello and welcome."))
    until(lambda: live.read_stream(stream_id), lambda one: one.status != "pending")
    first = live.append_text(stream_id, " Here is what I found.")
    second = live.append_text(stream_id, " That was all.", final=True)
    assert (second.buffered_bytes or 0) > (first.buffered_bytes or 0)
    with pytest.raises(heygen.Gone):
        live.append_text(stream_id, "Too late.")

    items = list(live.words(stream_id, max_seconds=30, idle_seconds=15))
    end = EndOfWords("final_marker", {"reason": "final_marker"})
    assert items[-1:] == [end]
    assert " ".join(word.word for word in words_of(items)).startswith("Hello and welcome .")
    # A late subscription hears all of it again, in batches of its own.
    again = list(live.words(stream_id))
    assert again[-1:] == [end]
    assert words_of(again) == words_of(items)

    ended = live.read_stream(stream_id)
    assert (stream_group(ended.status), ended.end_reason) == ("done", "final_marker")
    assert live.cancel_stream(stream_id) is False
    other = live.create_stream(Tts(look.look_id, voice.voice_id, "A long speech. " * 50))
    assert live.cancel_stream(other) is True
    assert caplog.messages == []


def test_files(live: Client) -> None:
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c6360000002000001000557bfabd40000000049454e44ae426082"
    )

    uploaded = live.upload_asset(io.BytesIO(png), "dot.png", "image/png", "upload-1")
    assert (uploaded.mime_type, uploaded.size_bytes) == ("image/png", len(png))
    assert (
        live.upload_asset(io.BytesIO(png), "dot.png", "image/png", "upload-1").asset_id == uploaded.asset_id
    )
    assert live.read_asset(uploaded.asset_id).asset_id == uploaded.asset_id
    assert uploaded.asset_id in [one.asset_id for one in live.list_assets(live.me().username).items]

    digest = hashlib.sha256(png).hexdigest()
    slot = live.create_direct_upload("dot.png", "image/png", len(png), digest)
    with pytest.raises(heygen.Conflict):
        live.complete_upload(slot.asset_id)
    live.put_upload(slot, io.BytesIO(png), len(png))
    assert live.complete_upload(slot.asset_id, digest).asset_id == slot.asset_id

    session = live.create_session(CreateSession("With a file", files=(heygen.FileAsset(uploaded.asset_id),)))
    assert session.session_id
    assert live.delete_asset(uploaded.asset_id).id == uploaded.asset_id
    with pytest.raises(heygen.NotFound):
        live.read_asset(uploaded.asset_id)


def test_webhook_endpoints(live: Client) -> None:
    assert "video_agent.success" in [one.event_type for one in live.list_event_types()]

    made = live.create_webhook_endpoint("https://dailies.example.com/hook", events=["video_agent.success"])
    assert made.secret
    with pytest.raises(heygen.Conflict):
        live.create_webhook_endpoint("https://dailies.example.com/hook")
    assert [one.endpoint_id for one in live.list_webhook_endpoints().items] == [made.endpoint_id]
    changed = live.update_webhook_endpoint(made.endpoint_id, events=["video_agent.fail"])
    assert changed.events == ("video_agent.fail",)
    assert live.rotate_webhook_secret(made.endpoint_id).secret != made.secret
    live.list_webhook_events()
    live.delete_webhook_endpoint(made.endpoint_id)
    assert live.list_webhook_endpoints().items == ()


def test_a_wrong_key(simulator: Running) -> None:
    with pytest.raises(heygen.Unauthorized) as caught:
        Client(base_url=simulator.url, key=KEY).me()
    assert caught.value.param is None


def test_a_field_that_is_wrong_is_named(live: Client) -> None:
    with pytest.raises(heygen.Refused) as caught:
        live.create_session(CreateSession("Hi", style_id="no-such-style"))
    assert (caught.value.status, caught.value.param) == (400, "style_id")


@pytest.mark.parametrize(
    ("dialects", "wrong"), [("current", Dialect.SESSIONS), ("sessions", Dialect.CURRENT)]
)
def test_a_server_of_one_dialect(dialects: str, wrong: Dialect) -> None:
    with running(speed=200, dialects=dialects) as simulator:
        client = Client(base_url=simulator.url, key=simulator.key)

        with pytest.raises(heygen.Refused) as caught:
            in_dialect(client, wrong).create_session(CreateSession("Hi"))
        assert caught.value.code == "dialect_not_supported"
        assert in_dialect(client, Dialect(dialects)).create_session(CreateSession("Hi")).session_id


FAULTS = [
    ({"kind": "status", "status": 429, "retry_after": 20}, heygen.RateLimited),
    ({"kind": "status", "status": 429, "retry_after": "date+20"}, heygen.RateLimited),
    ({"kind": "status", "status": 429, "code": "quota_exceeded"}, heygen.QuotaExceeded),
    ({"kind": "status", "status": 402}, heygen.PaymentRequired),
    ({"kind": "status", "status": 503}, heygen.ServerError),
    ({"kind": "html"}, heygen.ServerError),
    ({"kind": "empty"}, heygen.ApiError),
    ({"kind": "text"}, heygen.ApiError),
    ({"kind": "drop"}, heygen.NoAnswer),
    ({"kind": "cut"}, heygen.NoAnswer),
    ({"kind": "hang"}, heygen.NoAnswer),
    ({"kind": "drip"}, heygen.NoAnswer),
    ({"kind": "truncated"}, heygen.ApiError),
    ({"kind": "huge", "size": 50_000_000}, heygen.BadPayload),
    ({"kind": "gzip-bomb", "size": 50_000_000}, heygen.BadPayload),
    ({"kind": "redirect", "url": "http://127.0.0.1:1/"}, heygen.Refused),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS, ids=[str(fault) for fault, _ in FAULTS])
def test_every_fault_is_a_typed_error_in_time(
    simulator: Running, live: Client, fault: dict[str, object], kind: type[heygen.ApiError]
) -> None:
    created = live.create_session(CreateSession("Hi"))
    hurried = Client(base_url=simulator.url, key=simulator.key, read_deadline=2)
    simulator.control.fault(path="/v3/video-agents/{session_id}", **fault)  # type: ignore[arg-type]
    started = time.monotonic()

    with pytest.raises(heygen.ApiError) as caught:
        hurried.read_session(created.session_id)

    assert isinstance(caught.value, kind)
    assert time.monotonic() - started < 6
    if fault.get("retry_after"):
        assert caught.value.retry_after == pytest.approx(20, abs=1.1)
    assert hurried.read_session(created.session_id).session_id == created.session_id


def test_odd_values_are_read_or_are_a_bad_payload(simulator: Running, live: Client) -> None:
    created = live.create_session(CreateSession("Hi"))
    simulator.control.fault("wrong-type", "/v3/video-agents/{session_id}", count=20)

    for _ in range(20):
        try:
            assert live.read_session(created.session_id).session_id
        except heygen.BadPayload as problem:
            assert problem.status == 200  # noqa: PT017


@pytest.mark.parametrize("kind", ["drop", "cut", "hang"])
def test_a_create_whose_answer_is_lost_is_no_answer(simulator: Running, live: Client, kind: str) -> None:
    simulator.control.fault(kind, "/v3/video-agents", method="POST", after=True)
    client = Client(base_url=simulator.url, key=simulator.key, write_deadline=2)

    with pytest.raises(heygen.NoAnswer):
        client.create_session(CreateSession("A prompt that nobody else has"))

    # It did happen, and the list is where that can be seen.
    assert len(client.list_sessions().items) == 1
