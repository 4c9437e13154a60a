"""Rendered events, made once and shared by all who need the same one."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from uuid import UUID

from eventstream import access
from eventstream.encoding import Event, encode
from eventstream.topics import Topic

KEPT_BYTES = 16 * 1024 * 1024

Key = tuple[str, UUID, int | None, int, str, str]


class Frames:
    """A cache by object, version, language and variant, bounded in bytes, the longest unused going first.

    Whoever asks for a frame that is being rendered waits for that one.
    """

    def __init__(self, in_thread: Callable[..., Any]) -> None:
        self._in_thread = in_thread
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._under_way: dict[Key, asyncio.Future[bytes]] = {}

    async def get(
        self, topic: Topic, object_id: UUID, *, since: int | None, version: int, language: str, variant: str
    ) -> bytes:
        """The encoded event that brings a page from `since` to `version`, or to later. One without HTML only says that."""
        key = (topic.kind, object_id, since, version, language, variant)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        under_way = self._under_way.get(key)
        if under_way is None:
            under_way = asyncio.ensure_future(self._render(topic, key))
            self._under_way[key] = under_way
            under_way.add_done_callback(lambda _: self._under_way.pop(key, None))
        # Shielded: one reader that goes away must not take the frame from the others.
        return await asyncio.shield(under_way)

    async def _render(self, topic: Topic, key: Key) -> bytes:
        _, object_id, since, version, language, variant = key
        html = await self._in_thread(access.render, topic, object_id, since, language, variant)
        frame = encode(Event(data=html, version=version))
        self._kept[key] = frame
        self._kept_bytes += len(frame)
        while self._kept_bytes > KEPT_BYTES:
            _, dropped = self._kept.popitem(last=False)
            self._kept_bytes -= len(dropped)
        return frame
