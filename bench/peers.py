"""What we compare ourselves to: HeyGen's example, HTTP alone, and the code that everybody writes first."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import requests

from bench.clocks import Spent, Stopwatch
from sessions_app.models import Message, VideoSession


def example_loop(urls: Sequence[str], *, threads: int, seconds: float) -> Spent:
    """HeyGen's example: `requests.get` for each poll. Its `sleep(5)` is left out: it costs no CPU."""

    def poll(url: str) -> None:
        answer = requests.get(url, headers={"x-api-key": "peer"}, timeout=30)
        answer.json()["data"]["status"]

    return _in_threads(lambda: poll, urls, threads, seconds)


def bare_loop(urls: Sequence[str], *, threads: int, seconds: float) -> Spent:
    """One pooled Session for each thread, nothing of the environment, the body read and thrown away: the ceiling."""

    def poller() -> Callable[[str], None]:
        http = requests.Session()
        http.trust_env = False
        http.headers["x-api-key"] = "peer"

        def poll(url: str) -> None:
            http.get(url, timeout=30).content  # noqa: B018 - reads it

        return poll

    return _in_threads(poller, urls, threads, seconds)


def _in_threads(
    poller: Callable[[], Callable[[str], None]], urls: Sequence[str], threads: int, seconds: float
) -> Spent:
    """Each thread polls its share of the URLs, one after the other, until the time is over."""
    counts = [0] * threads
    stop_at = time.monotonic() + seconds

    def work(number: int) -> None:
        poll = poller()
        mine = urls[number::threads] or urls[:1]
        while time.monotonic() < stop_at:
            poll(mine[counts[number] % len(mine)])
            counts[number] += 1

    watch = Stopwatch()
    running = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return watch.spent(sum(counts))


def idiomatic_write(session_id: UUID, answer: bytes) -> None:
    """What most programs do with an answer: `save()`, and `get_or_create` for each message of the window."""
    data: dict[str, Any] = json.loads(answer)["data"]
    session = VideoSession.objects.get(pk=session_id)
    session.status = data["status"]
    session.progress = data["progress"]
    session.title = data["title"]
    session.save()
    now = datetime.now(UTC)
    for message in reversed(data["messages"]):
        # The number that the text begins with spares it the question which message this is.
        Message.objects.get_or_create(
            session=session,
            position=int(message["content"].partition(".")[0]),
            defaults={
                "role": message["role"],
                "type": message["type"],
                "content": message["content"],
                "remote_created_at": datetime.fromtimestamp(message["created_at"], UTC),
                "resource_ids": message["resource_ids"],
                "first_seen_at": now,
                "version": 1,
            },
        )
