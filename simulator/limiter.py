"""An optional request limit per account, for drills: too fast answers 429 as the real API does."""

from __future__ import annotations

import math
import time

from .accounts import Account
from .errors import too_many


class Limiter:
    """A token bucket per account that holds one second's worth of requests."""

    def take(self, account: Account) -> None:
        rate = account.settings.requests_per_second
        if rate <= 0:
            return
        now = time.monotonic()
        most = max(1.0, rate)
        account.tokens = min(most, account.tokens + (now - account.refilled_at) * rate)
        account.refilled_at = now
        if account.tokens < 1:
            raise too_many("Too many requests.", math.ceil((1 - account.tokens) / rate))
        account.tokens -= 1
