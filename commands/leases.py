"""A lease on a command: as long as it is renewed, whoever holds it counts as alive."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from uuid import UUID

from django.db import DatabaseError, connections

from commands.models import Command
from polling import clock

logger = logging.getLogger(__name__)

# A killed holder is noticed after this long at most, by the next tick.
LEASE_SECONDS = 8.0
RENEW_SECONDS = 2.0


@contextlib.contextmanager
def kept(command_id: UUID, lease_token: UUID) -> Iterator[None]:
    """Renews the lease every two seconds while the block runs: a slow call to HeyGen may take two minutes.

    A thread of its own, because the block sits in a network call. Its first renewal comes after two seconds, so that
    a usual call costs a thread and no query.
    """
    done = threading.Event()
    keeper = threading.Thread(
        target=_keep, args=(command_id, lease_token, done), name=f"lease-{command_id}", daemon=True
    )
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _keep(command_id: UUID, lease_token: UUID, done: threading.Event) -> None:
    while not done.wait(RENEW_SECONDS):
        try:
            renewed = Command.objects.filter(pk=command_id, lease_token=lease_token).update(
                lease_until=clock.later(LEASE_SECONDS), due_at=clock.later(LEASE_SECONDS)
            )
        except DatabaseError as exc:
            logger.warning("renewing the lease on command %s: %s", command_id, exc)
            continue
        finally:
            # Not held between renewals: the pool is small and the call may be slow.
            connections.close_all()
        if not renewed:
            return
