"""What a failed HeyGen call means to the engine that polls."""

from __future__ import annotations

import heygen
from polling.kinds import Failed

# First class that fits names the reason; the words are codes for health lines, translated where they are shown.
_REASONS: tuple[tuple[type[heygen.ApiError], str], ...] = (
    (heygen.Held, "held"),
    (heygen.NotSent, "unreachable"),
    (heygen.NoAnswer, "unreachable"),
    (heygen.ServerError, "server_error"),
    (heygen.QuotaExceeded, "quota_exceeded"),
    (heygen.RateLimited, "rate_limited"),
    (heygen.Unauthorized, "unauthorized"),
    (heygen.PaymentRequired, "payment_required"),
    (heygen.Forbidden, "forbidden"),
    (heygen.NotFound, "not_found"),
    (heygen.BadPayload, "bad_payload"),
)


def failed(error: heygen.ApiError) -> Failed:
    """The reading that a failed call ends as. A 404 counts as missing; the gate closes keys by itself."""
    reason = next((word for kind, word in _REASONS if isinstance(error, kind)), "refused")
    return Failed(
        reason=reason,
        message=str(error)[:500],
        retry_after=error.retry_after,
        missing=isinstance(error, heygen.NotFound),
    )
