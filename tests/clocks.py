"""Processes on machines whose clocks are off: to be imported before anything else asks what time it is.

A process's own file holds the seconds that its clock is ahead; whoever writes another number sets the clock while it runs.
It is Python's clock that is off (`time.time`, `datetime.now`, `date.today`). What is not: the monotonic one, as on a real
machine, and the one of SQLite inside the process, which stands for the database's.
"""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import Any

_file: Path | None = None
_time, _time_ns, _datetime, _date = time.time, time.time_ns, datetime.datetime, datetime.date


def own(file: Path) -> None:
    """From here on this process has a clock of its own; without the file it is right."""
    global _file
    _file = file


def _ahead() -> float:
    try:
        return float(_file.read_text(encoding="ascii")) if _file is not None else 0.0
    except FileNotFoundError:
        return 0.0


class _Stands(type):
    """A class that stands for another one: what is an instance of that one is one of its own."""

    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, cls.__mro__[1])

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, cls.__mro__[1])


class Date(_date, metaclass=_Stands):
    __slots__ = ()  # of the same size, as modules in C expect it

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return _date(*args, **kwargs)

    @classmethod
    def today(cls) -> Any:
        return _date.fromtimestamp(time.time())


class DateTime(_datetime, metaclass=_Stands):
    __slots__ = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return _datetime(*args, **kwargs)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return _datetime.fromtimestamp(time.time(), tz)

    @classmethod
    def today(cls) -> Any:
        return _datetime.fromtimestamp(time.time())

    @classmethod
    def utcnow(cls) -> Any:
        return _datetime.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)


time.time = lambda: _time() + _ahead()
time.time_ns = lambda: _time_ns() + int(_ahead() * 1e9)
datetime.datetime, datetime.date = DateTime, Date  # type: ignore[misc]
