"""One page of any list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from heygen import decoding as read
from heygen.json_types import Raw

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. `next_token` is None at the end, whatever way the server says so."""

    items: tuple[T, ...]
    next_token: str | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, body: Raw, decode: Callable[[Any], T]) -> Page[T]:
        """Read a whole list answer, envelope included.

        Items and cursor are looked for beside and inside `data`, under every documented name; a null list
        is an empty one.
        """
        inside = body.get("data")
        places = [body, inside] if isinstance(inside, dict) else [body]
        return cls(
            items=read.objects("Page", _items(body, inside), decode),
            next_token=_next_token(places),
            raw=body,
        )


def _items(body: Raw, inside: Any) -> list[Any]:
    if isinstance(inside, list):
        return inside
    if inside is None and "data" in body:
        return []
    if not isinstance(inside, dict):
        raise read.WrongShape("the list answer has no data")
    for name in ("items", "resources", "data", "list"):
        if name in inside:
            value = inside[name]
            if isinstance(value, list):
                return value
            if value is None:
                return []
            raise read.WrongShape(f"data.{name} is not a list")
    lists = [value for value in inside.values() if isinstance(value, list)]
    if len(lists) == 1:
        read.note("Page", "data", "holds its items under an unknown name")
        return lists[0]
    raise read.WrongShape("the list answer has no items")


def _next_token(places: list[Raw]) -> str | None:
    if any(place.get("has_more") is False for place in places):
        return None
    for place in places:
        for name in ("next_token", "next_cursor"):
            token = place.get(name)
            if isinstance(token, str) and token:
                return token
            if isinstance(token, int) and not isinstance(token, bool) and abs(token) <= read.LARGEST:
                return str(token)
    return None
