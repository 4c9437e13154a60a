"""Whose turn it is on SQLite, which has one writer for everybody: what a person waits for goes before the next polls.

SQLite hands its writer to nobody in particular, and who waits for it asks ever more seldom: the mirror's short pauses are
missed. So the processes that people wait for touch a small file beside the database when they are about to write, and the
mirror, between two transactions, leaves the writer alone for a while if the file was touched since it last looked.

Nothing depends on it: without the file a person waits as long as SQLite lets them. PostgreSQL locks only rows.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# Between two transactions it must be somebody else's turn, also somebody's who does not ask.
PAUSE_SECONDS = 0.005
# SQLite asks for its writer every 25 to 50 ms by then; and a press takes two transactions, a few milliseconds apart.
LEFT_ALONE_SECONDS = 0.05
# People who write all the time must not stop the mirror.
LEFT_ALONE_AT_MOST_SECONDS = 0.5
READS = ("SELECT", "PRAGMA")


def people_first() -> None:
    """From now on whatever this process writes goes before the mirror. Called once, when a process begins."""
    connection_created.connect(_listen, dispatch_uid="polling.turns")


def _listen(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if connection.vendor == "sqlite" and _ask not in connection.execute_wrappers:
        connection.execute_wrappers.append(_ask)


def _ask(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Around each statement: one that needs the writer, and does not have it yet, says so."""
    if not context["connection"].in_atomic_block and not sql.startswith(READS):
        with contextlib.suppress(OSError):
            _file(context["connection"]).touch()
    return execute(sql, params, many, context)


def _file(connection: BaseDatabaseWrapper) -> Path:
    return Path(f"{connection.settings_dict['NAME']}-asked")


class Turns:
    """The mirror's side of it, one for each thread that writes many transactions."""

    def __init__(self) -> None:
        self._asked = self._last_asked()

    def pause(self) -> None:
        """Between two transactions: gives others their turn, and people as long as they need it."""
        if connection.vendor != "sqlite":
            return
        time.sleep(PAUSE_SECONDS)
        until = time.monotonic() + LEFT_ALONE_AT_MOST_SECONDS
        while (asked := self._last_asked()) != self._asked and time.monotonic() < until:
            self._asked = asked
            time.sleep(LEFT_ALONE_SECONDS)

    @staticmethod
    def _last_asked() -> int:
        if connection.vendor != "sqlite":
            return 0
        try:
            return os.stat(_file(connection)).st_mtime_ns
        except OSError:
            return 0
