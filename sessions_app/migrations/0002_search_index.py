"""The full-text index over `SearchText.text`: GIN on PostgreSQL, an external-content FTS5 table on SQLite."""

from __future__ import annotations

from typing import Any

from django.db import migrations

POSTGRESQL = [
    "CREATE INDEX sessions_app_searchtext_words ON sessions_app_searchtext USING gin (to_tsvector('simple', text))",
]
POSTGRESQL_BACK = ["DROP INDEX sessions_app_searchtext_words"]

# The words were made plain in Python; unicode61 only has to cut them apart.
SQLITE = [
    "CREATE VIRTUAL TABLE sessions_app_searchindex USING fts5("
    "text, content='sessions_app_searchtext', content_rowid='id', tokenize='unicode61 remove_diacritics 0',"
    " prefix='2 3')",
    "CREATE TRIGGER sessions_app_searchtext_added AFTER INSERT ON sessions_app_searchtext BEGIN"
    " INSERT INTO sessions_app_searchindex(rowid, text) VALUES (new.id, new.text); END",
    "CREATE TRIGGER sessions_app_searchtext_removed AFTER DELETE ON sessions_app_searchtext BEGIN"
    " INSERT INTO sessions_app_searchindex(sessions_app_searchindex, rowid, text)"
    " VALUES ('delete', old.id, old.text); END",
    "CREATE TRIGGER sessions_app_searchtext_changed AFTER UPDATE OF text ON sessions_app_searchtext"
    " WHEN old.text IS NOT new.text BEGIN"
    " INSERT INTO sessions_app_searchindex(sessions_app_searchindex, rowid, text)"
    " VALUES ('delete', old.id, old.text);"
    " INSERT INTO sessions_app_searchindex(rowid, text) VALUES (new.id, new.text); END",
    "INSERT INTO sessions_app_searchindex(sessions_app_searchindex) VALUES ('rebuild')",
]
SQLITE_BACK = [
    "DROP TRIGGER sessions_app_searchtext_changed",
    "DROP TRIGGER sessions_app_searchtext_removed",
    "DROP TRIGGER sessions_app_searchtext_added",
    "DROP TABLE sessions_app_searchindex",
]


def forwards(apps: Any, schema_editor: Any) -> None:
    _run(schema_editor, {"postgresql": POSTGRESQL, "sqlite": SQLITE})


def backwards(apps: Any, schema_editor: Any) -> None:
    _run(schema_editor, {"postgresql": POSTGRESQL_BACK, "sqlite": SQLITE_BACK})


def _run(schema_editor: Any, statements: dict[str, list[str]]) -> None:
    with schema_editor.connection.cursor() as cursor:
        for statement in statements[schema_editor.connection.vendor]:
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
