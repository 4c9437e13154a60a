"""Pages of a list by where the last one ended: the thousandth page costs as much as the first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)


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


def page(rows: QuerySet[Row], field: str, after: str, size: int) -> tuple[list[Row], str]:
    """The rows after the cursor, newest first by `field` and id, and the cursor of the next page ("" on the last)."""
    cursor = Cursor.read(after) if after else None
    if cursor is not None:
        # The bound alone is redundant, but it is what an index can begin at.
        rows = rows.filter(**{f"{field}__lte": cursor.at}).filter(
            Q(**{f"{field}__lt": cursor.at}) | Q(pk__lt=cursor.id)
        )
    found: list[Any] = list(rows.order_by(f"-{field}", "-pk")[: size + 1])
    if len(found) <= size:
        return found, ""
    last = found[size - 1]
    return found[:size], str(Cursor(getattr(last, field), last.pk))
