"""Live streams: states, text, words, and segments that play one behind the other."""

from __future__ import annotations

import io
import itertools
import json
import struct
import threading
import time
from typing import Any

import av
import pytest
import requests

from simulator.media import live
from simulator.speech import Speech, Word, batches

from .conftest import Api


def start(api: Api, text: str = "Hello and welcome.", kind: str = "text_stream", **more: Any) -> str:
    look = api.get("/avatars/looks?ownership=public&limit=1")[0]["id"]
    voice = api.get("/voices?limit=1")[0]["voice_id"]
    body = {"type": kind, "avatar_id": look, "voice_id": voice, "text": text, **more}
    if kind == "audio":
        body = {"type": kind, "avatar_id": look, **more}
    data = api.post("/avatar-realtime", body, status=201)
    assert set(data) == {"stream_id"}
    return str(data["stream_id"])


def status(api: Api, stream_id: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/avatar-realtime/{stream_id}")
    return found


def ended(stream_id: str, reason: str | None = None) -> dict[str, Any]:
    return {
        "stream_id": stream_id,
        "status": "completed",
        "hls_url": None,
        "error_message": None,
        "end_reason": reason,
    }


def test_script_is_spoken_and_ends(api: Api) -> None:
    stream_id = start(api, "Hello and welcome to our house.", "tts")
    assert status(api, stream_id) == {**ended(stream_id), "status": "pending"}
    api.advance(6.5)
    playing = status(api, stream_id)
    assert playing["status"] == "streaming"
    assert playing["hls_url"] == f"{api.simulator.url}/live/{stream_id}/index.m3u8"
    api.advance(20)
    assert status(api, stream_id) == ended(stream_id)
    error = api.post(f"/avatar-realtime/{stream_id}/text", {"delta": "more"}, status=409)
    assert error["code"] == "conflict"


def test_text_stream_takes_text_until_final(api: Api) -> None:
    stream_id = start(api, "Hello.")
    api.advance(7)
    path = f"/avatar-realtime/{stream_id}/text"
    assert api.post(path, {"delta": " Grüße."}, status=202) == {"ok": True, "buffered_bytes": 6 + 9}
    assert api.post(path, {"delta": "", "final": True}, status=202) == {"ok": True, "buffered_bytes": 15}
    assert api.post(path, {"delta": "late"}, status=410)["code"] == "gone"
    api.advance(20)
    assert status(api, stream_id) == ended(stream_id, "final_marker")
    assert api.simulator.control.stream(stream_id)["text"] == "Hello. Grüße."


@pytest.mark.parametrize(
    "body", [{"delta": ""}, {"delta": "", "final": False}, {"text": "old name"}, {"final": True}]
)
def test_text_that_is_refused(api: Api, body: dict[str, Any]) -> None:
    stream_id = start(api)
    error = api.post(f"/avatar-realtime/{stream_id}/text", body, status=400)
    assert error["param"] == ("text" if "text" in body else "delta")


def test_idle_stream_closes_after_thirty_seconds(api: Api) -> None:
    stream_id = start(api, "Hi. [pending: 5]")
    api.advance(30)
    api.post(f"/avatar-realtime/{stream_id}/text", {"delta": " Still here."}, status=202)
    api.advance(29)
    assert status(api, stream_id)["status"] == "streaming"
    api.advance(2)
    assert status(api, stream_id) == ended(stream_id, "idle_timeout")
    assert api.post(f"/avatar-realtime/{stream_id}/text", {"delta": "x"}, status=410)["code"] == "gone"


def test_idle_time_can_be_set(api: Api) -> None:
    api.simulator.control.settings(idle_seconds=4)
    stream_id = start(api)
    api.advance(12)
    assert status(api, stream_id) == ended(stream_id, "idle_timeout")


def test_cancel_may_be_repeated(api: Api) -> None:
    stream_id = start(api)
    path = f"/avatar-realtime/{stream_id}/cancel"
    answers = [api.call("POST", path) for _ in range(2)]
    assert [(a.status_code, a.json()["data"]["cancelled"]) for a in answers] == [(202, True), (202, False)]
    assert status(api, stream_id) == ended(stream_id)


def test_a_stream_that_cannot_start(api: Api) -> None:
    stream_id = start(api, "Hello [stream-error: No studio is free.]")
    api.advance(7)
    assert status(api, stream_id) == {
        **ended(stream_id),
        "status": "error",
        "error_message": "No studio is free.",
    }


def test_audio_stream(api: Api) -> None:
    stream_id = start(api, kind="audio", audio={"type": "url", "url": "https://example.com/a.mp3"})
    api.advance(7)
    assert status(api, stream_id)["status"] == "streaming"
    api.advance(60)
    assert status(api, stream_id) == ended(stream_id)


def test_accounts_without_access(api: Api) -> None:
    body = {"type": "audio", "avatar_id": api.get("/avatars/looks?ownership=public&limit=1")[0]["id"]}
    api.simulator.control.settings(realtime_enabled=False)
    audio = {"type": "url", "url": "https://example.com/a.mp3"}
    assert api.post("/avatar-realtime", {**body, "audio": audio}, status=403)["code"] == "forbidden"


def test_seconds_are_charged_when_it_ends(api: Api) -> None:
    stream_id = start(api, "Hello.", "tts")
    assert api.simulator.control.ledger()["charges"] == []
    api.advance(60)
    (charge,) = api.simulator.control.ledger()["charges"]
    assert (charge["kind"], charge["id"]) == ("stream", stream_id)
    assert charge["usd"] == pytest.approx(charge["seconds"] * 0.05, abs=0.006)


# ---- words


def events(api: Api, stream_id: str) -> list[tuple[str, Any]]:
    """All events of a word stream until it ends."""
    found = []
    with api.session.get(
        f"{api.simulator.url}/v3/avatar-realtime/{stream_id}/words", stream=True, timeout=10
    ) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        name = "message"
        for line in response.iter_lines():
            text = line.decode()
            if text.startswith("event: "):
                name = text[len("event: ") :]
            elif text.startswith("data: "):
                found.append((name, json.loads(text[len("data: ") :])))
                name = "message"
    return found


def test_words_are_replayed_whole_and_end(api: Api) -> None:
    stream_id = start(api, "Hello, dear friends of the house. Welcome to the very first evening!", "tts")
    api.advance(60)
    first, second = events(api, stream_id), events(api, stream_id)
    assert first == second
    assert first[-1] == ("end", {"reason": "completed"})
    groups = [event["words"] for name, event in first[:-1]]
    words = [word for group in groups for word in group]
    assert [word["word"] for word in words] == (
        [
            "Hello",
            ",",
            "dear",
            "friends",
            "of",
            "the",
            "house",
            ".",
            "Welcome",
            "to",
            "the",
            "very",
            "first",
            "evening",
            "!",
        ]
    )
    assert all(len(group) <= 10 and group[-1]["end"] - group[0]["start"] <= 1.0 for group in groups)
    assert words[0]["start"] == 0.0
    assert all(a["end"] <= b["start"] for a, b in itertools.pairwise(words))
    assert 1.8 < len(words) / words[-1]["end"] < 3.6


def test_words_arrive_while_they_are_spoken(api: Api) -> None:
    control = api.simulator.control
    stream_id = start(api, "One two three.")
    control.thaw()
    control.set_speed(20)
    heard: list[tuple[str, Any]] = []
    reader = threading.Thread(target=lambda: heard.extend(events(api, stream_id)))
    reader.start()
    while status(api, stream_id)["status"] == "pending":
        time.sleep(0.02)
    other = requests.post(
        f"{api.simulator.url}/v3/avatar-realtime/{stream_id}/text",
        json={"delta": " Four five.", "final": True},
        headers=api.simulator.headers(),
        timeout=10,
    )
    assert other.status_code == 202
    reader.join(10)
    words = [word["word"] for name, event in heard if name == "message" for word in event["words"]]
    assert words == ["One", "two", "three", ".", "Four", "five", "."]
    assert heard[-1] == ("end", {"reason": "final_marker"})


def test_words_of_an_idle_stream(api: Api) -> None:
    stream_id = start(api, "Hello.")
    api.advance(60)
    assert events(api, stream_id)[-1] == ("end", {"reason": "idle_timeout"})


def test_text_is_joined_as_it_is_given() -> None:
    speech = Speech(rate=2.6)
    speech.add("Hel", 0.0)
    assert [word.word for word in speech.words] == ["Hel"]
    speech = Speech(rate=2.6)
    speech.add("One Hel", 0.0)
    speech.add("lo.", 0.1)
    assert [word.word for word in speech.words] == ["One", "Hello", "."]
    late = Speech(rate=2.6)
    late.add("One.", 0.0)
    late.add(" Two.", 30.0)
    assert [word.word for word in late.words] == ["One", ".", "Two", "."]
    assert late.words[2].start == 30.4
    assert late.until(30.0) == late.words[:2]


def test_batches_are_short() -> None:
    words = [Word(str(place), place * 0.05, place * 0.05 + 0.05, place) for place in range(25)]
    assert [len(batch) for batch in batches(words)] == [10, 10, 5]


# ---- HLS


def test_playlist_moves_with_the_clock() -> None:
    def names(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.endswith(".m4s")]

    assert names(live.playlist(0.0, ended_at=None)) == ["0.m4s", "1.m4s", "2.m4s"]
    assert names(live.playlist(1.92, ended_at=None)) == ["0.m4s", "1.m4s", "2.m4s", "3.m4s"]
    later = live.playlist(100.0, ended_at=None)
    assert names(later) == [f"{place}.m4s" for place in range(49, 55)]
    assert "#EXT-X-MEDIA-SEQUENCE:49" in later
    assert "ENDLIST" not in later
    over = live.playlist(100.0, ended_at=50.0)
    assert over.endswith("#EXT-X-ENDLIST\n")
    assert names(over)[-1] == "28.m4s"


def test_live_stream_plays_without_a_seam(api: Api) -> None:
    stream_id = start(api, "Welcome to the show, everybody, and thank you for being here tonight. " * 20)
    api.advance(12)
    url = status(api, stream_id)["hls_url"]
    playlist = requests.get(url, timeout=60)
    assert playlist.headers["content-type"].startswith("application/vnd.apple.mpegurl")
    assert playlist.headers["access-control-allow-origin"] == "*"
    names = [line for line in playlist.text.splitlines() if line.endswith(".m4s")]
    base = url.rsplit("/", 1)[0]
    init = requests.get(f"{base}/init.mp4", timeout=10).content
    data = init + b"".join(requests.get(f"{base}/{name}", timeout=10).content for name in names)
    ends: dict[str, int] = {}
    loud = 0.0
    with av.open(io.BytesIO(data)) as container:
        for packet in container.demux():
            if packet.dts is None or packet.duration is None:
                continue
            kind = packet.stream.type
            assert ends.get(kind, packet.dts) == packet.dts, f"a gap in {kind}"
            ends[kind] = packet.dts + packet.duration
    with av.open(io.BytesIO(data)) as container:
        for frame in container.decode(audio=0):
            samples = struct.unpack(f"<{frame.samples}f", bytes(frame.planes[0])[: frame.samples * 4])
            loud = max(loud, max(samples))
    assert set(ends) == {"video", "audio"}
    assert loud > 0.05, "somebody speaks"

    api.simulator.control.settings(hls_cors=False)
    assert "access-control-allow-origin" not in requests.get(url, timeout=10).headers


def test_nothing_plays_before_and_long_after(api: Api) -> None:
    stream_id = start(api)
    url = f"{api.simulator.url}/live/{stream_id}/index.m3u8"
    assert requests.get(url, timeout=10).status_code == 404
    api.advance(600)
    assert requests.get(url, timeout=10).status_code == 404
