"""What was said on the wire about an object, handed to the timeline for staff: redacted, compressed, bounded there.

Kept are the answers of polls that brought news (never of unchanged ones) and every call that a press made. The
message window of a session is left out: its raw windows are kept on their own, to be merged again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import heygen
from commands.models import Command
from heygen.decoding import WrongShape, parse
from polling.kinds import Change
from timeline import exchanges

logger = logging.getLogger(__name__)

# Finding the superfluous ones costs more than writing a new one: polls look at every eighth.
TIDY_EVERY = 8
LEFT_OUT = "[kept as raw window]"


def keep_polls(operation: str, news: Iterable[tuple[Change, Mapping[str, Any]]]) -> None:
    """Keeps the raw answers of changed polls; called by a kind's `write`, inside the engine's transaction.

    An object has a few more than the timeline's bound until its next tidying.
    """
    kept, tidy = [], set()
    for change, raw in news:
        claim = change.claim
        answer = {**raw, "messages": LEFT_OUT} if "messages" in raw else raw
        kept.append(
            exchanges.NewExchange(
                claim.workspace_id,
                claim.kind,
                claim.object_id,
                operation,
                request=None,
                answer=answer,
                status=200,
            )
        )
        if claim.sequence % TIDY_EVERY == 0:
            tidy.add(claim.object_id)
    exchanges.keep(kept, tidy=tidy)


@contextmanager
def noted(command: Command) -> Iterator[Callable[[heygen.Exchange], None]]:
    """A listener for the client that sends `command`; what it heard is kept when the block ends, also by an error.

    Keeping it may fail; the outcome of the send is worth more and never depends on it.
    """
    heard: list[heygen.Exchange] = []
    try:
        yield heard.append
    finally:
        try:
            exchanges.keep([_of_command(command, each) for each in heard])
        except Exception:
            logger.exception("what command %s said on the wire is not kept", command.pk)


def _of_command(command: Command, heard: heygen.Exchange) -> exchanges.NewExchange:
    return exchanges.NewExchange(
        workspace_id=command.workspace_id,
        object_kind=command.object_kind,
        object_id=command.object_id,
        operation=f"{heard.call.method} {heard.call.template}",
        request=_parsed(heard.request),
        answer=_parsed(heard.answer),
        status=heard.status,
        milliseconds=round(heard.seconds * 1000),
    )


def _parsed(text: str) -> Any:
    """The JSON value, so that its secrets can be told by their names; else the text."""
    try:
        return parse(text.encode()) if text else None
    except WrongShape:
        return text
