"""Sessions to poll, and the engine as it runs in a worker, without Celery around it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from bench.clocks import Spent, Stopwatch
from bench.remote import Remote
from polling import drains, kinds, schedule
from polling.models import PollState
from sessions_app.mirror.sessions import SESSION
from sessions_app.models import VideoSession
from tests.factories import WorkspaceFactory
from workspaces_app.models import Workspace

# More than any part asks for: what is measured is not the budget.
NO_LIMIT = {"POLL_REQUESTS_PER_SECOND": 100_000, "POLL_BURST": 10_000}


def workspace(remote: Remote, *, key: str = "sk_bench_0001") -> Workspace:
    made: Workspace = WorkspaceFactory(base_url=remote.url, key=key)
    return made


def sessions(of: Workspace, count: int, *, group: str = "working") -> list[VideoSession]:
    """Enrolled, due now, never polled."""
    now = timezone.now()
    first = VideoSession.objects.count()
    rows = VideoSession.objects.bulk_create(
        [
            VideoSession(
                workspace=of,
                remote_id=f"sess_{first + number}",
                prompt="A film about a bakery",
                status="thinking",
                group=group,
                active_at=now,
                status_since=now,
            )
            for number in range(count)
        ]
    )
    schedule.enroll(
        "session", [row.pk for row in rows], workspace_id=of.pk, fingerprint=of.key_fingerprint, group=group
    )
    return rows


@contextmanager
def engine(*, threads: int | None = None, hints: bool = False, **figures: float) -> Iterator[None]:
    """Settings of the engine in this process. Without `hints` nobody is told when a drain's time is over."""
    wanted: dict[str, object] = {**figures, "CELERY_BROKER_URL": settings.CELERY_BROKER_URL if hints else ""}
    if threads is not None:
        wanted["POLL_THREADS"] = threads
    before = {name: getattr(settings, name) for name in wanted}
    from polling import readers

    readers._readers.clear()
    for name, value in wanted.items():
        setattr(settings, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)


@contextmanager
def always_due() -> Iterator[None]:
    """Sessions are due again as soon as they were read: as much work as the engine can do."""
    kinds.register(dataclasses.replace(SESSION, cadence=lambda pace: 0.0))
    try:
        yield
    finally:
        kinds.register(SESSION)


def first_poll() -> None:
    """Reads every session once, so that what follows is what a mirror does all day."""
    never = PollState.objects.filter(polled_at=None, next_poll_at__isnull=False)
    deadline = time.monotonic() + 120
    while never.exists():
        if time.monotonic() > deadline:
            raise TimeoutError("the sessions could not be read once")
        drains.drain("polls", claiming_seconds=1)


def drained(seconds: float) -> Spent:
    """One drain of so many seconds, and what it still finishes."""
    watch = Stopwatch()
    return watch.spent(drains.drain("polls", claiming_seconds=seconds))


def urls(remote: Remote, rows: list[VideoSession]) -> list[str]:
    return [f"{remote.url}/v3/video-agents/{row.remote_id}" for row in rows]


def object_ids(rows: list[VideoSession]) -> list[UUID]:
    return [row.pk for row in rows]
