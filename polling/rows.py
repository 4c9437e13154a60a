"""Adds, changes and lets go of many rows with as little work for each as the databases allow.

`bulk_create` makes an instance of each row and asks its fields, value by value, what the database wants to have: a third
of what the mirror did for a changed session. Here most values are handed on as they are, and of times each different
one is prepared once. SQLite gets one prepared statement for all rows, PostgreSQL a stream or arrays of them.

Rows are mappings that all name the same columns, as attributes ("session_id"). There are no signals.
"""

# ruff: noqa: S608 - names of the models' own; every value is a parameter

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction

# Both databases take Python's own values for these.
_AS_THEY_ARE = (models.BooleanField, models.CharField, models.IntegerField, models.TextField)

Rows = Sequence[Mapping[str, Any]]


def append(model: type[models.Model], rows: Rows) -> None:
    """Adds all of `rows`, or raises IntegrityError.

    Without the defaults of the model: what is left out is the database's to fill, as the primary key is.
    """
    if not rows:
        return
    fields = _fields(model, tuple(rows[0]))
    columns = [_values(field, [row[field.attname] for row in rows]) for field in fields]
    into = f"{_quoted(model._meta.db_table)} ({', '.join(_quoted(field.column) for field in fields)})"
    cursor: Any
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Past Django's cursor, but not past its errors.
            with connection.wrap_database_errors, cursor.copy(f"COPY {into} FROM STDIN") as copy:
                for row in zip(*columns, strict=True):
                    copy.write_row(row)
        else:
            places = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {into} VALUES ({places})", zip(*columns, strict=True))


def overwrite(model: type[models.Model], rows: Rows) -> None:
    """Sets the other columns of the rows that `rows` name by their primary key. What is gone stays gone."""
    if not rows:
        return
    fields = sorted(_fields(model, tuple(rows[0])), key=lambda field: bool(field.primary_key))
    columns = [_values(field, [row[field.attname] for row in rows]) for field in fields]
    table = _quoted(model._meta.db_table)
    *names, key = (_quoted(field.column) for field in fields)
    cursor: Any
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            values = ", ".join(f"{name} = new.{name}" for name in names)
            arrays = ", ".join(f"%s::{_type(field)}[]" for field in fields)
            cursor.execute(
                f"UPDATE {table} SET {values} FROM unnest({arrays}) AS new({', '.join(names)}, {key})"
                f" WHERE {table}.{key} = new.{key}",
                columns,
            )
        else:
            values = ", ".join(f"{name} = %s" for name in names)
            cursor.executemany(f"UPDATE {table} SET {values} WHERE {key} = %s", zip(*columns, strict=True))


def keep_newest(
    model: type[models.Model], of: Mapping[str, Collection[Any]], *, most: int, most_bytes: int, size: str
) -> None:
    """Deletes the oldest rows of each object: more than `most`, or than `most_bytes` by the column or expression `size`.

    `of` has the columns that name an object, and their values. The newest row of each always stays. Nothing may refer to
    these rows. The ORM took 2 ms to put together what the database answers in a tenth of that.
    """
    if not all(of.values()):
        return
    fields = _fields(model, tuple(of))
    table, objects = _quoted(model._meta.db_table), ", ".join(_quoted(field.column) for field in fields)
    among = " AND ".join(
        f"{_quoted(field.column)} IN ({', '.join(['%s'] * len(of[field.attname]))})" for field in fields
    )
    values = [value for field in fields for value in _values(field, list(of[field.attname]))]
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE id IN (SELECT id FROM ("
            f"SELECT id, row_number() OVER newest AS place, sum({size}) OVER newest AS total FROM {table} WHERE {among}"
            f" WINDOW newest AS (PARTITION BY {objects} ORDER BY id DESC)"
            ") AS kept WHERE place > %s OR (total > %s AND place > 1))",
            [*values, most, most_bytes],
        )


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _type(field: Any) -> str:
    """A text that is too long for its column must be refused, not cut off."""
    return "text" if isinstance(field, models.CharField) else str(field.db_type(connection))


@lru_cache
def _fields(model: type[models.Model], names: tuple[str, ...]) -> list[Any]:
    by_attribute = {field.attname: field for field in model._meta.local_concrete_fields}
    return [by_attribute[name] for name in names]


def _values(field: Any, values: list[Any]) -> list[Any]:
    """A column as the database wants to have it."""
    # What `connection` stands for, found once: for each value it costs as much as the value.
    its = connections[DEFAULT_DB_ALIAS]
    kept_in = field
    while kept_in.is_relation:
        kept_in = kept_in.target_field
    if isinstance(kept_in, _AS_THEY_ARE):
        return values
    if isinstance(kept_in, models.UUIDField):
        return values if its.features.has_native_uuid_field else [value and value.hex for value in values]
    if isinstance(kept_in, models.DateTimeField):
        # The same few again and again.
        known = {value: field.get_db_prep_save(value, its) for value in set(values)}
        return [known[value] for value in values]
    return [field.get_db_prep_save(value, its) for value in values]
