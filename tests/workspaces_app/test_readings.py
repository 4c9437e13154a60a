"""What a failed read is called, and how a page says why it is late."""

from __future__ import annotations

import pytest

import heygen
from workspaces_app.readings import failed, late_because

ANSWERS = [
    heygen.NoAnswer("timeout"),
    heygen.ServerError("oops", status=502),
    heygen.QuotaExceeded("used up", status=429),
    heygen.RateLimited("slowly", status=429),
    heygen.Unauthorized("key", status=401),
    heygen.PaymentRequired("money", status=402),
    heygen.Forbidden("no", status=403),
    heygen.NotFound("gone", status=404),
    heygen.Conflict("moment", status=409),
    heygen.BadPayload("HTML", status=200),
]


@pytest.mark.parametrize("error", ANSWERS, ids=lambda error: type(error).__name__)
def test_each_failure_has_words_of_its_own(error: heygen.ApiError) -> None:
    assert late_because(failed(error).reason) != late_because("a new reason")


@pytest.mark.parametrize("reason", ["deadline", "not_loaded", "broken", "not_stored", "unknown_kind"])
def test_what_the_engine_calls_a_failure_has_words_too(reason: str) -> None:
    assert late_because(reason) != late_because("a new reason")


def test_reasons_that_are_no_failures() -> None:
    assert late_because("") == "The next look at HeyGen is overdue."
    assert late_because("no_key") == "The workspace has no API key."
    assert late_because("a new reason") == "The last look at HeyGen failed."
