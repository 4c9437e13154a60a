"""What a session's page shows of its conversation: messages, gaps, and presses that no poll has shown yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Subquery
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from commands.models import Command, State
from commands.words import why_waiting
from sessions_app import prose, words
from sessions_app.actions import OPENING
from sessions_app.meanwhile import SHOWN_SECONDS
from sessions_app.models import Gap, Message, MessageRevision, VideoSession
from sessions_app.querysets import MessageQuerySet
from sessions_app.tiles import Tile

# As many as HeyGen shows, too. Older ones come on demand.
PAGE = 40
# A message that grew while it was read has a text for each poll; nobody reads more of them than that.
EARLIER_SHOWN = 50
# So long the words of what a person found not to have arrived can be sent again from where they stood.
NOT_ARRIVED_SHOWN_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Entry:
    """One message, ready to be shown. `html` is the agent's markdown; "" for a person's own plain `text`."""

    position: int
    role: str
    type: str
    author: str
    at: datetime | None
    text: str
    html: SafeString | str
    tiles: Sequence[Tile] = ()
    gap_before: bool = False
    vanished: bool = False
    state: str = ""
    revisions: int = 0

    @property
    def key(self) -> str:
        """The position for an id: a number would be formatted for the reader's language."""
        return str(self.position)

    @property
    def has_long_word(self) -> bool:
        return prose.has_long_word(self.text)

    @property
    def is_person(self) -> bool:
        return self.role == "user"


@dataclass(frozen=True, slots=True)
class Press:
    """One of ours that is not among the messages yet: its `text` as it goes out, and as it was `typed`.

    `look` is a status of the design system.
    """

    id: UUID
    kind: str
    text: str
    typed: str
    author: str
    at: datetime
    look: str
    word: str
    explanation: str = ""
    may_repeat: bool = False
    asks_person: bool = False
    files: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """What the agent wants from a person now: its last words, and the choices they end in, if they do."""

    html: SafeString
    choices: Sequence[str] = field(default_factory=tuple)
    position: int = 0

    @property
    def has_long_word(self) -> bool:
        return prose.has_long_word(self.html)

    @property
    def key(self) -> str:
        """The position for a form: a number would be formatted for the reader's language."""
        return str(self.position)


@dataclass(frozen=True, slots=True)
class Earlier:
    """How a message read until `until`, ready to be shown like an `Entry`."""

    text: str
    html: SafeString | str
    until: datetime

    @property
    def has_long_word(self) -> bool:
        return prose.has_long_word(self.text)


def rows(session: VideoSession) -> MessageQuerySet:
    """The session's messages with what `entries` tells of each: who pressed it, `gap_before` it, its `earlier_texts`."""
    gap = Gap.objects.filter(session=session, after_position=OuterRef("position") - 1)
    texts = MessageRevision.objects.filter(message=OuterRef("pk")).order_by().values("message")
    messages = Message.objects.filter(session=session).select_related("command__by")
    return messages.annotate(  # type: ignore[no-redef]  # the model declares it
        gap_before=Exists(gap), earlier_texts=Subquery(texts.values(number=Count("id")))
    )


def entries(messages: Sequence[Message], *, session: VideoSession, tiles: Mapping[str, Tile]) -> list[Entry]:
    """The messages, read by `rows`, as entries in their order; `tiles` by HeyGen's resource id."""
    return [_entry(message, session, tiles) for message in messages]


def earlier(message: Message) -> list[Earlier]:
    """The texts that the message had before, newest first."""
    own = message.role == "user"
    return [
        Earlier(
            text=revision.content,
            html="" if own else prose.rendered(revision.content),
            until=revision.replaced_at,
        )
        for revision in message.revisions.order_by("-id")[:EARLIER_SHOWN]
    ]


