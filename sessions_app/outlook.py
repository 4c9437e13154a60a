"""What to expect of a session that is not started yet, by what the team's own took from their start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils.translation import gettext as _

from heygen.statuses import Group, session_group
from sessions_app import words
from sessions_app.models import Mode, VideoSession
from sessions_app.usual import SAMPLE, Usual, of, usual
from timeline.models import Event

if TYPE_CHECKING:
    from workspaces_app.models import Workspace

Change = tuple[datetime, str]  # since when, and the raw status


@dataclass(frozen=True, slots=True)
class Outlook:
    """Seconds from the start of a chat until the agent first needs somebody, those of a rendering, and those from the
    start of a `generate` session to its end. None where the team has had too few."""

    first_turn: Usual | None
    rendering: Usual | None
    straight: Usual | None

    @property
    def chat_words(self) -> str:
        turn = _range(
            _("Your turn comes after %(half)s, in nine of ten within %(most)s (%(sample)s sessions)."),
            self.first_turn,
        )
        film = _range(
            _("Rendering takes %(half)s, in nine of ten within %(most)s (%(sample)s)."), self.rendering
        )
        return f"{turn} {film}".strip()

    @property
    def generate_words(self) -> str:
        return _range(
            _("The video comes after %(half)s, in nine of ten within %(most)s (%(sample)s sessions)."),
            self.straight,
        )


def _range(sentence: str, known: Usual | None) -> str:
    if known is None:
        return ""
    return sentence % {
        "half": words.length(known.half),
        "most": words.length(known.most),
        "sample": known.sample,
    }


def outlook(workspace: Workspace) -> Outlook:
    """By the newest sessions that were started here: those found at HeyGen were seen too late to be measured."""
    sessions = list(
        VideoSession.objects.filter(workspace=workspace, owner__isnull=False, archived=False)
        .order_by("-active_at", "-id")
        .values_list("pk", "mode", "created_at")[:SAMPLE]
    )
    changes = _changes([pk for pk, _mode, _started in sessions])

    def measured(mode: Mode, group: Group) -> Usual | None:
        found = [
            seconds_until(group, started, changes.get(pk, ())) for pk, its, started in sessions if its == mode
        ]
        return of([seconds for seconds in found if seconds is not None])

    return Outlook(
        first_turn=measured(Mode.CHAT, "needs_you"),
        rendering=usual(workspace.pk, "generating"),
        straight=measured(Mode.GENERATE, "done"),
    )


def seconds_until(group: Group, started: datetime, changes: Iterable[Change]) -> float | None:
    """From `started` to the first change (oldest first) into the group; None when it failed before or never came."""
    for at, status in changes:
        reached = session_group(status)
        if reached == group:
            return max((at - started).total_seconds(), 0.0)
        if reached == "failed":
            return None
    return None


def _changes(session_ids: Sequence[UUID]) -> Mapping[UUID, list[Change]]:
    found: dict[UUID, list[Change]] = {}
    events = Event.objects.filter(object_kind="session", object_id__in=session_ids, what="session.status")
    for object_id, at, data in events.order_by("at", "id").values_list("object_id", "at", "data"):
        found.setdefault(object_id, []).append((at, str(data.get("to") or "")))
    return found
