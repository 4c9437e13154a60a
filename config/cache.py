"""Django's Redis cache for a Redis that may be gone: then it is an empty cache, not an error page."""

from __future__ import annotations

import json
import logging
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, ClassVar

import redis
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

logger = logging.getLogger(__name__)

# After a failure the cache answers as if empty for so long: a page with ten look-ups waits once at most.
PAUSE_SECONDS = 2.0


class JsonSerializer:
    """JSON in place of Django's pickle: whoever can write to Redis must not be able to run code here."""

    def dumps(self, value: Any) -> bytes | int:
        # Plain whole numbers stay numbers, for `incr`.
        return value if type(value) is int else json.dumps(value, separators=(",", ":")).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


class SharedPoolClient(RedisCacheClient):
    """One connection pool per process. Django makes a cache object per thread, and a thread lives for one request."""

    pools: ClassVar[dict[str, dict[int, Any]]] = defaultdict(dict)

    def __init__(self, servers: Any, **options: Any) -> None:
        super().__init__(servers, **options)
        self._pools = self.pools[repr(servers)]


def _or_empty(name: str) -> Callable[..., Any]:
    """The Redis cache's method of that name; while Redis does not answer, the one of an empty cache."""
    method = getattr(RedisCache, name)

    def call(self: ForgivingRedisCache, *args: Any, **kwargs: Any) -> Any:
        cls = type(self)
        if time.monotonic() >= cls.paused_until:
            try:
                return method(self, *args, **kwargs)
            except redis.RedisError as exc:
                cls.paused_until = time.monotonic() + PAUSE_SECONDS
                logger.warning("cache: Redis does not answer, going on without it: %s", exc)
        return getattr(self._empty, name)(*args, **kwargs)

    return call


class ForgivingRedisCache(RedisCache):
    """Never raises for a Redis that is gone, slow or wiped. What must not be lost belongs into the database."""

    paused_until: ClassVar[float] = 0.0

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = SharedPoolClient
        self._empty = DummyCache("", {})

    add = _or_empty("add")
    get = _or_empty("get")
    set = _or_empty("set")
    touch = _or_empty("touch")
    delete = _or_empty("delete")
    get_many = _or_empty("get_many")
    set_many = _or_empty("set_many")
    delete_many = _or_empty("delete_many")
    has_key = _or_empty("has_key")
    incr = _or_empty("incr")
    clear = _or_empty("clear")
