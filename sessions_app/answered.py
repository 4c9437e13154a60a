"""Whether somebody has just answered the agent: then nobody should answer a second time before it has reacted.

HeyGen shows a message some time after it took it, and the agent's new status some time after that. It may also never
show it: then people are told, and free to go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from commands.models import Command, State
from sessions_app.meanwhile import SHOWN_SECONDS, WAIT_SECONDS
from sessions_app.models import Message, VideoSession
from sessions_app.sending import SEND_KIND

WAIT = timedelta(seconds=WAIT_SECONDS)
SHOWN = timedelta(seconds=SHOWN_SECONDS)


@dataclass(frozen=True, slots=True)
class Answer:
    """`given`: an answer was, and the agent still seems to wait.

    `goes_on_until`: so long the agent may be about to react to it, None when that is over or nobody can say; with `goes_on`
    it is. `free_at`: when it will be over for an answer that HeyGen took and does not show: then people may answer again.
    `unseen`: such answers, oldest first.
    """

    given: bool
    goes_on: bool
    goes_on_until: datetime | None
    free_at: datetime | None
    unseen: Sequence[Command]


def answer(
    session: VideoSession, presses: Iterable[Command], last: Message | None, *, now: datetime
) -> Answer:
    """`presses` are the session's that no message shows, the oldest first, `last` is the conversation's newest message."""
    word = last if is_answered(session, last) else None
    on_the_way, unseen, waits = False, [], []
    for press in presses:
        if press.kind != SEND_KIND or press.state == State.REFUSED or press.asks_person_since is not None:
            continue
        if press.settled_at is None:
            on_the_way = True
        elif now < press.settled_at + WAIT:
            unseen.append(press)
            waits.append(press.settled_at + WAIT)
        elif now < press.settled_at + SHOWN and (last is None or press.created_at >= last.first_seen_at):
            # Of what was sent before the agent's last words nobody needs to hear.
            unseen.append(press)
    if word is not None and now < word.first_seen_at + WAIT:
        waits.append(word.first_seen_at + WAIT)
    until = max(waits, default=None) if not on_the_way else None
    return Answer(
        given=bool(on_the_way or waits or word),
        goes_on=bool(on_the_way or waits),
        goes_on_until=until,
        free_at=until if word is None else None,
        unseen=unseen,
    )


def is_answered(session: VideoSession, last: Message | None) -> bool:
    """Whether a person had the last word and the agent still seems to wait: HeyGen shows a message before the status changes."""
    return session.group == "needs_you" and last is not None and last.role == "user"
