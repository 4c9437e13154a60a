"""Tells whoever looks that an object has a new version. A lost word costs one re-check, never a stale row.

One Redis channel for all; a message is a JSON list of {"workspace", "kind", "object", "version"}.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from polling import connection
from polling.connection import RedisAway

logger = logging.getLogger(__name__)

CHANNEL = "dailies:changes"
# The first pause before a subscriber tries again, and the longest.
RECONNECT_SECONDS = 0.1
RECONNECT_MAX_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Announcement:
    """An object whose version moved: what a page about it compares with its own."""

    workspace_id: UUID
    kind: str
    object_id: UUID
    version: int


def encode(announcements: Iterable[Announcement]) -> bytes:
    return json.dumps(
        [
            {
                "workspace": str(each.workspace_id),
                "kind": each.kind,
                "object": str(each.object_id),
                "version": each.version,
            }
            for each in announcements
        ]
    ).encode()


def decode(message: bytes) -> list[Announcement]:
    """Raises ValueError for what are no announcements."""
    try:
        return [
            Announcement(UUID(raw["workspace"]), str(raw["kind"]), UUID(raw["object"]), int(raw["version"]))
            for raw in json.loads(message)
        ]
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"no announcements: {message[:200]!r}") from exc


def announce(announcements: Iterable[Announcement]) -> None:
    """Publishes once the transaction is committed (now, outside of one). Never raises.

    Several versions of one object are one message, the newest. Without Redis nothing is said: pages notice the version
    with their next sign of life. It costs half a second at most, and nothing for a second after that.
    """
    newest: dict[tuple[str, UUID], Announcement] = {}
    for announcement in announcements:
        name = (announcement.kind, announcement.object_id)
        if name not in newest or newest[name].version < announcement.version:
            newest[name] = announcement
    if newest:
        message = encode(newest.values())
        transaction.on_commit(lambda: _publish(message), robust=True)


def _publish(message: bytes) -> None:
    try:
        connection.call(lambda client: client.publish(CHANNEL, message))
    except RedisAway as exc:
        logger.info("announcements were not published: %s", exc)


class Subscriber:
    """Hears every announcement, in one event loop; one per web process. Comes back by itself when Redis does.

    `on_connect` is called whenever listening begins, the first time and after each interruption: what was said in
    between is lost, so versions have to be looked at again.
    """

    def __init__(self, on_connect: Callable[[], None] | None = None) -> None:
        self._on_connect = on_connect
        self.connected = False

    async def listen(self) -> AsyncIterator[Announcement]:
        """Endless; ends with its task's cancellation."""
        pause = RECONNECT_SECONDS
        while True:
            client = connection.async_client()
            try:
                async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(CHANNEL)
                    self.connected = True
                    pause = RECONNECT_SECONDS
                    if self._on_connect is not None:
                        self._on_connect()
                    async for message in pubsub.listen():
                        if message["type"] != "message":
                            continue
                        try:
                            said = decode(message["data"])
                        except ValueError as exc:
                            logger.warning("%s", exc)
                            continue
                        for announcement in said:
                            yield announcement
            except (*connection.Away, OSError) as exc:
                if self.connected:
                    logger.warning("lost the announcements of Redis: %s", exc)
            finally:
                self.connected = False
                await client.aclose()
            await asyncio.sleep(pause)
            pause = min(pause * 2, RECONNECT_MAX_SECONDS)
