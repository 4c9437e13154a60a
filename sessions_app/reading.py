"""How far each person has read a conversation, and where what is new to them begins. Nobody else is shown it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Min, OuterRef, Q, Subquery
from django.db.models.functions import Now

from sessions_app.models import Message, ReadMark, VideoSession

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from workspaces_app.models import User


@dataclass(frozen=True, slots=True)
class Unread:
    """Messages that a person has not seen: the position of the first, and how many there are."""

    first: int
    count: int

    @property
    def key(self) -> str:
        """The position for an id or an address: a number would be formatted for the reader's language."""
        return str(self.first)


def mark_of(user: User | AnonymousUser) -> Subquery:
    """How far the person has read, as an annotation of sessions; None where they never opened it."""
    return Subquery(
        ReadMark.objects.filter(user_id=user.pk or -1, session=OuterRef("pk")).values("position")[:1]
    )


def unread(session: VideoSession, user: User, newest: Sequence[Message]) -> Unread | None:
    """What came since this person last read; None when nothing did, or when they never opened the session before.

    What they said themselves is not news to them. The session is theirs as `access` gives it. `newest` are the messages
    that the page begins with, their presses at hand; one query where the mark lies before them.
    """
    mark = session.read_to
    if mark is None or mark >= session.message_count - 1:
        return None
    if newest and newest[0].position <= mark + 1:
        news = [
            message
            for message in newest
            if message.position > mark and (message.command is None or message.command.by_id != user.pk)
        ]
        return Unread(news[0].position, len(news)) if news else None
    newer = session.messages.filter(position__gt=mark).filter(
        Q(command=None) | ~Q(command__by=user) | Q(command__by=None)
    )
    found = newer.aggregate(first=Min("position"), count=Count("id"))
    return Unread(found["first"], found["count"]) if found["count"] else None


def mark_read(session: VideoSession, user: User, position: int) -> None:
    """Remembers that the person has seen everything up to `position`. A mark never goes back."""
    position = min(position, session.message_count - 1)
    if position < 0:
        return
    mark = ReadMark(session=session, user=user, position=position)
    ReadMark.objects.bulk_create([mark], ignore_conflicts=True)
    ReadMark.objects.filter(session=session, user=user, position__lt=position).update(
        position=position, at=Now()
    )
