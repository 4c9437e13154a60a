from __future__ import annotations

import pytest

from eventstream.encoding import Event, alive, encode


@pytest.mark.parametrize(
    ("event", "encoded"),
    [
        (Event("hello"), b"data: hello\n\n"),
        (
            Event("<p>\n  one\r\ntwo\rthree</p>", version=7),
            b"id: 7\ndata: <p>\ndata:   one\ndata: two\ndata: three</p>\n\n",
        ),
        (Event("", version=8), b"id: 8\ndata: \n\n"),
        (Event("{}", name="alive"), b"event: alive\ndata: {}\n\n"),
        (Event("é ✓"), "data: é ✓\n\n".encode()),
    ],
)
def test_encodes_as_the_standard_says(event, encoded):
    assert encode(event) == encoded


def test_text_cannot_begin_an_event_of_its_own():
    assert (
        encode(Event("x\n\nevent: alive\nid: 9")) == b"data: x\ndata: \ndata: event: alive\ndata: id: 9\n\n"
    )


def test_a_sign_of_life_has_version_and_age():
    assert alive(3, 1.26) == b'event: alive\ndata: {"version": 3, "age": 1.3}\n\n'
    assert alive(3, None) == b'event: alive\ndata: {"version": 3, "age": null}\n\n'
