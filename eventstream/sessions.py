"""Streams end with the session they were opened in. Called by whatever ends sessions, from any thread."""

from __future__ import annotations

from eventstream.hub import hub


def ended(session_key: str) -> None:
    """A session was ended: its streams are asked for their rights now instead of within 20 seconds."""
    hub.ask_again(lambda ticket: ticket.session_key == session_key)


def ended_for(user_id: int) -> None:
    """The sessions of a user were ended, or their rights changed: the same for all of the user's streams."""
    hub.ask_again(lambda ticket: ticket.user_id == user_id)
