"""Walking through the pages of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from heygen.types import Page

T = TypeVar("T")

# No list that we read is longer; a server that invents a new cursor each time ends here.
MOST_PAGES = 1000


def pages(fetch: Callable[[str | None], Page[T]], *, most: int = MOST_PAGES) -> Iterator[Page[T]]:
    """Every page that `fetch(token)` gives, the first with None.

    Stops at the end, at a cursor that came before, and after `most` pages. Raises what `fetch` raises.
    """
    token: str | None = None
    seen: set[str] = set()
    for _ in range(most):
        page = fetch(token)
        yield page
        token = page.next_token
        if token is None or token in seen:
            return
        seen.add(token)


def every(fetch: Callable[[str | None], Page[T]], *, most: int = MOST_PAGES) -> Iterator[T]:
    """Every item of every page, in order."""
    for page in pages(fetch, most=most):
        yield from page.items
