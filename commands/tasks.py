"""The doors of the commands worker. The queue is "commands"; the schedule is in the settings."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from commands import delivery, hints


@shared_task(name="commands.tick", ignore_result=True)
def tick() -> None:
    delivery.tick()


@shared_task(name=hints.TASK, ignore_result=True)
def deliver(command_id: str) -> None:
    delivery.advance(UUID(command_id))
