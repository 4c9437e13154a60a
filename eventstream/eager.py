"""Coroutines that are begun at once, and cost a task only where they have to wait.

Sending to a browser that keeps up never waits. A task and a timer for each of a thousand streams, to find that out, cost
more than the sending. (Python 3.12 has `asyncio.eager_task_factory`.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any


def begin(work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Runs `work` up to where it has to wait: None when it is done, else a task for the rest. Raises what it raises.

    `work` must not rely on being one task from its beginning: no `asyncio.timeout`, no task groups.
    """
    try:
        waits_for = work.send(None)
    except StopIteration:
        return None
    return asyncio.create_task(_rest(work, waits_for))


async def _rest(work: Coroutine[Any, Any, None], waits_for: Any) -> None:
    await _Begun(work, waits_for)


class _Begun:
    """Hands on what a begun coroutine waits for, and back to it what comes of that."""

    def __init__(self, work: Coroutine[Any, Any, None], waits_for: Any) -> None:
        self._work = work
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        while True:
            came: Any = None
            error: BaseException | None = None
            try:
                came = yield self._waits_for
            except BaseException as exc:  # a cancellation above all: it is the coroutine's to see
                error = exc
            try:
                self._waits_for = self._work.send(came) if error is None else self._work.throw(error)
            except StopIteration:
                return
