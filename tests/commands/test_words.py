"""The ledger's codes as people read them."""

from __future__ import annotations

import pytest

from commands import words
from polling import reasons


# What the gate of a key, the ledger itself and the apps give as reasons to wait.
@pytest.mark.parametrize(
    "code",
    [
        *("order", "create", "ceiling", "retry", "unreachable", "budget", "unknown"),
        *("rate_limited", "quota_exceeded", "payment_required", "unauthorized", "no_key", "key_unreadable"),
    ],
)
def test_every_reason_to_wait_is_a_sentence(code: str) -> None:
    assert words.why_waiting(code).endswith(".")
    assert words.why_waiting(code) != code


# What the ledger and the apps give as reasons why nobody knows how a press ended.
@pytest.mark.parametrize("code", ["unclear", "sender_ended", "not_seen", "no_way_to_tell", "no_list"])
def test_every_reason_to_ask_a_person_is_a_sentence(code: str) -> None:
    assert words.why_unclear(code).endswith(".")


def test_what_heygen_or_a_key_says_is_told_in_the_words_of_every_other_page() -> None:
    assert words.why_waiting("unauthorized") == f"{reasons.fact('unauthorized')} An admin has to look at it."
    assert words.why_waiting("unreachable") == f"{reasons.fact('unreachable')} It goes out as soon as it may."
    assert words.why_waiting("") == ""


def test_a_code_never_seen_before_is_shown_as_it_came() -> None:
    assert words.why_waiting("moon_phase") == "moon_phase"
