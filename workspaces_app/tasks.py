"""What the people side does by the clock."""

from __future__ import annotations

from celery import shared_task
from django.core.management import call_command

from workspaces_app import throttle, webhooks


@shared_task(name="workspaces_app.tidy", ignore_result=True)
def tidy() -> None:
    """Forgets ended sessions, empty sign-in buckets and webhook deliveries that no repeat can come of."""
    call_command("clearsessions")
    throttle.forget_old()
    webhooks.forget_old()
