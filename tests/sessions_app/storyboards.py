"""Sessions whose agent shows storyboards and waits."""

from __future__ import annotations

from typing import Any

from sessions_app.models import Message, VideoSession
from tests.factories import MediaFileFactory, MessageFactory, ResourceFactory, VideoSessionFactory


def reviewing(**fields: Any) -> VideoSession:
    """A session whose agent shows one storyboard of two pictures, "a" and "b", and waits; it is at position 1."""
    session: VideoSession = VideoSessionFactory(
        **{"group": "needs_you", "status": "reviewing", "message_count": 1, **fields}
    )
    MessageFactory(session=session, position=0, role="user", content="A film")
    shows(session, "a", "b", text="Look:")
    return session


def shows(session: VideoSession, *names: str, text: str = "Look again:") -> Message:
    """The agent's next message, with these pictures; one whose name was there before is shown again."""
    message: Message = MessageFactory(
        session=session, position=session.messages.count(), content=text, resource_ids=list(names)
    )
    known = set(session.resources.values_list("resource_id", flat=True))
    for place, name in enumerate(names):
        if name not in known:
            resource = ResourceFactory(
                session=session, resource_id=name, message_position=message.position, place=place
            )
            MediaFileFactory(resource=resource, role="main")
    session.message_count = message.position + 1
    session.save(update_fields=["message_count"])
    return message


def says(session: VideoSession, text: str = "Brighter, please") -> Message:
    """What a person said next, as a poll brought it."""
    message: Message = MessageFactory(
        session=session, position=session.messages.count(), role="user", content=text
    )
    return message
