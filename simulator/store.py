"""What survives a restart: one SQLite file of JSON documents, written through at each change.

WAL with `synchronous=NORMAL`: a killed process loses nothing that was written; a power cut may lose the newest rows.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Document = dict[str, Any]


class Store:
    """Documents by kind and id, in the order in which they were first written."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA busy_timeout=5000")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS document ("
            " position INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,"
            " UNIQUE (kind, id))"
        )

    def put(self, kind: str, identifier: str, body: Document) -> None:
        self._connection.execute(
            "INSERT INTO document (kind, id, body) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
            (kind, identifier, json.dumps(body, separators=(",", ":"))),
        )

    def put_many(self, rows: list[tuple[str, str, Document]]) -> None:
        """All of them or none."""
        with self.together():
            for kind, identifier, body in rows:
                self.put(kind, identifier, body)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """One transaction for everything written inside; may be nested."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def remove(self, kind: str, identifier: str) -> None:
        self._connection.execute("DELETE FROM document WHERE kind = ? AND id = ?", (kind, identifier))

    def get(self, kind: str, identifier: str) -> Document | None:
        row = self._connection.execute(
            "SELECT body FROM document WHERE kind = ? AND id = ?", (kind, identifier)
        ).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, kind: str) -> list[tuple[str, Document]]:
        rows = self._connection.execute(
            "SELECT id, body FROM document WHERE kind = ? ORDER BY position", (kind,)
        ).fetchall()
        return [(identifier, json.loads(body)) for identifier, body in rows]

    def clear(self) -> None:
        """Forget everything."""
        self._connection.execute("DELETE FROM document")

    def close(self) -> None:
        self._connection.close()
