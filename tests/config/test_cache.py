from __future__ import annotations

import signal

import pytest
from django.core.cache import caches

from config.cache import ForgivingRedisCache


@pytest.fixture(autouse=True)
def _awake(monkeypatch):
    monkeypatch.setattr(ForgivingRedisCache, "paused_until", 0.0)


def test_keeps_what_it_is_given(valkey):
    cache = caches["default"]

    cache.set_many({"a": {"list": [1, "two", None]}, "b": 3})
    cache.incr("b")

    assert cache.get_many(["a", "b", "c"]) == {"a": {"list": [1, "two", None]}, "b": 4}


def test_holds_nothing_that_could_run_as_code(valkey):
    cache = caches["default"]

    with pytest.raises(TypeError, match="not JSON serializable"):
        cache.set("a", object())


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_is_an_empty_cache_while_redis_is_away(valkey, how):
    cache = caches["default"]
    cache.set("a", 1)
    if how == "killed":
        valkey.kill()
    else:
        valkey.signal(signal.SIGSTOP)

    try:
        answers = [cache.get("a", "default"), cache.add("a", 2), cache.get_many(["a"]), cache.delete("a")]
    finally:
        if how == "frozen":
            valkey.signal(signal.SIGCONT)

    assert answers == ["default", True, {}, False]
