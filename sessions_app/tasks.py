"""What the sessions side does by the clock."""

from __future__ import annotations

from celery import shared_task

from sessions_app import tallies, vault


@shared_task(name="sessions_app.fold_tallies", ignore_result=True)
def fold_tallies() -> None:
    tallies.fold()


@shared_task(name="sessions_app.tidy", ignore_result=True)
def tidy() -> None:
    vault.forget_unfinished()
