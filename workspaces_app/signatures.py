"""Whether a webhook delivery is what HeyGen signed. Source: heygen-api.md, section 10.4."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from enum import Enum

# Sources disagree on the name; the first one that is there counts.
SIGNATURE_HEADERS = ("Heygen-Signature", "Signature", "X-HeyGen-Signature")
TIMESTAMP_HEADER = "Heygen-Timestamp"
WINDOW_SECONDS = 300


class Verdict(Enum):
    GOOD = "good"
    UNSIGNED = "unsigned"
    WRONG = "wrong"
    OLD = "old"


def judge(headers: Mapping[str, str], body: bytes, secret: str, *, now: float | None = None) -> Verdict:
    """What the signature of the raw body says. `headers` are looked up without regard to case by Django's own.

    The timestamp is looked at only where there is one: no source says that it is signed.
    """
    given = next((headers[name] for name in SIGNATURE_HEADERS if headers.get(name)), None)
    if given is None:
        return Verdict.UNSIGNED
    claimed = given.strip().lower().removeprefix("sha256=").strip()
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(claimed.encode("utf-8", "replace"), expected.encode()):
        return Verdict.WRONG
    stamp = headers.get(TIMESTAMP_HEADER)
    if stamp is not None:
        try:
            age = (time.time() if now is None else now) - float(stamp)
        except ValueError:
            return Verdict.OLD
        if not abs(age) <= WINDOW_SECONDS:
            return Verdict.OLD
    return Verdict.GOOD
