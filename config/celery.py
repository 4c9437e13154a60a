"""The Celery application. Its settings are the `CELERY_*` ones of `config.settings`.

A message is a hint that is worth nothing once the next one is there. Celery's own way to say so, `expires`, is a moment by
the sender's clock, which a worker compares with its own: one whose clock is a few seconds ahead would drop every message.
So it is the queue that is bounded: where enough messages wait, another one adds nothing.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# So many messages in its queue are enough for a tick, for a drain (for whatever is due: less, so that ticks always find
# room), and for a delivery, which names its command.
TICK, DRAIN, DELIVERY = 10, 8, 1000


class Application(Celery):
    """Celery, but for messages that are dropped where enough of them wait. They are few when a dead worker comes back."""

    def send_task(  # type: ignore[override]  # whatever Celery takes
        self, name: str, args: Any = None, kwargs: Any = None, **options: Any
    ) -> Any:
        """As Celery's; None when the message was dropped. Fails as Celery's does when the broker is away."""
        with self.producer_or_acquire(options.pop("producer", None)) as publisher:
            most = self._waiting_at_most(name)
            if most is not None:
                # On the connection that would carry the message: it is as patient, and fails in the same way.
                queue = options.get("queue", self.conf.task_default_queue)
                with publisher.channel.conn_or_acquire() as redis:
                    if redis.llen(queue) >= most:
                        return None
            return super().send_task(name, args, kwargs, producer=publisher, **options)

    def _waiting_at_most(self, name: str) -> int | None:
        if any(entry["task"] == name for entry in self.conf.beat_schedule.values()):
            return TICK
        return {"polling.drain": DRAIN, "commands.deliver": DELIVERY}.get(name)


app = Application("dailies")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# The current app is one thread's own; without this every other thread would talk to an AMQP server that is not there.
app.set_default()


@setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Django's LOGGING counts: that somebody listens here keeps Celery from setting up its own."""
