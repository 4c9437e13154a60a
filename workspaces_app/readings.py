"""What a failed HeyGen call means to the engine that polls, and to who sees a page that is late for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import heygen
from polling import reasons
from polling.kinds import Failed

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# First class that fits names the reason.
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


def late_because(reason: str) -> str:
    """Why what is shown of HeyGen is old, by the code in `polling.schedule.Freshness`."""
    if fact := reasons.fact(reason):
        return fact
    known = _LATE.get(reason)
    return str(known) if known is not None else _("The last look at HeyGen failed.")


_OURS = gettext_lazy("Something went wrong here with what HeyGen answered. An operator has to look at it.")
_LATE: Mapping[str, _StrPromise] = {
    "": gettext_lazy("The next look at HeyGen is overdue."),
    "deadline": gettext_lazy("HeyGen did not answer in time."),
    "server_error": gettext_lazy("HeyGen has trouble answering."),
    "bad_payload": gettext_lazy("HeyGen answered something that we cannot read."),
    "forbidden": gettext_lazy("HeyGen does not let this workspace's key see it."),
    "not_found": gettext_lazy("HeyGen says that it does not know it."),
    "refused": gettext_lazy("HeyGen refused to show it."),
    # The engine's own.
    "not_loaded": _OURS,
    "broken": _OURS,
    "not_stored": _OURS,
    "unknown_kind": _OURS,
}
