"""Finds the storyboard revisions in a conversation.

HeyGen has no scenes and no revision numbers: a revision is what the agent showed between two messages of a person, as
long as something in it was new. Its pictures stand in the order of `resource_ids`; its text is that of the message that
carries them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from polling import clock
from sessions_app.models import Message, Resource, VideoSession

# What a person can look at and judge: pictures, or a draft where there is none; beside pictures it only repeats them. A
# film is the result, a voice or a blueprint no picture: they are listed elsewhere.
PICTURES = ("image", "draft")
# So long after it was announced anything may turn out to be a picture; a description takes a second or two.
UNDESCRIBED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Revision:
    """`number` counts from 1. It `begins` at the first message that carries it, which stays; `position` is that of the last:
    an approval names it. `coming` is how much was announced with it that nobody has described yet, and that may turn out to
    be pictures."""

    number: int
    begins: int
    position: int
    text: str
    resources: tuple[Resource, ...]
    coming: int = 0

    @property
    def is_described(self) -> bool:
        """Whether it is known of any of it that it is a picture: else it may turn out to be a voice, and no storyboard."""
        return any(resource.type for resource in self.resources)


def newest(session: VideoSession) -> Revision | None:
    """The newest storyboard, or None before the first: what an approval has to be about.

    What was announced a moment ago counts before it is described. Else the old storyboard could be approved while HeyGen
    already waits for a verdict on the next.
    """
    messages = Message.objects.filter(session=session).that_make_revisions()
    announced_lately = Q(read_at=None, missing=False, first_seen_at__gt=clock.later(-UNDESCRIBED_SECONDS))
    rows = Resource.objects.filter(session=session).in_order()
    resources = list(rows.annotate(announced_lately=announced_lately))  # type: ignore[no-redef]  # the model declares it
    undescribed = {resource.pk for resource in resources if resource.announced_lately}
    found = revisions(messages, resources, counted=undescribed)
    return found[-1] if found else None


def revisions(
    messages: Iterable[Message], resources: Sequence[Resource], *, counted: AbstractSet[UUID] = frozenset()
) -> list[Revision]:
    """All revisions, oldest first. `messages` oldest first, at least those that carry resources and the users' own.

    `counted` are ids of resources that count as pictures whatever their type. Pure.
    """
    by_remote_id = {resource.resource_id: resource for resource in resources}
    found: list[Revision] = []
    shown: set[str] = set()
    turn: list[Message] = []

    def close() -> None:
        ids = list(dict.fromkeys(resource_id for message in turn for resource_id in message.resource_ids))
        known = [by_remote_id[resource_id] for resource_id in ids if resource_id in by_remote_id]
        pictures = _pictures(known, counted)
        if any(picture.resource_id not in shown for picture in pictures):
            carriers = [message for message in turn if message.resource_ids]
            found.append(
                Revision(
                    number=len(found) + 1,
                    begins=carriers[0].position,
                    position=carriers[-1].position,
                    text="\n\n".join(message.content for message in carriers if message.content),
                    resources=tuple(pictures),
                    coming=sum(not (each.read_at or each.type or each.missing) for each in known),
                )
            )
        shown.update(ids)
        turn.clear()

    for message in messages:
        if message.role == "user":
            close()
            shown.update(message.resource_ids)  # what a person attached is no storyboard
        else:
            turn.append(message)
    close()
    return found


def _pictures(known: Sequence[Resource], counted: AbstractSet[UUID]) -> list[Resource]:
    """What of a turn is judged: its pictures, or its drafts where it has no picture."""
    for kind in PICTURES:
        some = [resource for resource in known if resource.type == kind or resource.pk in counted]
        if some:
            return some
    return []
