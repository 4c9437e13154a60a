"""Waits for SQLite's one writer by asking every few milliseconds.

SQLite's own patience asks after 1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50 ms and then every 100 ms. The mirror writes in
short transactions with a pause of 5 ms between them, and who asks so rarely misses most of the pauses: the press of a
button then waits for a second and more.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

# SQLite asks after 1, 3 and 8 ms; then it is told to try anew.
ROUND_MILLISECONDS = 8
# What sqlite3 waits when the settings don't say.
USUAL_SECONDS = 5.0


class DatabaseWrapper(base.DatabaseWrapper):
    def _start_transaction_under_autocommit(self) -> None:
        """Begins a transaction within the settings' `timeout`; nothing has happened yet, so that it can be tried again."""
        options: dict[str, Any] = self.settings_dict["OPTIONS"]
        patience = float(options.get("timeout", USUAL_SECONDS))
        deadline = time.monotonic() + patience
        self._wait_at_most(ROUND_MILLISECONDS)
        try:
            while True:
                try:
                    super()._start_transaction_under_autocommit()  # type: ignore[misc]  # unknown to the stubs
                except OperationalError as exc:
                    if not _busy(exc) or time.monotonic() >= deadline:
                        raise
                else:
                    return
        finally:
            self._wait_at_most(int(1000 * patience))

    def _wait_at_most(self, milliseconds: int) -> None:
        self.connection.execute(f"PRAGMA busy_timeout = {milliseconds}")


def _busy(problem: OperationalError) -> bool:
    return getattr(problem.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
