"""The engine's doors for Celery, and the signs of life of its processes."""

from __future__ import annotations

from typing import Any

from celery import shared_task, signals

from polling import claims, drains, heartbeats, hints, kinds, ticks, watchdog


@shared_task(name="polling.tick", ignore_result=True)
def tick() -> None:
    ticks.tick()


@shared_task(name=hints.TASK, ignore_result=True)
def drain(lane: str) -> None:
    drains.drain(lane, ahead=claims.AHEAD_SECONDS)


_pulses: list[heartbeats.Pulse] = []


@signals.worker_ready.connect
def _worker_lives(sender: Any, **_: Any) -> None:
    """Every worker gives signs of life; one that drains also watches over its lanes."""
    queues = sorted(sender.app.amqp.queues.consume_from)
    lanes = sorted(set(kinds.lanes()).intersection(queues))
    guard = watchdog.Watchdog(lanes)
    _pulses.append(
        heartbeats.Pulse(
            heartbeats.WORKER + heartbeats.process_name(),
            [guard.check] if lanes else [],
            data={"queues": queues},
        )
    )
    _pulses[-1].start()


@signals.beat_init.connect
def _beat_lives(**_: Any) -> None:
    _pulses.append(heartbeats.Pulse(heartbeats.BEAT))
    _pulses[-1].start()


@signals.worker_shutting_down.connect
def _worker_is_to_end(**_: Any) -> None:
    drains.end()


@signals.worker_shutdown.connect
def _worker_ends(**_: Any) -> None:
    while _pulses:
        _pulses.pop().stop()
