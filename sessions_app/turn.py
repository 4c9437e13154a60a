"""Whose turn it is, beside the status itself: how far the session has come, how long that usually takes, what helps.

HeyGen names a status and a percentage, no stages: these are read off what is there (a storyboard, a video), nothing is
predicted. What only time changes carries its moment, and the page shows it when that has come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from sessions_app import access, usual, words
from sessions_app.models import Mode, StatusGroup, VideoSession

# Without any sign of life; the same moment from which it is asked less often (polling.cadence).
STUCK = timedelta(minutes=15)
# A rendering shows nothing but its percentage; long films take long.
RENDERING_STUCK = timedelta(minutes=60)

PLANNING, STORYBOARD, RENDERING, DONE = "planning", "storyboard", "rendering", "done"


@dataclass(frozen=True, slots=True)
class Stage:
    """`state`: "past", "here", "failed" (it ended here) or "ahead"."""

    word: str
    state: str


@dataclass(frozen=True, slots=True)
class Turn:
    """`usually` is a sentence or "". `longer_at` and `stuck_at` are when the page says that it takes longer than usual,
    and that it may be stuck; `advice` is what to do then."""

    stages: Sequence[Stage] = ()
    usually: str = ""
    longer_at: datetime | None = None
    stuck_at: datetime | None = None
    advice: str = ""


def turn(session: VideoSession, *, has_storyboard: bool, has_video: bool) -> Turn:
    """The state of a session beside its status. One query while it works."""
    shown = stages(session, has_storyboard=has_storyboard, has_video=has_video)
    if session.group != StatusGroup.WORKING or session.gone_at is not None or not session.status:
        return Turn(shown)
    known = usual.usual(session.workspace_id, session.status)
    may_be_stuck_at = stuck_at(session)
    longer_at = session.status_since + timedelta(seconds=known.most) if known else None
    return Turn(
        stages=shown,
        usually=_usually(known) if known else "",
        # Said once: what may be stuck takes longer than usual anyway.
        longer_at=longer_at if longer_at is not None and longer_at < may_be_stuck_at else None,
        stuck_at=may_be_stuck_at,
        advice=_advice(session),
    )


def stuck_at(session: VideoSession) -> datetime:
    """When a session that works may be stuck, if nothing new comes."""
    if _is_rendering(session):
        return session.status_since + RENDERING_STUCK
    return max(session.status_since, session.active_at) + STUCK


def _is_rendering(session: VideoSession) -> bool:
    return session.status.casefold() == "generating"


def _usually(known: usual.Usual) -> str:
    return _("Usually %(half)s, nine of ten within %(most)s (the last %(sample)s here).") % {
        "half": words.length(known.half),
        "most": words.length(known.most),
        "sample": known.sample,
    }


def _advice(session: VideoSession) -> str:
    if _is_rendering(session):
        return _(
            "It has been rendering for an hour. If the percentage stands still, stop it and make a variant, or ask HeyGen."
        )
    if session.mode == Mode.CHAT:
        return _(
            "Nothing new for a quarter of an hour: the agent may be stuck. Write to it to go on, or stop it and make a variant."
        )
    return _(
        "Nothing new for a quarter of an hour: the agent may be stuck. Wait, or stop it and make a variant."
    )


def stages(session: VideoSession, *, has_storyboard: bool, has_video: bool) -> list[Stage]:
    """The way of a session from prompt to film and where on it this one is; empty where nobody can tell."""
    if session.gone_at is not None or session.group == StatusGroup.UNKNOWN:
        return []
    status = session.status.casefold()
    done = session.group == StatusGroup.DONE
    if done:
        here = DONE
    elif status == "generating" or (session.group == StatusGroup.FAILED and has_video):
        here = RENDERING
    elif status == access.REVIEWING or has_storyboard:
        here = STORYBOARD
    else:
        here = PLANNING
    way = [PLANNING]
    if has_storyboard or (session.mode == Mode.CHAT and here in (PLANNING, STORYBOARD)):
        way.append(STORYBOARD)
    if has_video or not done:
        way.append(RENDERING)
    way.append(DONE)
    place = way.index(here)
    here_is = "failed" if session.group == StatusGroup.FAILED else "past" if done else "here"
    names = {
        PLANNING: _("Planning"),
        STORYBOARD: _("Storyboard"),
        RENDERING: _("Rendering"),
        DONE: _("Done"),
    }
    return [
        Stage(names[one], "past" if index < place else here_is if index == place else "ahead")
        for index, one in enumerate(way)
    ]
