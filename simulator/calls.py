"""Who asked for what, and when: the counters that tests of a rate limit read."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

KEPT = 200_000


@dataclass(slots=True)
class Received:
    """One request to the API. `at` and `ended` are the real clock (Unix seconds).

    `status` is 0 until it was answered, `ended` None while it is under way; `retry_after` is the header of the answer.
    """

    at: float
    method: str
    template: str
    path: str
    key: str
    status: int = 0
    fault: str = ""
    ended: float | None = None
    retry_after: str = ""


class Calls:
    def __init__(self) -> None:
        self.received: deque[Received] = deque(maxlen=KEPT)
        self.counts: Counter[tuple[str, str, str]] = Counter()

    def note(self, method: str, template: str, path: str, key: str) -> Received:
        call = Received(time.time(), method, template, path, key)
        self.received.append(call)
        self.counts[(key, method, template)] += 1
        return call

    def clear(self) -> None:
        self.received.clear()
        self.counts.clear()

    def report(
        self, *, since: float = 0.0, key: str = "", template: str = "", last: int = 1000
    ) -> dict[str, Any]:
        """Counts of all time, and the newest calls (oldest first) that match."""
        matching = [
            call
            for call in self.received
            if call.at >= since
            and (not key or call.key == key)
            and (not template or call.template == template)
        ]
        return {
            "total": sum(self.counts.values()),
            "counts": [
                {"key": key_, "method": method, "path": template_, "count": count}
                for (key_, method, template_), count in sorted(self.counts.items())
            ],
            "matching": len(matching),
            "calls": [
                {
                    "at": call.at,
                    "method": call.method,
                    "path": call.path,
                    "template": call.template,
                    "key": call.key,
                    "status": call.status,
                    "fault": call.fault,
                    "ended": call.ended,
                    "retry_after": call.retry_after,
                }
                for call in matching[-last:]
            ],
        }
