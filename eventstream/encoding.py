"""Server-sent events as bytes. Source: the HTML standard, section "Server-sent events"."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Without a name the page's htmx swaps it in; a named one is only dispatched to scripts.

    `version` becomes the event's id: the browser sends the last one back when it reconnects.
    """

    data: str
    name: str = ""
    version: int | None = None


def encode(event: Event) -> bytes:
    """The event's lines and the empty line that ends it. Any line break inside `data` starts a new data line."""
    lines = []
    if event.version is not None:
        lines.append(f"id: {event.version}")
    if event.name:
        lines.append(f"event: {event.name}")
    data = event.data.replace("\r\n", "\n").replace("\r", "\n")
    lines.extend(f"data: {line}" for line in data.split("\n"))
    return ("\n".join(lines) + "\n\n").encode()


def alive(version: int, age: float | None) -> bytes:
    """The sign of life: `age` is the seconds since the remote side was last read, null when not known."""
    rounded = None if age is None else round(age, 1)
    return encode(Event(name="alive", data=json.dumps({"version": version, "age": rounded})))
