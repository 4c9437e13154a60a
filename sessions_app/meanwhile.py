"""What was said to the agent since somebody last looked, by others or by themselves on another page: they see it before
their words go out.

A page carries a mark of what had been said when it was drawn (`mark`); with a message the mark comes back, and
`since` tells what has been said after it. What HeyGen refused was not said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q, Subquery
from django.utils.translation import gettext as _

from commands import tokens
from commands.models import Command, State
from commands.querysets import OPEN_STATES, CommandQuerySet
from polling import clock
from sessions_app import access, storyboard
from sessions_app.models import Message, VideoSession
from sessions_app.sending import SEND_KIND

if TYPE_CHECKING:
    from workspaces_app.models import User

NOBODY = UUID(int=0)
# So long a message that HeyGen took may take to be in the conversation, and the agent to react to one that is: a minute
# (heygen-api.md, 4.7), and a look that comes late. Nobody is told to wait for longer.
WAIT_SECONDS = 120
# So long it stands where everybody sees it, that HeyGen took a message and does not show it.
SHOWN_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest press of a message, and the position of the newest message."""

    press: UUID = NOBODY
    position: int = -1

    def __str__(self) -> str:
        return f"{self.press}.{self.position}"

    @classmethod
    def read(cls, text: str) -> Mark:
        """Raises ValueError."""
        press, dot, position = text.partition(".")
        if not dot:
            raise ValueError(text)
        return cls(UUID(press), int(position))


@dataclass(frozen=True, slots=True)
class Said:
    """One message that is news. `author` is shown as it is."""

    author: str
    text: str
    at: datetime


def mark(session: VideoSession) -> Mark:
    """What had been said when the session was read, by `for_page`: what came after that may not be on the page."""
    return Mark(session.newest_press or NOBODY, session.message_count - 1)


def since(seen: Mark, session: VideoSession, by: User, *, token: str = "") -> list[Said]:
    """What was said to the agent after `seen`, here and at HeyGen, oldest first; without what `by` sent from the page that
    `token` is of."""
    presses = (
        Command.objects.filter(object_id=session.pk, kind=SEND_KIND, pk__gt=seen.press)
        .exclude(state=State.REFUSED)
        .select_related("by")
    )
    if token:
        presses = presses.exclude(by=by, token__startswith=tokens.page_of(token))
    elsewhere = Message.objects.filter(
        session=session, role="user", command=None, position__gt=max(seen.position, 0)
    )
    found = [_pressed(command, reader=by) for command in presses]
    found += [_at_heygen(message) for message in elsewhere]
    return sorted(found, key=lambda said: said.at)


def shown_since(seen: Mark, session: VideoSession) -> list[Said]:
    """The newest storyboard where it came after `seen`: words that were written before it may approve it."""
    if not Message.objects.filter(session=session, position__gt=seen.position).that_make_revisions().exists():
        return []
    newest = storyboard.newest(session)
    if newest is None or newest.position <= seen.position:
        return []
    if not (newest.is_described or access.is_reviewing(session)):
        return []
    carrier = Message.objects.get(session=session, position=newest.position)
    text = _("Storyboard %(number)d. Any message may approve it now.") % {"number": newest.number}
    return [Said(_("Agent"), text, carrier.remote_created_at or carrier.first_seen_at)]


def answers(session: VideoSession, question: int, *, but: Command) -> list[Said]:
    """What anybody said after the message at `question`, whether the conversation shows it already or not; without
    the press `but`. What was said before the question and is not shown counts as long as it may still turn up after it."""
    asked = Message.objects.filter(session=session, position=question).values("first_seen_at")
    shown = Message.objects.filter(session=session, role="user", position__gt=question).select_related(
        "command__by"
    )
    unseen = under_way(SHOWN_SECONDS).filter(object_id=session.pk).exclude(pk=but.pk).select_related("by")
    unseen = unseen.exclude(
        state=State.ACCEPTED,
        settled_at__lt=clock.later(-WAIT_SECONDS),
        created_at__lt=Subquery(asked),
    )
    found = [
        _at_heygen(message) if message.command is None else _pressed(message.command) for message in shown
    ]
    return found + [_pressed(command) for command in unseen]


def under_way(accepted_within: float = WAIT_SECONDS) -> CommandQuerySet:
    """Messages to agents that nobody has seen an answer to: on their way, or taken by HeyGen within so many seconds and
    not in the conversation yet. Without those that a person has to decide about."""
    return Command.objects.filter(kind=SEND_KIND, message=None, asks_person_since=None).filter(
        Q(state__in=OPEN_STATES) | Q(state=State.ACCEPTED, settled_at__gte=clock.later(-accepted_within))
    )


def _pressed(command: Command, *, reader: User | None = None) -> Said:
    if reader is not None and command.by_id == reader.pk:
        author = _("You, on another page")
    else:
        author = str(command.by) if command.by is not None else _("Somebody")
    return Said(author, str(command.payload.get("message") or ""), command.created_at)


def _at_heygen(message: Message) -> Said:
    return Said(_("Somebody at HeyGen"), message.content, message.remote_created_at or message.first_seen_at)
