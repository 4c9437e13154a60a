"""A way to the workers' queues for hints: on a connection of its own, whose patience is shorter than a worker's."""

from __future__ import annotations

import logging
from typing import Any

from celery import current_app

from polling.connection import PATIENCE_SECONDS

logger = logging.getLogger(__name__)


class Publisher:
    """For one thread. What it cannot send at once it does not send: the rows know, and the next tick finds them."""

    def __init__(self) -> None:
        self._producer: Any = None

    def send(self, task: str, argument: str, *, queue: str) -> None:
        """Raises whatever the broker's library does; the next call makes a new connection."""
        try:
            if self._producer is None:
                patience = {
                    "socket_timeout": PATIENCE_SECONDS,
                    "socket_connect_timeout": PATIENCE_SECONDS,
                    "retry_on_timeout": False,
                }
                connection = current_app.connection_for_write(transport_options=patience)
                self._producer = current_app.amqp.Producer(connection)
            current_app.send_task(
                task,
                [argument],
                queue=queue,
                producer=self._producer,
                ignore_result=True,
                retry=False,
            )
        except Exception:
            self._drop_connection()
            raise

    def _drop_connection(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.connection.collapse()
            except Exception as exc:
                logger.debug("closing the connection for hints: %s", exc)
