"""The door that every HTTP attempt passes: who may ask now, and who hears how it went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from heygen.errors import ApiError


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt, as far as a gate may know it: no ids, no key, no body.

    `template` is the path with its placeholders, for instance "/v3/video-agents/{session_id}".
    `paid` marks what starts billed work (creating a session or a stream, sending a message), `write` all
    but GET.
    """

    method: str
    template: str
    paid: bool
    write: bool


class Gate(Protocol):
    def admit(self, call: Call) -> None:
        """Return to let exactly one HTTP attempt pass, or raise `heygen.Held`."""

    def observe(self, call: Call, error: ApiError | None) -> None:
        """Told the outcome of every admitted attempt; None means that it went well."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one JSON call sent and got, as text and without the key; `status` None and `answer` "" when no whole
    answer came. `seconds` is how long it took."""

    call: Call
    request: str = field(repr=False)
    status: int | None
    answer: str = field(repr=False)
    seconds: float


# Told each exchange right after it, whatever it came to; it must not raise.
Listener: TypeAlias = Callable[[Exchange], None]
