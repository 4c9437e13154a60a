"""Pages of a list by where the last one ended: the thousandth page costs as much as the first."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, TypeVar
from uuid import UUID

from cachetools import TTLCache
from django.db.models import Model, OuterRef, Q, QuerySet, Subquery

from workspaces_app.models import Workspace

Row = TypeVar("Row", bound=Model)

# How far back a first page reaches is not asked again for so many seconds. It is never relied on: what it yields shows
# whether it still holds.
KEPT_SECONDS = 60
_reach: TTLCache[Hashable, Any] = TTLCache(4096, KEPT_SECONDS)
_reach_lock = Lock()
_UNKNOWN = object()


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page: its time and its id."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.id}"

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """The cursor of an address; None for a broken one, which shows the first page."""
        at, _, pk = text.partition("~")
        try:
            moment = datetime.fromisoformat(at)
            return cls(moment, UUID(pk)) if moment.tzinfo is not None else None
        except ValueError:
            return None


def page(
    rows: QuerySet[Row],
    field: str,
    after: str,
    size: int,
    *,
    workspaces: Sequence[UUID] = (),
    read: Callable[[Any], QuerySet[Any, Any]] = lambda rows: rows,
    called: Hashable = None,
) -> tuple[list[Any], str]:
    """The rows after the cursor, newest first by `field` and id, and the cursor of the next page ("" on the last).

    `workspaces` narrows the rows to those of some workspaces, where an index leads through each in this order. `read`
    says what is read of the rows in the end. `called` is another value for each other `rows`: with it, a first page
    remembers how far back the last one reached.
    """
    cursor = Cursor.read(after) if after else None
    if cursor is not None:
        called = None
        # The bound alone is redundant, but it is what an index can begin at.
        rows = rows.filter(**{f"{field}__lte": cursor.at}).filter(
            Q(**{f"{field}__lt": cursor.at}) | Q(pk__lt=cursor.id)
        )

    def since(oldest: datetime | None) -> list[Any]:
        """As many as fit and one more. None: as far back as they go."""
        bound = {} if oldest is None else {f"{field}__gte": oldest}
        within = rows.filter(workspace__in=workspaces, **bound) if workspaces else rows
        return list(read(within).order_by(f"-{field}", "-pk")[: size + 1])

    if len(workspaces) < 2:
        found = since(None)
    else:
        with _reach_lock:
            oldest = _reach.get(called, _UNKNOWN)
        found = [] if oldest is _UNKNOWN else since(oldest)
        # Where more fit than were found, some have left the list since it was asked how far back a page goes.
        if oldest is _UNKNOWN or (oldest is not None and len(found) <= size):
            oldest = _oldest(rows, field, size, workspaces)
            if called is not None:
                with _reach_lock:
                    _reach[called] = oldest
            found = since(oldest)
    if len(found) <= size:
        return found, ""
    last = found[size - 1]
    return found[:size], str(Cursor(getattr(last, field), last.pk))


def _oldest(rows: QuerySet[Row], field: str, size: int, workspaces: Sequence[UUID]) -> datetime | None:
    """A moment that no row of the page is older than; None where all rows may have to be looked at.

    An index that begins with the workspace gives the rows of one in order, but those of several must all be sorted. Where
    one workspace fills the page by itself, nothing older than its last row is on it; each has few rows that are younger
    than the youngest such row.
    """
    last = rows.filter(workspace=OuterRef("pk")).order_by(f"-{field}", "-pk").values(field)[size : size + 1]
    filling = Workspace.objects.filter(pk__in=workspaces).order_by().annotate(oldest=Subquery(last))
    return max(filter(None, filling.values_list("oldest", flat=True)), default=None)
