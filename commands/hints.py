"""Hints to the commands worker that there is something to do for a command.

A hint is worth nothing but speed: the row knows, and the tick finds it. So whoever presses a button never waits for
Redis. One thread of the process hands the hints on; a hint that is not on its way after half a second is dropped.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from functools import partial
from uuid import UUID

from django.db import transaction

from polling.broker import Publisher

logger = logging.getLogger(__name__)

TASK = "commands.deliver"
QUEUE = "commands"
FRESH_SECONDS = 0.5
WAITING_AT_MOST = 1000


def deliver_on_commit(command_id: UUID) -> None:
    """Hint after the caller's transaction is committed; not at all if it is rolled back."""
    transaction.on_commit(partial(deliver, command_id), robust=True)


def deliver(command_id: UUID) -> None:
    """Hint that something is to be done for this command. Returns at once and never raises."""
    _messenger.hand_on(str(command_id))


class _Messenger:
    """A thread with a broker connection of its own, started by the first hint."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[str, float]] = queue.Queue(WAITING_AT_MOST)
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None
        self._broker = Publisher()
        self._failing = False

    def hand_on(self, command_id: str) -> None:
        with self._start:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="command-hints", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait((command_id, time.monotonic() + FRESH_SECONDS))
        except queue.Full:
            logger.debug("no room for a hint about command %s", command_id)

    def _run(self) -> None:
        while True:
            command_id, fresh_until = self._waiting.get()
            if time.monotonic() <= fresh_until:
                self._publish(command_id)

    def _publish(self, command_id: str) -> None:
        try:
            self._broker.send(TASK, command_id, queue=QUEUE)
        except Exception as exc:  # whatever a broken broker raises: a hint is not worth more than a line
            if not self._failing:
                logger.warning("no hints to the commands worker (the tick finds the rows): %s", exc)
            self._failing = True
        else:
            self._failing = False


def _start_anew() -> None:
    """Threads and connections don't live on in a forked child."""
    global _messenger
    _messenger = _Messenger()


_messenger = _Messenger()
os.register_at_fork(after_in_child=_start_anew)
