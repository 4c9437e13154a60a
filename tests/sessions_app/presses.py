"""Presses in any state, as the ledger would have left them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from commands.models import Command
from sessions_app.models import VideoSession


def press_in(
    session: VideoSession, state: str = "queued", kind: str = "session.send", **fields: Any
) -> Command:
    """A press in any state, with what the table asks of that state."""
    now = timezone.now()
    given: dict[str, Any] = {
        "payload": {"message": "Make it blue"},
        "token": f"token-{Command.objects.count()}",
        "due_at": now,
    }
    if state != "queued":
        given |= {"attempt_at": now, "attempts": 1}
    if state == "sending":
        given |= {"lease_until": now, "lease_token": "01890000-0000-7000-8000-000000000000"}
    if state == "unknown":
        given |= {"unknown_at": now}
    if state in ("accepted", "refused"):
        given |= {"settled_at": now, "settled_by": "answer", "applied_at": now, "due_at": None}
    return Command.objects.create(
        kind=kind,
        object_id=session.pk,
        workspace_id=session.workspace_id,
        state=state,
        **(given | fields),
    )
