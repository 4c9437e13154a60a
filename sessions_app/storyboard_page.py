"""What the page of a session's storyboards shows: one revision closely, what people think of it, and another beside it.

The part that keeps current, like that of the session's page, holds nothing of one person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from sessions_app import (
    access,
    answered,
    approving,
    comparing,
    meanwhile,
    prose,
    storyboard,
    tiles,
    words,
)
from sessions_app.models import MediaFile, Message, Mode, Resource, VideoSession
from sessions_app.session_page import KIND, VARIANTS, Rights, freshness
from sessions_app.storyboard import Revision
from sessions_app.tiles import Tile
from workspaces_app.approval_rule import ApprovalRule

# How the page's stream is told apart from that of the session's page: "approver-storyboard-2-5", of five pictures.
PAGE = "storyboard"


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture in its place. `what`: "" alone; in a comparison as `comparing.Step`, with the `old` one, or "open" while
    nobody can tell: HeyGen gives also a picture that it kept a new id, and a copy to compare is still on its way.

    `number` and `old_number` count from 1; a removed picture has no number.
    """

    what: str
    tile: Tile
    number: int | None
    old: Tile | None = None
    old_number: int | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """One revision to look at, compared with `against` where that is given."""

    number: int
    begins: int
    position: int
    html: SafeString
    shots: Sequence[Shot]
    numbers: Sequence[int]
    is_newest: bool
    against: int | None = None
    diff: Sequence[comparing.Piece] = ()

    @property
    def pictures(self) -> list[Shot]:
        return [shot for shot in self.shots if shot.number is not None]

    @property
    def is_open(self) -> bool:
        """Whether another look may find the comparison to be otherwise."""
        return any(shot.what == "open" for shot in self.shots)

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many pictures of each kind a comparison has, without the kinds that it has none of."""
        found = [shot.what for shot in self.shots]
        kinds = ("changed", "added", "removed", "moved", "same", "open")
        return [(what, found.count(what)) for what in kinds if what in found]


def revisions_of(session: VideoSession) -> list[Revision]:
    """All revisions, oldest first. Two queries."""
    resources = list(Resource.objects.filter(session=session).in_order())
    messages = Message.objects.filter(session=session).that_make_revisions()
    return storyboard.revisions(messages, resources) if resources else []


def board(
    session: VideoSession, found: Sequence[Revision], *, number: int | None, against: int | None = None
) -> Board | None:
    """The revision of that number, or the newest; None where there is none. `against` that makes no sense is left out."""
    by_number = {revision.number: revision for revision in found}
    shown = by_number.get(number or len(found))
    if shown is None:
        return None
    other = by_number.get(against) if against is not None and against != shown.number else None
    files = tiles.files_of(session)
    all_tiles = {
        resource.pk: tiles.tile(resource, files[resource.pk])
        for revision in (shown, other)
        if revision is not None
        for resource in revision.resources
    }
    return Board(
        number=shown.number,
        begins=shown.begins,
        position=shown.position,
        html=prose.rendered(shown.text),
        shots=_shots(shown, other, all_tiles, files),
        numbers=list(by_number),
        is_newest=shown.number == len(found),
        against=other.number if other is not None else None,
        diff=comparing.diff_words(prose.as_read(other.text), prose.as_read(shown.text))
        if other is not None
        else (),
    )


def _shots(
    shown: Revision,
    other: Revision | None,
    all_tiles: Mapping[UUID, Tile],
    files: Mapping[UUID, Sequence[MediaFile]],
) -> list[Shot]:
    new = [all_tiles[resource.pk] for resource in shown.resources]
    if other is None:
        return [Shot("", tile, place) for place, tile in enumerate(new, start=1)]
    old = [all_tiles[resource.pk] for resource in other.resources]
    steps = comparing.compare(
        tiles.prints([tile.id for tile in old], files), tiles.prints([tile.id for tile in new], files)
    )
    is_open = _open_steps(
        steps,
        old_unknown={place for place, tile in enumerate(old) if tiles.awaits_copy(files[tile.id])},
        new_unknown={place for place, tile in enumerate(new) if tiles.awaits_copy(files[tile.id])},
    )
    return [
        Shot(
            what="open" if step in is_open else step.what,
            tile=new[step.new] if step.new is not None else old[step.old or 0],
            number=step.new + 1 if step.new is not None else None,
            old=old[step.old] if step.old is not None else None,
            old_number=step.old + 1 if step.old is not None else None,
        )
        for step in steps
    ]


def _open_steps(
    steps: Sequence[comparing.Step], *, old_unknown: Set[int], new_unknown: Set[int]
) -> Set[comparing.Step]:
    """Those that may turn out otherwise when all copies are here. The sets are places of pictures without a copy.

    Any of the old pictures that seem to be gone may be one of the new ones that nobody has compared.
    """
    unsettled = [step for step in steps if step.what in ("changed", "added", "removed")]
    any_new = any(step.new in new_unknown for step in unsettled)
    return {
        step
        for step in unsettled
        if step.new in new_unknown or step.old in old_unknown or (any_new and step.what == "removed")
    }


def stream_address(session: VideoSession, rights: Rights, shown: Board) -> str:
    variant = f"{rights.variant}-{PAGE}-{shown.number}-{len(shown.pictures)}"
    return f"/stream/{KIND}/{session.pk}/?since={session.version}&variant={variant}"


def verdict(
    session: VideoSession,
    rights: Rights,
    found: Sequence[Revision],
    shown: int,
    *,
    pictures: int | None = None,
) -> dict[str, Any]:
    """What becomes of the storyboard that the page shows, of a session as `for_page` read it: the same for all who may do the
    same.

    `pictures` is how many of it an open page shows: where there are others meanwhile, nobody should judge those few.
    """
    newest = found[-1] if found else None
    revision = next((each for each in found if each.number == shown), None)
    reviewing = access.is_reviewing(session)
    may_give_verdict = rights.may_approve or (
        rights.may_send and ApprovalRule.of(session.workspace).creators_may
    )
    sent = meanwhile.under_way(meanwhile.SHOWN_SECONDS).filter(object_id=session.pk).select_related("by")
    last = session.messages.order_by("position").last()
    takes_messages = session.mode == Mode.CHAT and session.gone_at is None
    return {
        "session": session,
        "status": words.status_of(session),
        "shown": shown,
        "position": revision.position if revision is not None else None,
        "coming": revision.coming if revision is not None else 0,
        "is_partial": revision is not None and pictures not in (None, len(revision.resources)),
        "newest": newest.number if newest is not None else None,
        "is_newest": newest is not None and newest.number == shown,
        "is_reviewing": reviewing,
        "answer": answered.answer(session, sent.order_by("created_at"), last, now=session.looked_at),
        "may_approve": may_give_verdict,
        "may_note": takes_messages and rights.may_send and (may_give_verdict or not reviewing),
        "takes_messages": takes_messages,
        "approval": approving.standing(session, revision.position, any_given=session.has_approvals)
        if revision is not None
        else None,
        "freshness": freshness(session),
    }


def fragments(session_id: UUID, since: int | None, language: str, variant: str) -> str:
    """What keeps a page of storyboards current; `variant` says which one it shows, and how many pictures of it."""
    rights_name, _page, *numbers = variant.split("-")
    session = VideoSession.objects.for_page().filter(pk=session_id).first()
    if session is None or len(numbers) != 2 or not all(re.fullmatch(r"[0-9]{1,6}", text) for text in numbers):
        return ""
    number, pictures = map(int, numbers)
    rights = VARIANTS.get(rights_name, VARIANTS["viewer"])
    context = verdict(session, rights, revisions_of(session), number, pictures=pictures)
    return render_to_string("sessions_app/storyboard_stream.html", context)
