"""How many sessions and how many things of the library there are by what the lists filter for, without counting rows.

Triggers of the database keep the numbers, in the same transaction as the change and whoever makes it: the mirror, a
person, the admin, a cascade, plain SQL. They only ever append rows of +1 and -1, so that no two transactions wait for
each other, and a number is the sum of its rows; `fold` makes one row of many from time to time. They step aside while
migrations run, and are there again after each `migrate`, with everything counted anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Sum

from sessions_app.models import LibraryTally, Resource, SessionTally, Tally, Video, VideoSession

# Part of the triggers' names: another number after every change of what they do.
VERSION = 1
PREFIX = "sessions_tally"
# Rows beyond one for each number that are not worth folding.
SPARE_ROWS = 200

_OWNER = "(SELECT s.owner_id FROM sessions_app_videosession s WHERE s.id = {row}.session_id)"


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that are counted. `key`: column of the tally -> what stands there, of the row called {row}."""

    name: str
    model: type[models.Model]
    tally: type[Tally]
    key: dict[str, str]
    counts_if: str
    watched: tuple[str, ...]

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    def insert(self, row: str, number: str, *, owner: str = "", rest: str = "") -> str:
        """Adds `number` to the tally that this row counts for, if it counts."""
        values = [
            owner if owner and column == "owner_id" else value.format(row=row)
            for column, value in self.key.items()
        ]
        return (
            f"INSERT INTO {self.tally._meta.db_table} ({', '.join(self.key)}, number) "
            f"SELECT {', '.join(values)}, {number} {rest or 'WHERE'} {self.counts_if.format(row=row)}"
        )


SESSIONS = Source(
    "session",
    VideoSession,
    SessionTally,
    {
        "workspace_id": "{row}.workspace_id",
        "archived": "{row}.archived",
        '"group"': '{row}."group"',
        "owner_id": "{row}.owner_id",
    },
    "TRUE",
    ("workspace_id", "archived", '"group"', "owner_id"),
)
RESOURCES = Source(
    "resource",
    Resource,
    LibraryTally,
    {
        "workspace_id": "{row}.workspace_id",
        "film": "FALSE",
        "type": "{row}.type",
        "source": "{row}.source",
        "owner_id": _OWNER,
    },
    "{row}.read_at IS NOT NULL AND {row}.type <> ''",
    ("workspace_id", "session_id", "type", "source", "read_at"),
)
FILMS = Source(
    "film",
    Video,
    LibraryTally,
    {
        "workspace_id": "{row}.workspace_id",
        "film": "TRUE",
        "type": "''",
        "source": "''",
        "owner_id": _OWNER,
    },
    "{row}.\"group\" = 'done'",
    ("workspace_id", "session_id", '"group"'),
)
SOURCES = (SESSIONS, RESOURCES, FILMS)


@dataclass(frozen=True, slots=True)
class Trigger:
    name: str
    table: str
    event: str
    condition: str
    statements: tuple[str, ...]

    def create(self) -> Iterator[str]:
        body = " ".join(f"{statement};" for statement in self.statements)
        when = f"WHEN ({self.condition})" if self.condition else ""
        if connection.vendor == "postgresql":
            yield (
                f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN {body} RETURN NULL; END $$"
            )
            yield (
                f"CREATE TRIGGER {self.name} AFTER {self.event} ON {self.table} FOR EACH ROW {when} "
                f"EXECUTE FUNCTION {self.name}()"
            )
        else:
            yield f"CREATE TRIGGER {self.name} AFTER {self.event} ON {self.table} FOR EACH ROW {when} BEGIN {body} END"


def _changes(columns: tuple[str, ...]) -> str:
    differs = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    return " OR ".join(f"OLD.{column} {differs} NEW.{column}" for column in columns)


