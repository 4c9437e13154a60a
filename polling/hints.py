"""Tells workers that there is work. A hint may be lost, late or doubled: the rows know, and the next tick finds them.

Nobody waits for a hint: a thread of its own hands it over, so a frozen Redis costs a page nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from polling.broker import Publisher

logger = logging.getLogger(__name__)

TASK = "polling.drain"


class Messenger:
    """Hands the hints of one process over, one at a time. Equal ones that wait are one."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._waiting: dict[str, int] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, lane: str, count: int = 1) -> None:
        """Wants at least `count` drains of a lane to begin. Returns at once and never raises."""
        with self._changed:
            self._waiting[lane] = max(count, self._waiting.get(lane, 0))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="poll-hints", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                lane, count = self._waiting.popitem()
            try:
                for _ in range(count):
                    self._send(lane)
            except Exception as exc:  # whatever the broker's library raises: the next tick repeats the hint
                logger.info("a hint for %s was lost: %s", lane, exc)


def to_lanes() -> Callable[[str], None]:
    """Sends the hint of a lane to its queue, over a connection of its own."""
    broker = Publisher()
    return lambda lane: broker.send(TASK, lane, queue=lane)


messenger = Messenger(to_lanes())


def drain(lane: str, count: int = 1) -> None:
    """Hints that something of a lane is due."""
    messenger.add(lane, count)
