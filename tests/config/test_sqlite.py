"""Our way to wait for SQLite's one writer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite]


@contextmanager
def busy_writer(seconds: float) -> Iterator[None]:
    """Another connection that holds the place of the writer for so long."""
    begun = threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                begun.set()
                time.sleep(seconds)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert begun.wait(10)
        yield
    finally:
        thread.join()


def patience() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        found: int = cursor.fetchone()[0]
        return found


def test_a_busy_writer_is_asked_again_and_again() -> None:
    asked = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with busy_writer(0.5), connection.execute_wrapper(note), transaction.atomic():
        assert connection.in_atomic_block

    # SQLite alone would be asked once, and itself ask every 100 ms in the end.
    assert asked.count("BEGIN IMMEDIATE") > 5
    assert patience() == 20_000


def test_patience_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.2)
    with busy_writer(1):
        begun = time.monotonic()
        with pytest.raises(OperationalError, match="locked"), transaction.atomic():
            pass
        assert time.monotonic() - begun >= 0.2
    assert patience() == 200
    with transaction.atomic():
        assert connection.in_atomic_block
