"""Under which names a browser keeps notes on storyboards that were not sent yet (`data-draft`, static/js/draft.js).

A storyboard is named by the message that it begins with: its last one may be followed by another that belongs to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from sessions_app.models import VideoSession
from sessions_app.storyboard import Revision


def board(session: VideoSession, begins: int) -> str:
    """Under which name the browser keeps the note on all of the storyboard that begins there."""
    return f"board:{session.pk}:{begins}"


def message(session: VideoSession, begins: object, text: str = "") -> str:
    """Under which name it keeps what becomes of the message `text` that notes were put together to; without one, of any."""
    its = f":{sha256(text.encode()).hexdigest()[:16]}" if text else ""
    return f"message:{session.pk}:{begins}{its}"


def of_storyboard(session: VideoSession, found: Sequence[Revision], begins: int | None) -> list[str]:
    """Everything that it keeps of notes on the storyboard that begins there."""
    return [
        name
        for revision in found
        if revision.begins == begins
        for name in (
            *(f"picture:{resource.pk}" for resource in revision.resources),
            board(session, begins),
            message(session, begins),
        )
    ]


def left_behind(session: VideoSession, found: Sequence[Revision]) -> list[tuple[str, int, int | None]]:
    """Where notes may have been written that the newest storyboard has no place for: (name of the draft, number of the
    storyboard, place of the picture), without a place for the note on all of it. Newest first."""
    *earlier, newest = found
    known = {resource.pk for resource in newest.resources}
    left: list[tuple[str, int, int | None]] = []
    for revision in reversed(earlier):
        for place, resource in enumerate(revision.resources, start=1):
            if resource.pk not in known:
                left.append((f"picture:{resource.pk}", revision.number, place))
        known.update(resource.pk for resource in revision.resources)
        left.append((board(session, revision.begins), revision.number, None))
    return left
