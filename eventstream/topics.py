"""What pages can watch: an app registers one `Topic` for each kind of object that has a live page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID


def _unknown_age(_object_id: UUID) -> float | None:
    return None


# A user's row and an object's id.
Pair = tuple[int, UUID]


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of object whose pages follow it. All functions are called in a thread and may use the database.

    kind: the one in the page's stream address and in the changes that are announced, for example "session".
    allowed(pairs): those of the pairs (user_id, object_id) whose user may see the object now; never one of an unknown
        object. Asked on connect, at a sign-out, and every 20 seconds for all who look, so it must not cost a query each.
    version(object_id): the object's current version, 0 for one that is gone.
    fragments(object_id, since_version, language, variant): HTML of `<hx-partial …>` blocks that bring a page that
        shows `since_version` (None = anything) to the current state. Holds nothing of one person: it is rendered
        once and sent to all who look. "" = nothing to show.
    age(object_id): seconds since the remote side was last read; None = not known. Asked on connect and every 20
        seconds while somebody looks, so it is also the place to say that somebody does.
    """

    kind: str
    allowed: Callable[[Iterable[Pair]], set[Pair]]
    version: Callable[[UUID], int]
    fragments: Callable[[UUID, int | None, str, str], str]
    age: Callable[[UUID], float | None] = _unknown_age


_topics: dict[str, Topic] = {}


def register(topic: Topic) -> None:
    """Called from an app's `AppConfig.ready`. One topic per kind."""
    if topic.kind in _topics:
        raise ValueError(f"a topic {topic.kind!r} is registered already")
    _topics[topic.kind] = topic


def find(kind: str) -> Topic | None:
    return _topics.get(kind)
