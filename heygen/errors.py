"""What can go wrong between us and the video API.

ApiError
    NotSent             nothing was sent: the name, the connection or TLS failed before the request
        Held            our own gate did not let the attempt pass; .reason
        Unsupported     this dialect has no such call
    NoAnswer            timed out or cut off after sending began: it may have happened or not
    ServerError         5xx: it may have happened or not
    RateLimited         429, refused unprocessed
        QuotaExceeded   429 with code quota_exceeded: the allowance is used up
    Refused             any other 4xx, a redirect, or a 200 that holds an error
        Unauthorized    401
        PaymentRequired 402
        Forbidden       403
        NotFound        404
        Conflict        409
        Gone            410
    BadPayload          2xx whose body is not the documented shape; a POST was accepted all the same

Classes follow the HTTP status, the code only refines: the list of codes is open.
Source: heygen-api.md, section 2.
"""

from __future__ import annotations


class ApiError(Exception):
    """Base of everything that a call can raise.

    `status` is the HTTP status or None when there was no answer; `code` is HeyGen's word for the error or
    our own ("timeout", "html", …), never None; `param` names the request field at fault; `retry_after` is
    in seconds. None of them ever holds the API key.
    """

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        code: str = "",
        param: str | None = None,
        doc_url: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.param = param
        self.doc_url = doc_url
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        head = " ".join(str(part) for part in (self.status, self.code) if part)
        return f"{head}: {self.message}" if head and self.message else head or self.message

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


class NotSent(ApiError):
    """Proof that the server received nothing: the call may be repeated."""


class Held(NotSent):
    """A gate held the attempt back. `reason` is the gate's word ("budget", "key_closed", …)."""

    def __init__(self, reason: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"held back: {reason}", code="held", retry_after=retry_after)
        # BaseException's own pickling calls the class with `args`.
        self.args = (reason, retry_after)
        self.reason = reason


class Unsupported(NotSent):
    """The dialect of this client lacks the call or a field that was chosen."""


class NoAnswer(ApiError):
    """The request left us, or part of it did, and no whole answer came back."""


class ServerError(ApiError):
    """5xx. For a write the work may have started, for 504 it probably has."""


class RateLimited(ApiError):
    """429: refused unprocessed, any method may be repeated after `retry_after` seconds (None: not said)."""


class QuotaExceeded(RateLimited):
    """429 because an allowance is used up: a long wait, or a person."""


class Refused(ApiError):
    """The server answered and did not do it."""


class Unauthorized(Refused):
    """401: missing, wrong or expired key; the three cannot be told apart."""


class PaymentRequired(Refused):
    """402: balance, trial or plan."""


class Forbidden(Refused):
    """403."""


class NotFound(Refused):
    """404: unknown id, or one of another account."""


class Conflict(Refused):
    """409: the wrong moment, or a duplicate."""


class Gone(Refused):
    """410: a closed stream takes no more text."""


class BadPayload(ApiError):
    """2xx, but the body is not what the contract says. `status` tells that the call was accepted."""


REFUSALS: dict[int, type[Refused]] = {
    401: Unauthorized,
    402: PaymentRequired,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
}

# What a code means where the status says nothing: a 200 that holds an error. Source: section 2.3.
STATUS_OF_CODE: dict[str, int] = {
    "authentication_failed": 401,
    "unauthorized": 401,
    "insufficient_credit": 402,
    "trial_limit_exceeded": 402,
    "plan_upgrade_required": 402,
    "subscription_required": 402,
    "forbidden": 403,
    "resource_access_denied": 403,
    "ai_vendor_access_restricted": 403,
    "voice_not_usable": 403,
    "not_found": 404,
    "resource_not_found": 404,
    "video_not_found": 404,
    "avatar_not_found": 404,
    "avatar_group_not_found": 404,
    "voice_not_found": 404,
    "template_not_found": 404,
    "asset_not_found": 404,
    "webhook_not_found": 404,
    "conflict": 409,
    "resource_not_ready": 409,
    "brand_kit_not_ready": 409,
    "request_in_progress": 409,
    "rate_limit_exceeded": 429,
    "rate_limited": 429,
    "quota_exceeded": 429,
    "internal_error": 500,
    "video_delete_failed": 500,
    "voice_provider_error": 502,
    "service_unavailable": 503,
    "gateway_timeout": 504,
}


def error_class(status: int, code: str) -> type[ApiError]:
    """The class for an answer that is a failure; `code` counts only where the status leaves it open."""
    if 200 <= status < 300:
        status = STATUS_OF_CODE.get(code, 400)
    if status == 429:
        return QuotaExceeded if code == "quota_exceeded" else RateLimited
    if status >= 500:
        return ServerError
    return REFUSALS.get(status, Refused)
