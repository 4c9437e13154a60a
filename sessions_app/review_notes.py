"""Notes on the pictures of a storyboard, put together into the one message that the agent gets. Pure."""

from __future__ import annotations

from collections.abc import Mapping

# To the agent, in the language that it is sure to understand; the notes themselves are as they were written.
OPENING = "Please change the storyboard before you go on."


def compose(notes: Mapping[int, str], *, pictures: int, overall: str = "") -> str:
    """The message. `notes` by the place of their picture, from 1, in a storyboard of `pictures`; "" without any.

    HeyGen has no names for the pictures of a storyboard, so each note says which one of how many it is about.
    """
    written = [
        f"Picture {place} of {pictures}: {text.strip()}"
        for place, text in sorted(notes.items())
        if text.strip()
    ]
    if overall.strip():
        written.append(overall.strip())
    return "\n\n".join([OPENING, *written]) if written else ""
