"""The event stream of a session feeds two pages: its own, and that of its storyboards."""

from __future__ import annotations

from uuid import UUID

from sessions_app import session_page, storyboard_page


def fragments(session_id: UUID, since: int | None, language: str, variant: str) -> str:
    """What brings the page that `variant` names from version `since` up to date."""
    if f"-{storyboard_page.PAGE}-" in variant:
        return storyboard_page.fragments(session_id, since, language, variant)
    return session_page.fragments(session_id, since, language, variant)
