"""Finds the storyboard revisions in a conversation. Pure.

HeyGen has no scenes and no revision numbers: a revision is what the agent showed between two messages of a person, as
long as something in it was new. Its pictures stand in the order of `resource_ids`; its text is that of the message that
carries them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sessions_app.models import Message, Resource

# What a person can look at and judge. A film is the result, a voice or a blueprint no picture: they are listed elsewhere.
PICTURES = ("image", "draft")


@dataclass(frozen=True, slots=True)
class Revision:
    """`number` counts from 1; `position` is that of the last message that carries it: an approval names it."""

    number: int
    position: int
    text: str
    resources: tuple[Resource, ...]
    added: frozenset[UUID]


def revisions(messages: Iterable[Message], resources: Sequence[Resource]) -> list[Revision]:
    """All revisions, oldest first. `messages` oldest first, at least those that carry resources and the users' own."""
    by_remote_id = {resource.resource_id: resource for resource in resources}
    found: list[Revision] = []
    shown: set[str] = set()
    turn: list[Message] = []

    def close() -> None:
        ids = list(dict.fromkeys(resource_id for message in turn for resource_id in message.resource_ids))
        pictures = [
            by_remote_id[resource_id]
            for resource_id in ids
            if resource_id in by_remote_id and by_remote_id[resource_id].type in PICTURES
        ]
        new = [picture for picture in pictures if picture.resource_id not in shown]
        if new:
            carriers = [message for message in turn if message.resource_ids]
            found.append(
                Revision(
                    number=len(found) + 1,
                    position=carriers[-1].position,
                    text="\n\n".join(message.content for message in carriers if message.content),
                    resources=tuple(pictures),
                    added=frozenset(picture.pk for picture in new),
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
