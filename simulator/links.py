"""Links that look presigned, differ at each read and really expire."""

from __future__ import annotations

import hashlib
import hmac
import itertools
from collections.abc import Mapping
from urllib.parse import quote

from .clock import Clock
from .identifiers import digest


class Links:
    """Makes and checks signed links below `public_url`. `seconds` is how long a new one lives."""

    def __init__(self, public_url: str, seed: int, clock: Clock) -> None:
        self.public_url = public_url
        self.seconds = 3600.0
        self._secret = digest(seed, "links", size=32).encode()
        self._key_pair = "K" + digest(seed, "key pair", size=6).upper()
        self._clock = clock
        self._count = itertools.count(int(clock.stamp() * 1000))

    def public(self, path: str) -> str:
        """A link that never expires, as of a CDN."""
        return self.public_url + quote(path)

    def signed(self, path: str, *, seconds: float | None = None) -> str:
        expires = str(int(self._clock.stamp() + (self.seconds if seconds is None else seconds)))
        policy = digest(self._key_pair, next(self._count), size=6)
        signature = self._signature(path, expires, policy)
        return (
            f"{self.public_url}{quote(path)}?Expires={expires}&Policy={policy}"
            f"&Signature={signature}&Key-Pair-Id={self._key_pair}"
        )

    def holds(self, path: str, query: Mapping[str, str]) -> bool:
        """Whether the link was made here for this path and has not expired."""
        expires, policy = query.get("Expires", ""), query.get("Policy", "")
        expected = self._signature(path, expires, policy)
        if not hmac.compare_digest(expected.encode(), query.get("Signature", "").encode()):
            return False
        return expires.isascii() and expires.isdigit() and int(expires) >= self._clock.stamp()

    def _signature(self, path: str, expires: str, policy: str) -> str:
        text = f"{path}\n{expires}\n{policy}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()[:40]
