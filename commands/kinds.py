"""What an app tells the ledger about each kind of command: how to send one, and what follows from how it ended.

An app registers its kinds in `AppConfig.ready()`. The functions run in the commands worker:

    send      network     once per attempt, with the row committed as `sending`; no transaction is open
    settle    network     reads only, for one of unknown outcome; no transaction is open
    ceiling   database    before sending: a reason to wait, or None
    accepted  database    in the transaction that records the end; may run again, so it must be idempotent
    refused   database    the same
    changed   database    in the transaction of every change that a page shows; bumps the object's version, announces
    repeated  database    in the transaction of "send again": lets the app's rows point at the new command
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from commands.models import Command


@dataclass(frozen=True, slots=True)
class Accepted:
    """HeyGen took it. `remote_ref` is the id it gave, if any; `answer` what it said (JSON)."""

    remote_ref: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """HeyGen did not take it, and would not if asked again. `param` is the field that it named."""

    status: int | None
    code: str
    message: str
    param: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing was taken (429, gate closed, no connection made): send again after `retry_after` seconds.

    None leaves the pause to the ledger. `reason` is a short code for `Command.waiting_for`.
    """

    retry_after: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have been taken or not: timeout, cut connection, 5xx. `message` says which, in HeyGen's words or ours."""

    message: str


Outcome = Accepted | Refused | Later | Unclear


@dataclass(frozen=True, slots=True)
class NotYet:
    """The remote side does not show it; it still may."""


@dataclass(frozen=True, slots=True)
class AskPerson:
    """The remote side will not tell: only a person can decide. `reason` is a short code for `Command.error`."""

    reason: str


Settlement = Accepted | Refused | NotYet | AskPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandKind:
    """One kind of command; `name` is the object's kind, a dot and a verb ("session.send")."""

    name: str
    send: Callable[[Command], Outcome]
    accepted: Callable[[Command, Accepted], None]
    refused: Callable[[Command, Refused], None]
    # None: nothing on the remote side can tell, a person is asked at once.
    settle: Callable[[Command], Settlement] | None = None
    # Sending twice does what sending once does (stop, cancel): an unclear one goes back to `queued`.
    repeatable: bool = False
    # One at a time per object, in the order of pressing (send, append).
    ordered: bool = False
    # Seconds for which an ordered one of unknown outcome holds back the later ones of its object. Long enough for a
    # chat message to show up, so that an answer does not overtake its question; 0 for spoken text, which goes on.
    hold_after_unknown: float = 0.0
    # The object is made by this very press, so a second press comes with another object id (create).
    makes_object: bool = False
    # What a successful `settle` looked at, for `Command.settled_by`: "list", "window" …
    proof: str = "read"
    ceiling: Callable[[Command], str | None] | None = None
    changed: Callable[[Command], None] | None = None
    repeated: Callable[[Command, Command], None] | None = None


class UnknownKind(LookupError):
    """No app registered a kind of this name."""


_registered: dict[str, CommandKind] = {}


def register(kind: CommandKind) -> None:
    """Make `kind` known to this process; a second registration of a name replaces the first."""
    _registered[kind.name] = kind


def find(name: str) -> CommandKind | None:
    """The kind of that name, or None where no app of this process knows it."""
    return _registered.get(name)


def named(name: str) -> CommandKind:
    """The kind of that name. Raises UnknownKind."""
    kind = find(name)
    if kind is None:
        raise UnknownKind(name)
    return kind
