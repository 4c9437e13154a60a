"""Adds many new rows with as little work for each as the databases allow.

`bulk_create` makes an instance of each row and asks its fields, value by value, what the database wants to have: a third
of what the mirror did for a changed session. Here most values are handed on as they are, and of times and ids each
different one is prepared once. SQLite gets one prepared statement for all rows, PostgreSQL a stream of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models, transaction

# Both databases take Python's own values for these.
_AS_THEY_ARE = (models.BooleanField, models.CharField, models.IntegerField, models.TextField)
# The same few values again and again: now, a session, a workspace.
_FEW = (models.DateTimeField, models.UUIDField)


def append(model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds all of `rows`, or raises IntegrityError. They all name the same columns as attributes ("session_id").

    Like `bulk_create` without signals, and without the defaults of the model: what is left out is the database's to fill,
    as the primary key is.
    """
    if not rows:
        return
    by_attribute: dict[str, Any] = {field.attname: field for field in model._meta.local_concrete_fields}
    fields = [by_attribute[name] for name in rows[0]]
    columns = [_prepared(field, [row[field.attname] for row in rows]) for field in fields]
    quoted = connection.ops.quote_name
    into = f"{quoted(model._meta.db_table)} ({', '.join(quoted(field.column) for field in fields)})"
    cursor: Any
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Past Django's cursor, but not past its errors.
            with connection.wrap_database_errors, cursor.copy(f"COPY {into} FROM STDIN") as copy:
                for row in zip(*columns, strict=True):
                    copy.write_row(row)
        else:
            places = ", ".join(["%s"] * len(fields))
            # Names of the model's own, no values.
            cursor.executemany(f"INSERT INTO {into} VALUES ({places})", zip(*columns, strict=True))  # noqa: S608


def _prepared(field: Any, values: list[Any]) -> list[Any]:
    """A column as the database wants to have it."""
    kept_in = field
    while kept_in.is_relation:
        kept_in = kept_in.target_field
    if isinstance(kept_in, _AS_THEY_ARE):
        return values
    if isinstance(kept_in, _FEW):
        known = {value: field.get_db_prep_save(value, connection) for value in set(values)}
        return [known[value] for value in values]
    return [field.get_db_prep_save(value, connection) for value in values]
