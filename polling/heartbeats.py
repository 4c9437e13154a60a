"""Signs of life as rows, so that they outlive Redis: of beat, workers and lanes, and what each key last saw of HeyGen's side."""

from __future__ import annotations

import datetime
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.db import Error, connection
from django.db.models.functions import Now

from polling import budget, clock
from polling.models import Heartbeat

logger = logging.getLogger(__name__)

BEAT = "beat"
TICK = "tick"
WORKER = "worker:"
PROGRESS = "progress:"
REMOTE = "remote:"
ANSWERED = "answered:"

EVERY_SECONDS = 5.0
# After so long without a sign a process counts as gone: three of them and a slow database.
GONE_SECONDS = 20.0
FORGET_SECONDS = 3600.0


def process_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def write(name: str, data: dict[str, Any] | None = None) -> None:
    """One upsert, by the database's clock."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name[:100], seen_at=Now(), data=data or {})],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["seen_at", "data"],
    )


class Sometimes:
    """Writes a heartbeat at most every few seconds, and at once when what it says changes."""

    def __init__(self, every: float = EVERY_SECONDS) -> None:
        self._every = every
        self._lock = threading.Lock()
        self._written: dict[str, tuple[float, dict[str, Any]]] = {}

    def write(self, name: str, data: dict[str, Any] | None = None) -> None:
        now, data = time.monotonic(), data or {}
        with self._lock:
            written_at, before = self._written.get(name, (float("-inf"), None))
            if now - written_at < self._every and before == data:
                return
            self._written[name] = (now, data)
        write(name, data)


class Remotes:
    """Whether the other side answers each key, as this process sees it.

    One object that cannot be read is that object's trouble. Two of them without an answer in between, or one three
    times, are the other side's.
    """

    def __init__(self, every: float = EVERY_SECONDS) -> None:
        self._signs = Sometimes(every)
        self._lock = threading.Lock()
        self._failed: dict[str, list[tuple[UUID, str]]] = {}
        self._answered: set[str] = set()

    def answered(self, key: str) -> bool:
        """True when it was away until now. A process that has just begun believes the last sign."""
        with self._lock:
            failed = self._failed.get(key)
            self._failed[key] = []
            self._answered.add(key)
        return self._reason(failed) != "" if failed is not None else _was_away(key)

    def silent(self, key: str, object_id: UUID, reason: str) -> None:
        with self._lock:
            self._failed.setdefault(key, []).append((object_id, reason))
            del self._failed[key][:-3]

    def write(self, keys: Iterable[str]) -> None:
        """One row for each of these keys whose answer changed, or was not written for a while; another says when it answered.

        Of those only that were asked just now: another process may know better of the others.
        """
        with self._lock:
            reasons = {key: self._reason(self._failed[key]) for key in keys if key in self._failed}
            answered = self._answered & reasons.keys()
            self._answered -= answered
        for key, reason in reasons.items():
            self._signs.write(REMOTE + key, {"reason": reason})
        for key in answered:
            self._signs.write(ANSWERED + key)

    @staticmethod
    def _reason(failed: list[tuple[UUID, str]]) -> str:
        away = len(failed) >= 3 or len({object_id for object_id, _ in failed}) >= 2
        return failed[-1][1] if away else ""


def _was_away(key: str) -> bool:
    sign = Heartbeat.objects.filter(name=REMOTE + key).first()
    return sign is not None and bool(sign.data.get("reason"))


def silent_keys() -> list[str]:
    """Fingerprints of keys that the other side does not answer, and that were not tried since the last sign was due."""
    signs = Heartbeat.objects.filter(
        name__startswith=REMOTE,
        seen_at__lt=clock.later(-EVERY_SECONDS),
        seen_at__gt=clock.later(-FORGET_SECONDS),
    )
    return [sign.name.removeprefix(REMOTE) for sign in signs if sign.data.get("reason")]


def answered_at(keys: Iterable[str]) -> datetime.datetime | None:
    """When HeyGen last answered each of these keys, for the one that waits longest; None before the first answer."""
    signs = Heartbeat.objects.filter(name__in=[ANSWERED + key for key in sorted(keys)])
    return min(signs.values_list("seen_at", flat=True), default=None)


def tried(key: str) -> None:
    """One more try of a silent key is under way; what is known of it stays as it is."""
    Heartbeat.objects.filter(name=REMOTE + key).update(seen_at=Now())


def live_workers() -> int:
    """Workers that gave a sign within the last `GONE_SECONDS`."""
    return Heartbeat.objects.filter(name__startswith=WORKER, seen_at__gt=clock.later(-GONE_SECONDS)).count()


class Pulse:
    """A thread that writes the heartbeat of this process and runs its checks, on a connection of its own."""

    def __init__(
        self,
        name: str,
        checks: Iterable[Callable[[], None]] = (),
        every: float = EVERY_SECONDS,
        data: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.data = data
        self._checks = tuple(checks)
        self._every = every
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and takes the sign back: a process that stops in order is not missed."""
        self._stopped.set()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                write(self.name, self.data)
                # Web processes have no heartbeat: one more for them.
                budget.share_between(live_workers() + 1)
                budget.tell_again()
                for check in self._checks:
                    check()
            except Error as exc:
                logger.warning("no heartbeat: %s", exc)
            finally:
                connection.close()
            self._stopped.wait(self._every)
        try:
            Heartbeat.objects.filter(name=self.name).delete()
            Heartbeat.objects.filter(
                name__startswith=WORKER, seen_at__lt=clock.later(-FORGET_SECONDS)
            ).delete()
        except Error as exc:
            logger.info("the heartbeat stays: %s", exc)
        finally:
            connection.close()
