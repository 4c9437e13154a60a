"""A short list that comes with a row instead of by a query of its own."""

from __future__ import annotations

from typing import Any

from django.db.models import JSONField, Subquery
from django.db.models.sql.compiler import SQLCompiler


class Listed(Subquery):
    """The values of a query of one column as a list, in its order; [] for none. Like ArraySubquery, on both databases."""

    template = "(SELECT COALESCE(jsonb_agg(found.value), '[]') FROM (%(subquery)s) AS found(value))"

    def __init__(self, queryset: Any) -> None:
        super().__init__(queryset, output_field=JSONField())

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        # It has no names for the columns of a subquery, but one for this.
        template = "(WITH found(value) AS (%(subquery)s) SELECT json_group_array(value) FROM found)"
        return self.as_sql(compiler, connection, template=template, **extra)
