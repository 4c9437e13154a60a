"""Is this message the one we sent? Used to settle a send or a create whose answer never came.

Messages have no id. HeyGen may shorten a text, change its white space and give a time in whole seconds of a
clock that is not ours, or none. Source: heygen-api.md, sections 3.3 and 4.9.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol


class Said(Protocol):
    """A message, remote or stored."""

    @property
    def role(self) -> str: ...
    @property
    def content(self) -> str: ...
    @property
    def created_at(self) -> datetime | None: ...


# Two clocks and whole seconds: a message may look older than the attempt that sent it.
SKEW = timedelta(seconds=120)

# Of a shortened text so much must be left that it is not the beginning of just any message.
SHORTEST_PREFIX = 12


def is_ours(message: Said, text: str, not_before: datetime, *, skew: timedelta = SKEW) -> bool:
    """Whether `message` can be the `text` that was sent at `not_before` (aware) or later.

    Texts match when they are equal but for white space, or when one of them begins with the other and
    that is a fair part of it. A message without a time matches by its text alone.
    """
    if message.role.strip().lower() != "user":
        return False
    if message.created_at is not None and message.created_at < not_before - skew:
        return False
    return same_text(message.content, text)


def same_text(seen: str, sent: str) -> bool:
    """Whether `seen` is `sent`, perhaps shortened or differently spaced."""
    seen, sent = _plain(seen), _plain(sent)
    if seen == sent:
        return True
    if not seen or not sent:
        return False
    shortened = seen.rstrip(".…").rstrip()
    if len(shortened) >= SHORTEST_PREFIX and sent.startswith(shortened):
        return True
    # The server may add to a text, for instance the names of attached files.
    return len(sent) >= SHORTEST_PREFIX and seen.startswith(sent)


def _plain(text: str) -> str:
    return " ".join(text.split())
