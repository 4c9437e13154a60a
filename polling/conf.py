"""The engine's figures: their defaults, and the setting of the same name that overrides each."""

from __future__ import annotations

from typing import Any

from django.conf import settings

# Seconds unless the name says otherwise.
DEFAULTS: dict[str, float] = {
    # The budget of one key, shared by all processes.
    "POLL_REQUESTS_PER_SECOND": 5,
    "POLL_BURST": 10,
    # Reader threads of one worker, for each lane.
    "POLL_THREADS": 32,
    # The first pause after a change, how it grows with each fruitless poll, and where that ends.
    "POLL_WORKING_SECONDS": 3,
    "POLL_WORKING_GROWTH": 1.15,
    "POLL_WORKING_MAX_SECONDS": 7,
    "POLL_GENERATING_SECONDS": 8,
    "POLL_GENERATING_GROWTH": 1.1,
    "POLL_GENERATING_MAX_SECONDS": 20,
    "POLL_WAITING_SECONDS": 15,
    "POLL_WAITING_GROWTH": 1.5,
    "POLL_WAITING_MAX_SECONDS": 300,
    "POLL_UNKNOWN_SECONDS": 15,
    "POLL_UNKNOWN_GROWTH": 1.5,
    "POLL_UNKNOWN_MAX_SECONDS": 600,
    # The longest pause while a page about the object is open.
    "POLL_WATCHED_WORKING_MAX_SECONDS": 5,
    "POLL_WATCHED_WAITING_MAX_SECONDS": 10,
    "POLL_WATCHED_DONE_SECONDS": 60,
    # The look after the one that a press of ours caused, when that showed nothing yet.
    "POLL_WOKEN_SECONDS": 1,
    # After failures: the bound that doubles, and where it ends.
    "POLL_FAILURE_SECONDS": 4,
    "POLL_FAILURE_MAX_SECONDS": 300,
}


def figure(name: str) -> float:
    """The value of a `POLL_*` setting."""
    value: Any = getattr(settings, name, None)
    return DEFAULTS[name] if value is None else float(value)
