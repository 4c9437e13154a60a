"""The threads that read: one set for each lane and process, shared by its drains. They never touch the database."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from django.db import connections

from polling.conf import figure

# Work that waits beside what is under way, so that no thread idles while a drain writes.
LOOKAHEAD = 1.0

Task = Callable[[], None]


class Readers:
    """Daemon threads and a count of what they hold, by key.

    `capacity` is how much may be under way or waiting; a drain claims no more than there is room for.
    """

    def __init__(self, name: str, threads: int) -> None:
        self.threads = threads
        self.capacity = threads + int(threads * LOOKAHEAD)
        # Held by the drain that claims; others of the same process have nothing to do meanwhile, but to call it.
        self.claiming = threading.Lock()
        self.called = threading.Event()
        self._tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        self._total = 0
        for number in range(threads):
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    def submit(self, task: Task) -> None:
        """Runs a task as soon as a thread is free. It must not raise."""
        self._tasks.put(task)

    def hold(self, fingerprints: Iterable[str]) -> None:
        """Counts work that was taken on."""
        with self._lock:
            for fingerprint in fingerprints:
                self._held[fingerprint] += 1
                self._total += 1

    def release(self, fingerprint: str) -> None:
        with self._lock:
            self._held[fingerprint] -= 1
            self._total -= 1
            if self._held[fingerprint] <= 0:
                del self._held[fingerprint]

    @property
    def room(self) -> int:
        with self._lock:
            return max(0, self.capacity - self._total)

    def shares(self, headroom: Mapping[str, int], *, alone: bool) -> dict[str, int]:
        """How much of each key may be claimed: its headroom, within the room that there is.

        `alone`: no other key will need a thread. Otherwise each may hold as many threads as are left free, not more: keys
        whose reads hang take a half, a third, a quarter … of them, and there is always one for another.
        """
        with self._lock:
            room = max(0, self.capacity - self._total)
            free = max(0, self.threads - self._total)
            shares = {}
            for fingerprint, most in headroom.items():
                held = self._held[fingerprint]
                fair = room if alone else max((free - held) // 2, 1 if free and not held else 0)
                shares[fingerprint] = min(most, fair)
            return shares

    def _work(self) -> None:
        while True:
            task = self._tasks.get()
            task()
            # The budget may have read a key's state.
            for connection in connections.all(initialized_only=True):
                connection.close()


_readers: dict[str, Readers] = {}
_lock = threading.Lock()


def of(lane: str) -> Readers:
    """The readers of a lane in this process; made when first asked for."""
    with _lock:
        threads = int(figure("POLL_THREADS"))
        if lane not in _readers:
            _readers[lane] = Readers(f"read-{lane}", threads)
        return _readers[lane]


def call() -> None:
    """Wakes whichever drains of this process wait for something to do."""
    with _lock:
        for each in _readers.values():
            each.called.set()
