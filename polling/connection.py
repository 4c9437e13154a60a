"""The one place that makes Redis clients. Redis is allowed to be away: whoever uses it says what happens then."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)
T = TypeVar("T")

# Nobody waits for Redis longer than this; what it would have said is optional.
PATIENCE_SECONDS = 0.5
# After a failure nobody knocks again for so long: a frozen Redis would cost each caller its patience.
REST_SECONDS = 1.0

# What a client raises when the other side is away, frozen or starting up, or answers that it takes no writes: it is full,
# cannot save, or has become a replica.
Away = (redis.RedisError,)


class RedisAway(Exception):
    """Redis did not answer, now or a moment ago."""


@lru_cache(maxsize=4)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
        socket_keepalive=True,
        health_check_interval=0,
        # One more try for a pooled connection that a restarted server has forgotten; none after a timeout.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )


def client() -> redis.Redis:
    """The process's pooled client; threads may share it. Answers are bytes."""
    return _client(settings.REDIS_URL)


def async_client() -> redis.asyncio.Redis:
    """A client for one event loop, made to wait for messages: the caller closes it."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=PATIENCE_SECONDS,
        socket_keepalive=True,
        health_check_interval=10,
        retry=AsyncRetry(NoBackoff(), 0),
    )


class Breaker:
    """Remembers for a moment that Redis is away, so that one caller's patience is enough for all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._url = ""
        self._rests_until = 0.0

    def call(self, use: Callable[[redis.Redis], T]) -> T:
        """`use(client)`, or RedisAway within `PATIENCE_SECONDS` (twice that for a client that reconnects)."""
        if self.resting():
            raise RedisAway("not asked: it was away a moment ago")
        try:
            answer = use(client())
        except Away as exc:
            with self._lock:
                first = self._rests_until == 0.0
                self._rests_until = time.monotonic() + REST_SECONDS
                self._url = settings.REDIS_URL
            if first:
                logger.warning("Redis is away: %s", exc)
            raise RedisAway(str(exc)) from exc
        if self._rests_until:
            self.heard()
        return answer

    def resting(self) -> bool:
        with self._lock:
            return self._url == settings.REDIS_URL and time.monotonic() < self._rests_until

    def heard(self) -> None:
        """Redis is back: nobody needs to rest any more."""
        with self._lock:
            self._rests_until = 0.0
        logger.info("Redis answers again")


breaker = Breaker()


def call(use: Callable[[redis.Redis], T]) -> T:
    """Runs `use` with the process's client. Raises RedisAway when there is no answer, within a bounded time."""
    return breaker.call(use)


def answers() -> bool:
    """Whether Redis answers now, and takes writes; a rest after a failure counts as no."""
    try:
        return bool(call(lambda connection: connection.set("dailies:answers", 1, ex=60)))
    except RedisAway:
        return False


def text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
