"""Places in the engine at which a process can be frozen, exactly there and not a moment earlier or later.

    stop = stops.ask(dailies, "write", session.pk)     # the next thread that is about to write a change of it waits there,
    stop.freeze("worker")                              # all of its process freeze,
    dailies.signal("worker", signal.SIGCONT)           # and go on from there.

A file says so, in the folder of the processes' logs; the thread that renames it is there. At "drain" it waits for as long
as the file is, and its process looks alive.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from django.db import transaction

from commands import delivery
from commands.models import Command, State
from polling import drains, keys
from polling.kinds import Changed
from polling.writing import Read, Writer
from tests.installation import Installation
from tests.processes import wait_until

_ASKED, _HERE = ".stop", ".here"


@dataclass(frozen=True, slots=True)
class Stop:
    """A place at which the next thread that comes there waits."""

    dailies: Installation
    file: Path

    def freeze(self, name: str, *, seconds: float = 20) -> None:
        """As soon as a thread of the process `name` has come there; nobody else may be on its way to it."""
        here = self.file.with_suffix(_HERE)
        wait_until(here.exists, seconds=seconds, what=f"{name} comes to {self.file.stem}")
        freeze(self.dailies, name)
        here.unlink()

    def lift(self) -> None:
        self.file.unlink(missing_ok=True)


def freeze(dailies: Installation, name: str) -> None:
    """At a moment at which none of its threads has SQLite's only writer: nobody else could write any more."""
    with transaction.atomic():
        dailies.signal(name, signal.SIGSTOP)


def ask(dailies: Installation, place: str, subject: object) -> Stop:
    """Stops the next thread that comes to `place` with `subject`: an object, a command, the fingerprint of a key, a lane."""
    file = dailies.folder / f"{place}{_ASKED}"
    fresh = file.with_suffix(".new")
    fresh.write_text(str(subject), encoding="ascii")
    fresh.replace(file)
    return Stop(dailies, file)


# --- in the processes


def install(folder: Path) -> None:
    """From here on threads of this process wait where they are asked to."""

    def at(owner: Any, name: str, place: str, subjects: Callable[..., Iterable[object]]) -> None:
        work = getattr(owner, name)
        file = folder / f"{place}{_ASKED}"

        @wraps(work)
        def come_by(*args: Any, **options: Any) -> Any:
            if _is_asked(file, subjects(*args, **options)):
                _wait_at(file)
            return work(*args, **options)

        setattr(owner, name, come_by)

    # An answer is here, and is about to be written.
    at(Writer, "write", "write", _changed)
    at(delivery, "_until_written", "answer", lambda command, outcome: [command.pk])
    # A lease looked as if it had run out.
    at(delivery, "_sweep", "sweep", _being_sent)
    # A key was refused, or is to rest.
    at(keys, "close", "close", lambda fingerprint, **_: [fingerprint])

    run = drains.Drain.run

    @wraps(run)
    def hang(drain: drains.Drain) -> int:
        while _is_asked(folder / f"drain{_ASKED}", [drain.lane]):
            time.sleep(0.1)
        return run(drain)

    drains.Drain.run = hang  # type: ignore[method-assign]


def _changed(_writer: Writer, reads: Iterable[Read]) -> list[object]:
    return [read.claim.object_id for read in reads if isinstance(read.reading, Changed)]


def _being_sent(command: Command) -> list[object]:
    return [command.pk] if command.state == State.SENDING else []


def _is_asked(file: Path, subjects: Iterable[object]) -> bool:
    try:
        return file.read_text(encoding="ascii") in {str(subject) for subject in subjects}
    except FileNotFoundError:
        return False


def _wait_at(file: Path) -> None:
    here = file.with_suffix(_HERE)
    try:
        file.rename(here)
    except FileNotFoundError:
        return  # another one was faster
    while here.exists():
        time.sleep(0.02)
