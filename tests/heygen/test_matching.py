from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from heygen import is_ours
from tests.fakes import remote_message

ATTEMPT = datetime(2026, 9, 20, 10, 0, 0, 700_000, tzinfo=UTC)
PROMPT = "A two minute onboarding video for new engineers, in a calm voice."


def at(seconds: float) -> int:
    return int((ATTEMPT + timedelta(seconds=seconds)).timestamp())


@pytest.mark.parametrize(
    ("seen", "sent"),
    [
        (PROMPT, PROMPT),
        ("A two minute onboarding video", PROMPT),  # the contract's own example shortens
        ("A two minute onboarding video …", PROMPT),
        ("A two minute onboarding video...", PROMPT),
        (f"  {PROMPT.replace(' ', chr(10))} ", PROMPT),
        (f"{PROMPT}\n[attached: brief.pdf]", PROMPT),
        ("ok", " ok\n"),
        ("", ""),
    ],
)
def test_ours(seen: str, sent: str) -> None:
    assert is_ours(remote_message(seen, "user", created_at=at(1)), sent, ATTEMPT)


@pytest.mark.parametrize(
    ("seen", "sent"),
    [
        ("Another video", PROMPT),
        ("A two", PROMPT),  # the beginning of just anything
        ("", PROMPT),
        (PROMPT, ""),
        ("okay, but change the voice", "ok"),
        ("OK", "ok"),
        (PROMPT.upper(), PROMPT),
    ],
)
def test_not_ours(seen: str, sent: str) -> None:
    assert not is_ours(remote_message(seen, "user", created_at=at(1)), sent, ATTEMPT)


@pytest.mark.parametrize(
    ("seconds", "ours"), [(0, True), (3_600, True), (-1, True), (-110, True), (-125, False), (-3_600, False)]
)
def test_the_time_may_be_off_by_two_minutes(seconds: float, ours: bool) -> None:
    assert is_ours(remote_message(PROMPT, "user", created_at=at(seconds)), PROMPT, ATTEMPT) is ours


def test_without_a_time_the_text_decides() -> None:
    assert is_ours(remote_message(PROMPT, "user", created_at=None), PROMPT, ATTEMPT)
    assert not is_ours(remote_message("Other words", "user", created_at=None), PROMPT, ATTEMPT)


@pytest.mark.parametrize(
    ("role", "ours"), [("user", True), ("User", True), ("model", False), ("system", False)]
)
def test_only_users_messages_are_ours(role: str, ours: bool) -> None:
    assert is_ours(remote_message(PROMPT, role, created_at=at(1)), PROMPT, ATTEMPT) is ours
