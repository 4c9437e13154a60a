"""What a failed HeyGen call means to the ledger: refused, not taken yet, or unclear."""

from __future__ import annotations

import heygen
from commands.kinds import Later, Outcome, Refused, Unclear

# No connection was made: the network may be back in a few seconds.
UNREACHABLE_SECONDS = 5.0


def outcome_of(error: heygen.ApiError) -> Outcome:
    """The outcome that a failed write ends as.

    Only what proves that nothing was taken is sent again by a machine; a timeout, a 5xx and an answer that nobody can
    read may each stand for a call that was accepted.
    """
    if isinstance(error, heygen.Held):
        return Later(error.retry_after, error.reason)
    if isinstance(error, heygen.Unsupported):
        return Refused(None, "unsupported", error.message, error.param or "")
    if isinstance(error, heygen.NotSent):
        return Later(UNREACHABLE_SECONDS, "unreachable")
    if isinstance(error, heygen.RateLimited) and not isinstance(error, heygen.QuotaExceeded):
        return Later(error.retry_after, "rate_limited")
    if isinstance(error, heygen.RateLimited | heygen.Refused):
        return Refused(error.status, error.code, error.message, error.param or "")
    return Unclear(str(error))
