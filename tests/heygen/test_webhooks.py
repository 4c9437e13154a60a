from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heygen.decoding import WrongShape
from heygen.webhooks import Delivery, NotVerified, parse_delivery, verify

SECRET = "whsec_1f2e"
NOW = datetime(2026, 9, 20, 10, 0, tzinfo=UTC)
BODY = '{"event_type": "avatar_video.success", "event_data": {"video_id": "v1"}, "ü": 1}'.encode()
SIGNATURE = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("name", ["Heygen-Signature", "heygen-signature", "Signature", "X-HeyGen-Signature"])
@pytest.mark.parametrize(
    "value", [SIGNATURE, SIGNATURE.upper(), f"sha256={SIGNATURE}", f"  SHA256= {SIGNATURE} "]
)
def test_every_style_of_signature_is_verified(name: str, value: str) -> None:
    verify(BODY, {name: value}, SECRET, now=NOW)


@pytest.mark.parametrize(
    ("body", "headers", "secret", "reason"),
    [
        (BODY, {}, SECRET, "unsigned"),
        (BODY, {"Signature": "  "}, SECRET, "unsigned"),
        (BODY, {"Signature": SIGNATURE}, "", "no_secret"),
        (BODY, {"Signature": SIGNATURE}, "whsec_other", "wrong_signature"),
        (BODY + b" ", {"Signature": SIGNATURE}, SECRET, "wrong_signature"),
        (BODY, {"Signature": SIGNATURE[:-1]}, SECRET, "wrong_signature"),
        (BODY, {"Signature": "sha256="}, SECRET, "wrong_signature"),
        (BODY, {"Signature": "ünïcode"}, SECRET, "wrong_signature"),
        # The first header counts, not the one that fits.
        (BODY, {"Heygen-Signature": "0" * 64, "Signature": SIGNATURE}, SECRET, "wrong_signature"),
        (BODY, {"Signature": SIGNATURE, "Heygen-Timestamp": "soon"}, SECRET, "bad_timestamp"),
        (BODY, {"Signature": SIGNATURE, "Heygen-Timestamp": ""}, SECRET, "bad_timestamp"),
    ],
)
def test_everything_else_is_not(body: bytes, headers: dict[str, str], secret: str, reason: str) -> None:
    with pytest.raises(NotVerified) as caught:
        verify(body, headers, secret, now=NOW)
    assert caught.value.reason == reason


@pytest.mark.parametrize(("age", "fits"), [(0, True), (299, True), (301, False), (-299, True), (-301, False)])
def test_the_timestamp_has_a_window(age: int, fits: bool) -> None:
    headers = {
        "Heygen-Signature": SIGNATURE,
        "Heygen-Timestamp": str(int((NOW - timedelta(seconds=age)).timestamp())),
    }

    if fits:
        verify(BODY, headers, SECRET, now=NOW)
    else:
        with pytest.raises(NotVerified, match="too_old"):
            verify(BODY, headers, SECRET, now=NOW)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b'{"event_type": "video_agent.fail", "event_id": "e1", "created_at": "2026-09-20T10:00:00Z",'
            b' "event_data": {"session_id": "s1", "video_id": null, "callback_id": "c1", "msg": "No luck"}}',
            ("video_agent.fail", "e1", "s1", None, "c1", "No luck"),
        ),
        (
            b'{"event": "video_agent.success", "session_id": "s1", "video_id": "v1"}',
            ("video_agent.success", None, "s1", "v1", None, None),
        ),
        (b'{"type": "x", "data": {"session_id": 7}}', ("x", None, "7", None, None, None)),
        (b'{"event_type": null, "event": "y", "event_data": "odd"}', ("y", None, None, None, None, None)),
        (b'{"event_data": {"error": {"message": "Deep"}}}', ("", None, None, None, None, "Deep")),
        (b'{"event_data": {"failure_code": "E7"}}', ("", None, None, None, None, "E7")),
        (b"{}", ("", None, None, None, None, None)),
    ],
)
def test_a_delivery_is_read_tolerantly(body: bytes, expected: tuple[str | None, ...]) -> None:
    found = parse_delivery(body)

    assert (
        found.event_type,
        found.event_id,
        found.session_id,
        found.video_id,
        found.callback_id,
        found.reason,
    ) == expected


def test_duplicates_have_the_same_key() -> None:
    other = BODY.replace(b"v1", b"v2")
    by_id = {"Heygen-Event-Id": "evt-1"}

    assert (
        parse_delivery(BODY, by_id).duplicate_key
        == parse_delivery(other, by_id).duplicate_key
        == "event:evt-1"
    )
    assert parse_delivery(BODY).duplicate_key == parse_delivery(BODY).duplicate_key
    assert parse_delivery(BODY).duplicate_key != parse_delivery(other).duplicate_key
    assert len(parse_delivery(BODY, {"Heygen-Event-Id": "x" * 10_000}).duplicate_key) <= 255


@pytest.mark.parametrize("body", [b"", b"[]", b"nothing", b"null", b"\xff", b"[" * 5_000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(WrongShape):
        parse_delivery(body)


@given(
    st.dictionaries(
        st.sampled_from(["event_type", "event", "type", "event_data", "session_id", "created_at", "msg"]),
        st.recursive(
            st.none() | st.integers() | st.text() | st.booleans(),
            lambda inner: (
                st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
            ),
            max_leaves=4,
        ),
    )
)
def test_any_object_is_read(value: dict[str, object]) -> None:
    import json

    assert isinstance(parse_delivery(json.dumps(value).encode()), Delivery)
