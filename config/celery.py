"""The Celery application. Its settings are the `CELERY_*` ones of `config.settings`."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("dailies")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# The current app is one thread's own; without this every other thread would talk to an AMQP server that is not there.
app.set_default()


@setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Django's LOGGING counts: that somebody listens here keeps Celery from setting up its own."""