def _triggers() -> Iterator[Trigger]:
    for source in SOURCES:
        name = f"{PREFIX}{VERSION}_{source.name}"
        more, less = source.insert("NEW", "1"), source.insert("OLD", "-1")
        update = f"UPDATE OF {', '.join(source.watched)}"
        yield Trigger(f"{name}_made", source.table, "INSERT", "", (more,))
        yield Trigger(f"{name}_gone", source.table, "DELETE", "", (less,))
        yield Trigger(f"{name}_changed", source.table, update, _changes(source.watched), (less, more))
    # Who made something is who made its session.
    yield Trigger(
        f"{PREFIX}{VERSION}_owner_changed",
        SESSIONS.table,
        "UPDATE OF owner_id",
        _changes(("owner_id",)),
        tuple(
            source.insert(
                "r", number, owner=owner, rest=f"FROM {source.table} r WHERE r.session_id = NEW.id AND"
            )
            for source in (RESOURCES, FILMS)
            for number, owner in (("-1", "OLD.owner_id"), ("1", "NEW.owner_id"))
        ),
    )


def _present() -> set[str]:
    """Our triggers that the database has, of whatever version."""
    sql = (
        "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal AND pg_table_is_visible(c.oid) AND t.tgname LIKE %s"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [f"{PREFIX}%"])
        return {name for (name,) in cursor.fetchall()}


def install(**_: Any) -> bool:
    """Sees to it that the triggers are there; counts anew where one was not. Whether anything had to be done."""
    wanted = list(_triggers())
    if _present() == {trigger.name for trigger in wanted}:
        return False
    if LibraryTally._meta.db_table not in connection.introspection.table_names():
        return False  # migrated only so far, or back
    with transaction.atomic():
        _remove()
        with connection.cursor() as cursor:
            for trigger in wanted:
                for statement in trigger.create():
                    cursor.execute(statement)
        recount()
    return True


def step_aside(plan: Sequence[object] = (), **_: Any) -> None:
    """Takes the triggers away before a migration: neither database changes a table that another one's trigger names."""
    if plan:
        with transaction.atomic():
            _remove()


def _remove() -> None:
    with connection.cursor() as cursor:
        for name in _present():
            cursor.execute(
                f"DROP FUNCTION {name}() CASCADE"
                if connection.vendor == "postgresql"
                else f"DROP TRIGGER {name}"
            )


def recount() -> None:
    """Counts the rows themselves. They cannot change meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            tables = ", ".join(source.table for source in SOURCES)
            cursor.execute(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE")
        for tally in (SessionTally, LibraryTally):
            tally.objects.all().delete()
        for source in SOURCES:
            # Summed here: rows of 1 to be folded would leave a place in the table for each row that was counted.
            key = ", ".join(map(str, range(1, len(source.key) + 1)))
            counted = source.insert("r", "COUNT(*)", rest=f"FROM {source.table} r WHERE")
            cursor.execute(f"{counted} GROUP BY {key}")


def fold() -> None:
    """One row for each number, where there are many."""
    for tally in (SessionTally, LibraryTally):
        numbers = tally.objects.values(*tally.KEY).distinct().count()
        if tally.objects.count() > numbers + SPARE_ROWS:
            _fold(tally)


def _fold(tally: type[Tally]) -> None:
    if connection.vendor == "postgresql":
        table = tally._meta.db_table
        # Their fields are called as their columns.
        columns = ", ".join(f'"{name}"' for name in tally.KEY)
        # One statement: a reader sees all rows of before or the one of after, and what is appended meanwhile stays.
        statement = (
            f"WITH gone AS (DELETE FROM {table} RETURNING {columns}, number) "  # noqa: S608  names of our own
            f"INSERT INTO {table} ({columns}, number) "
            f"SELECT {columns}, SUM(number) FROM gone GROUP BY {columns} HAVING SUM(number) <> 0"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement)
        return
    with transaction.atomic():
        sums = list(tally.objects.values(*tally.KEY).annotate(number=Sum("number")).exclude(number=0))
        tally.objects.all().delete()
        tally.objects.bulk_create(tally(**each) for each in sums)
