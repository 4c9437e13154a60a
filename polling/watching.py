"""Which objects are looked at: a hint in Redis that expires by itself. Without Redis nothing counts as watched."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from polling import connection
from polling.connection import RedisAway

WATCH_SECONDS = 45


def _name(kind: str, object_id: UUID) -> str:
    return f"dailies:watch:{kind}:{object_id}"


def begin(kind: str, object_id: UUID) -> bool:
    """Keeps an object watched for `WATCH_SECONDS`; True when it was not before. Never raises."""
    name = _name(kind, object_id)
    try:
        before = connection.call(lambda client: client.set(name, b"1", ex=WATCH_SECONDS, get=True))
    except RedisAway:
        return False
    return before is None


def watched(objects: Sequence[tuple[str, UUID]]) -> set[tuple[str, UUID]]:
    """Those of (kind, object id) that somebody looks at: one round trip. Never raises."""
    if not objects:
        return set()
    names = [_name(kind, object_id) for kind, object_id in objects]
    try:
        found = connection.call(lambda client: client.mget(names))
    except RedisAway:
        return set()
    return {named for named, value in zip(objects, found, strict=True) if value is not None}