def _entry(message: Message, session: VideoSession, tiles: Mapping[str, Tile]) -> Entry:
    own = message.role == "user"
    return Entry(
        position=message.position,
        role="user" if own else "agent",
        type=message.type,
        author=_author(message, session) if own else _("Agent"),
        at=message.remote_created_at or message.first_seen_at,
        text=message.content,
        html="" if own else prose.rendered(message.content),
        tiles=[tiles[resource_id] for resource_id in message.resource_ids if resource_id in tiles],
        gap_before=message.gap_before,
        vanished=message.vanished,
        state="present" if message.command_id else "",
        revisions=message.earlier_texts or 0,
    )


def _author(message: Message, session: VideoSession) -> str:
    if message.command is not None and message.command.by is not None:
        return str(message.command.by)
    if message.position == 0 and session.owner is not None:
        return str(session.owner)
    return _("Somebody at HeyGen")


def presses(commands: Iterable[Command], session: VideoSession, *, now: datetime) -> list[Press]:
    """Those of the session's commands that must be seen below the last message, in the order of pressing."""
    return [press_state(command) for command in commands if _stands_alone(command, session, now)]


def _stands_alone(command: Command, session: VideoSession, now: datetime) -> bool:
    if hasattr(command, "message") or hasattr(command, "repeated_by"):
        return False  # it is in the conversation, or was sent again
    if command.kind == "session.stop" and command.state in (State.ACCEPTED, State.REFUSED):
        # A refusal to stop what has ended says that there was nothing to stop.
        return session.group == "working"
    settled = command.settled_at or command.created_at
    if command.state != State.ACCEPTED:
        return not _did_not_arrive(command) or (now - settled).total_seconds() < NOT_ARRIVED_SHOWN_SECONDS
    if command.kind == "session.create":
        return session.message_count == 0
    return (now - settled).total_seconds() < SHOWN_SECONDS


def _did_not_arrive(command: Command) -> bool:
    return command.state == State.REFUSED and command.settled_by == "person"


def press_state(command: Command) -> Press:
    """A press as it is drawn: its words, and how far it got."""
    payload: Mapping[str, Any] = command.payload
    text = str(payload.get("prompt") or payload.get("message") or "")
    return Press(
        id=command.pk,
        kind=command.kind.partition(".")[2],
        text=text,
        typed=text.removeprefix(OPENING) if payload.get("undecided") else text,
        author=str(command.by) if command.by is not None else _("Somebody"),
        at=command.created_at,
        look=command.state,
        word=_("Did not arrive") if _did_not_arrive(command) else _state_word(State(command.state)),
        explanation=_explanation(command),
        may_repeat=command.state == State.REFUSED or command.asks_person_since is not None,
        asks_person=command.asks_person_since is not None,
        files=len(payload.get("files") or ()),
    )


def _state_word(state: State) -> str:
    return {
        State.QUEUED: _("Queued"),
        State.SENDING: _("Sending"),
        State.ACCEPTED: _("Sent, not in the conversation yet"),
        State.REFUSED: _("Refused"),
        State.UNKNOWN: _("Outcome unknown"),
    }[state]


def _explanation(command: Command) -> str:
    if command.state == State.QUEUED:
        return why_waiting(command.waiting_for)
    if command.state == State.REFUSED:
        return words.refusal(command)
    if command.state != State.UNKNOWN:
        return ""
    if command.asks_person_since is not None:
        return _(
            "HeyGen's answer was lost and we could not find out. Look at HeyGen, then say what happened."
        )
    return _("HeyGen's answer was lost. We are finding out whether it arrived; it is not sent twice.")


def question(
    session: VideoSession, messages: Sequence[Message], *, with_choices: bool = True
) -> Question | None:
    """The agent's last words while it waits for a person; None when it does not, or said nothing.

    Without choices a list at their end stays a list: where several people decide, no single press may.
    """
    if session.group != "needs_you" or session.gone_at is not None:
        return None
    for message in reversed(messages):
        if message.role == "user":
            return None
        if message.content.strip():
            asked, choices = prose.ask(message.content) if with_choices else (message.content, [])
            return Question(html=prose.rendered(asked), choices=choices, position=message.position)
    return None
