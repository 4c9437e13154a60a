"""All that the board and the metrics show, gathered at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ops import mirror, work
from polling import clock, connection, health
from polling.health import Problem
from workspaces_app.models import User

# More than this used, and copies will soon find no room.
DISK_FULL_PERCENT = 90


@dataclass(frozen=True, slots=True)
class Trouble:
    """One line of the headline: `tone` is "error" where a person must act, else "warning"."""

    tone: str
    text: str | Promise
    about: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Board:
    as_of: datetime
    redis: bool
    problems: Sequence[Problem]
    mirror: mirror.Mirror
    work: work.Work

    @property
    def troubles(self) -> list[Trouble]:
        """What is wrong, the one to act on first; empty when all is well."""
        names = {key.fingerprint: ", ".join(key.workspaces) for key in self.mirror.keys}
        found = [
            Trouble(
                "warning" if problem.code in ("rate_limited", "used_up", "budget_exhausted") else "error",
                problem.text,
                names.get(problem.fingerprint, ""),
                problem.since,
            )
            for problem in self.problems
        ]
        if self.work.asking:
            found.append(Trouble("warning", _("Presses of unknown outcome wait for a person to find out.")))
        if (self.work.files.disk_used_percent or 0) >= DISK_FULL_PERCENT:
            found.append(Trouble("error", _("The disk with the copied files is almost full.")))
        return sorted(found, key=lambda trouble: trouble.tone != "error")

    @property
    def tone(self) -> str:
        """ "done" when all is well, "needs_you" for warnings, "failed" where a person must act: as statuses look."""
        tones = {trouble.tone for trouble in self.troubles}
        return "failed" if "error" in tones else "needs_you" if tones else "done"


def look(user: User | None = None) -> Board:
    """The board as of now, with links that `user` may follow. The number of queries depends on no number of rows."""
    now = clock.now()
    state = mirror.look(now)
    return Board(
        as_of=now,
        redis=connection.answers(),
        problems=health.problems(key.fingerprint for key in state.keys if key.workspaces),
        mirror=state,
        work=work.look(user, now),
    )
