from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

import heygen
from heygen import Client, EndOfWords, Word, WordBatch
from heygen.words import events
from tests.heygen.server import CLOSE, Reply, Server, error

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n"
HI = b'data: {"words":[{"word":"Hi","start":0.0,"end":0.21}]}\n\n'
DOT = b'data: {"words":[{"word":".","start":0.21,"end":0.25}]}\n\n'
END = b'event: end\ndata: {"reason": "final_marker"}\n\n'


def stream(*pieces: bytes) -> Reply:
    return lambda: [HEAD, *pieces, CLOSE]


def spoken(items: list[WordBatch | EndOfWords]) -> list[str]:
    return [
        f"end:{item.reason}" if isinstance(item, EndOfWords) else " ".join(word.word for word in item.words)
        for item in items
    ]


def test_words_come_in_batches_until_the_end(server: Server, client: Client) -> None:
    server.reply(stream(HI, DOT, END, HI))

    found = list(client.words("st"))

    assert spoken(found) == ["Hi", ".", "end:final_marker"]
    first = found[0]
    assert isinstance(first, WordBatch)
    assert first.words == (Word("Hi", 0.0, 0.21, {"word": "Hi", "start": 0.0, "end": 0.21}),)
    assert server.last.headers["accept"] == "text/event-stream"


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([bytes([byte]) for byte in HI + DOT + END], id="byte by byte"),
        pytest.param([(HI + DOT + END).replace(b"\n", b"\r\n")], id="CRLF"),
        pytest.param([(HI + DOT + END).replace(b"\n", b"\r")], id="CR"),
        pytest.param(
            [bytes([byte]) for byte in (HI + DOT + END).replace(b"\n", b"\r\n")], id="CRLF in pieces"
        ),
        pytest.param([b": hello\n\n", HI, b":\n", b":\n\n", DOT, b"retry: 10\nid: 7\n", END], id="comments"),
        pytest.param([b"\xef\xbb\xbf" + HI, DOT, END], id="byte order mark"),
        pytest.param([HI, b"event: later\ndata: {}\n\n", DOT, END], id="unknown event"),
        pytest.param([HI.replace(b"data: ", b"event: words\ndata:"), DOT, END], id="named, no space"),
        pytest.param([b'data: {"words":\ndata: [{"word":"Hi"}]}\n\n', DOT, END], id="data in two lines"),
    ],
)
def test_the_format_is_read_as_it_is_specified(server: Server, client: Client, pieces: list[bytes]) -> None:
    server.reply(stream(*pieces))

    assert spoken(list(client.words("st"))) == ["Hi", ".", "end:final_marker"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b'{"reason":"idle_timeout"}', "idle_timeout"), (b'{"reason":null}', ""), (b"x", "end"), (b"[]", "")],
)
def test_every_end_ends(server: Server, client: Client, data: bytes, reason: str) -> None:
    server.reply(stream(b"event: end\ndata: " + data + b"\n\n", HI))

    assert spoken(list(client.words("st"))) == [f"end:{reason}"]


def test_a_broken_connection_is_no_answer_after_what_came(server: Server, client: Client) -> None:
    server.reply(stream(HI))
    found: list[WordBatch | EndOfWords] = []

    with pytest.raises(heygen.NoAnswer) as caught:
        found.extend(client.words("st"))
    # extend() kept what it got before the error.
    assert spoken(found) == ["Hi"]
    assert caught.value.code == "cut_off"


@pytest.mark.parametrize("data", [b"{", b'{"words": 7}', b'{"words": [7]}', b"[]"])
def test_what_are_no_words_is_a_bad_payload(server: Server, client: Client, data: bytes) -> None:
    server.reply(stream(b"data: " + data + b"\n\n", END))

    with pytest.raises(heygen.BadPayload):
        list(client.words("st"))


def test_it_stops_quietly_when_nothing_comes(server: Server, client: Client) -> None:
    server.reply(server.drip(HEAD + HI, b"", pause=0.05))
    started = time.monotonic()

    assert spoken(list(client.words("st", max_seconds=20, idle_seconds=0.4))) == ["Hi"]
    assert 0.3 < time.monotonic() - started < 5


def test_it_stops_quietly_when_its_time_is_over(server: Server, client: Client) -> None:
    server.reply(server.drip(HEAD, HI, pause=0.05))
    started = time.monotonic()

    found = spoken(list(client.words("st", max_seconds=0.6, idle_seconds=10)))

    assert set(found) == {"Hi"}
    assert time.monotonic() - started < 5


def test_comments_keep_it_open(server: Server, client: Client) -> None:
    def pieces() -> Iterator[bytes]:
        yield HEAD
        for _ in range(6):
            time.sleep(0.15)
            yield b": ping\n\n"
        yield END

    server.reply(pieces)

    assert spoken(list(client.words("st", idle_seconds=0.6))) == ["end:final_marker"]


def test_errors_before_the_stream_are_ordinary_ones(server: Server, client: Client) -> None:
    server.reply(error(404, "not_found", "No such stream."))

    with pytest.raises(heygen.NotFound) as caught:
        client.words("st")
    assert caught.value.message == "No such stream."


def test_an_answer_that_is_no_stream_is_a_bad_payload(server: Server, client: Client) -> None:
    server.data({"words": []})

    with pytest.raises(heygen.BadPayload):
        client.words("st")


def test_a_line_without_end_is_a_bad_payload(server: Server, client: Client) -> None:
    server.reply(lambda: [HEAD, *[b"data: " + b"x" * 65_536] * 20, CLOSE])

    with pytest.raises(heygen.BadPayload) as caught:
        list(client.words("st"))
    assert caught.value.code == "too_large"


def test_closing_gives_up_the_connection(server: Server, client: Client) -> None:
    server.reply(server.drip(HEAD + HI, b": ping\n\n", pause=0.02))

    with client.words("st") as words:
        assert spoken([next(iter(words))]) == ["Hi"]

    with pytest.raises(heygen.ApiError):
        list(words)


def test_events_without_data_are_none() -> None:
    assert list(events(iter(["event: a", "", "data", "", "data:x", "data: y", ""]))) == [
        ("message", ""),
        ("message", "x\ny"),
    ]
