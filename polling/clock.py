"""The database's clock: the one clock that all processes share. Durations are measured by `time.monotonic()`."""

from __future__ import annotations

import datetime

from django.db import connection, models
from django.db.models.functions import Now
from django.utils.dateparse import parse_datetime


def later(seconds: float) -> models.expressions.Combinable:
    """The database's now plus `seconds` (which may be negative), for `filter` and `update`."""
    return models.ExpressionWrapper(
        Now() + datetime.timedelta(seconds=seconds), output_field=models.DateTimeField()
    )


def age(column: str) -> models.expressions.Combinable:
    """How long the moment in a column is over, as a timedelta beside each row of a query that is made anyway."""
    return models.ExpressionWrapper(Now() - models.F(column), output_field=models.DurationField())


def now() -> datetime.datetime:
    """What the database's clock shows, aware, UTC: one query."""
    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ("clock_timestamp()" if postgresql else "strftime('%Y-%m-%d %H:%M:%f', 'now')")
        )
        return aware(cursor.fetchone()[0])


def aware(value: datetime.datetime | str) -> datetime.datetime:
    """A time from a raw query: SQLite gives text without a zone."""
    if isinstance(value, str):
        parsed = parse_datetime(value)
        if parsed is None:
            raise ValueError(f"not a time: {value!r}")
        value = parsed
    return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
