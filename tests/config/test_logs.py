from __future__ import annotations

import logging
import sys

import pytest

from config.logs import RedactingFormatter, redact


@pytest.mark.parametrize(
    ("line", "safe"),
    [
        ("GET /v3/users/me x-api-key: abc123", "GET /v3/users/me x-api-key: [hidden]"),
        (
            "headers {'X-Api-Key': 'abc123', 'Accept': '*/*'}",
            "headers {'X-Api-Key': '[hidden]', 'Accept': '*/*'}",
        ),
        ('{"api_key":"abc123","limit":5}', '{"api_key":"[hidden]","limit":5}'),
        ("Authorization: Bearer abc.def.ghi", "Authorization: Bearer [hidden]"),
        ("redis://:hunter2@127.0.0.1:6379/0 is away", "redis://:[hidden]@127.0.0.1:6379/0 is away"),
        ("postgresql://dailies:hunter2@db/dailies", "postgresql://dailies:[hidden]@db/dailies"),
        (
            "https://files.heygen.ai/a.mp4?Expires=1&Signature=abc~def&Key-Pair-Id=K1",
            "https://files.heygen.ai/a.mp4?Expires=1&Signature=[hidden]&Key-Pair-Id=[hidden]",
        ),
        ("key sk_V2_hgu_abcdefgh123 refused", "key sk_[hidden] refused"),
        ("poll of session 12: timed out after 30 s", "poll of session 12: timed out after 30 s"),
    ],
)
def test_what_looks_like_a_secret_is_cut_out(line, safe):
    assert redact(line) == safe


def test_a_known_secret_is_cut_out_wherever_it_stands():
    assert redact("found plainkey in a body", ["plainkey"]) == "found [hidden] in a body"


def test_a_traceback_is_redacted_as_well():
    formatter = RedactingFormatter("{message}", style="{", secrets=["plainkey", ""])
    try:
        raise RuntimeError("connecting with plainkey to redis://:hunter2@host")
    except RuntimeError:
        record = logging.LogRecord(
            "x", logging.ERROR, __file__, 1, "failed: %s", ("plainkey",), sys.exc_info()
        )

    said = formatter.format(record)

    assert said.startswith("failed: [hidden]\nTraceback")
    assert said.endswith("RuntimeError: connecting with [hidden] to redis://:[hidden]@host")
