"""Approving a storyboard: it belongs to one revision, may need several people, and reaches HeyGen once.

Until the last one that is needed was given, whoever approved can take theirs back.

Everybody who approves stands in line for the session's row, so two who press at once are counted one after the other and
exactly one of them finds that theirs was the last that was needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from commands import ledger
from commands.models import Command
from commands.querysets import CommandQuerySet
from sessions_app import access, meanwhile, storyboard
from sessions_app.actions import touched
from sessions_app.models import Approval, Message, VideoSession
from sessions_app.sending import SEND_KIND
from timeline.events import NewEvent, record
from timeline.models import Source
from workspaces_app import audit
from workspaces_app.approval_rule import ApprovalRule
from workspaces_app.models import User, Workspace

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# To the agent, in the language that it is sure to understand. In the older dialect the flag says the same.
APPROVAL = "Approved. Please go ahead and make the video."


class NotApproved(Exception):
    """Why an approval was not taken; `sentence` says it to the person. Nothing was sent."""

    sentence: ClassVar[_StrPromise]


class AlreadyApproved(NotApproved):
    """This storyboard's approval was sent before; a second one could start a second rendering."""

    sentence = _("Somebody approved this storyboard already; nothing was sent.")


class ApprovedBefore(NotApproved):
    """The person approved this storyboard before, and it is others that are waited for."""

    sentence = _("You approved this storyboard already; others have to approve, too. Nothing was sent.")


class WentOut(NotApproved):
    """It cannot be taken back: the approval was sent, or is about to be."""

    sentence = _("The approval went out to HeyGen already, so it cannot be taken back any more.")


class StaleRevision(NotApproved):
    """The storyboard that the person looked at is not the newest any more."""

    sentence = _("There is a newer storyboard than the one you approved. Look at it first; nothing was sent.")


class Answered(NotApproved):
    """Somebody answered this storyboard in other words, and the agent has not reacted yet."""

    sentence = _(
        "Somebody has just answered this storyboard. What the agent makes of that comes first; nothing was approved."
    )


class NotWaiting(NotApproved):
    """The session waits for no verdict: it was approved at HeyGen, goes on by itself, was stopped or has ended."""

    sentence = _("This storyboard does not wait for a verdict any more; nothing was sent.")


class AuthorMayNot(NotApproved):
    """The person started the session, and in this workspace somebody else has to approve."""

    sentence = _("You started this session, and in this workspace somebody else has to approve.")


class StillMissing(NotApproved):
    """Some of the approvals count no longer: who gave them left, or the workspace asks for more now."""

    sentence = _("More people have to approve this storyboard first; nothing was sent.")


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the approval of a revision is. `given` are those that count, in their order; `author_id` is whoever started
    the session, where theirs would not count. `went_out`: it was sent, or may have been, and is not sent a second time."""

    needed: int
    given: Sequence[Approval]
    author_id: int | None = None
    went_out: bool = False

    @property
    def missing(self) -> int:
        return max(0, self.needed - len(self.given))

    @property
    def not_for(self) -> str:
        """Whom the button is not for: who pressed it while others still have to, and an author who may not.

        Their ids as own.js reads them, "3 17".
        """
        done = [each.by_id for each in self.given] if self.missing else []
        return " ".join(str(each) for each in (*done, self.author_id) if each is not None)


def standing(session: VideoSession, position: int, *, any_given: bool = True) -> Standing:
    """How far the approval of the revision at that message is; the session's workspace is at hand.

    Two queries, and none where it is known that the session has no approvals.
    """
    rule = ApprovalRule.of(session.workspace)
    given = list(Approval.objects.that_count(session, rule).filter(position=position)) if any_given else []
    return Standing(
        rule.needed,
        given,
        None if rule.author_counts else session.owner_id,
        went_out=any_given and _sent(session, position).exists(),
    )


def waiting_for_others(sessions: Iterable[VideoSession], user: User) -> set[UUID]:
    """Of these sessions, those whose newest storyboard the person approved and others still have to.

    One query, and none where no workspace asks for several approvals. The sessions' workspaces are at hand.
    """
    several = {each.pk: each for each in sessions if ApprovalRule.of(each.workspace).needed > 1}
    if not several:
        return set()
    given = Approval.objects.of_the_last_message(several).values_list(
        "session_id", "by_id", "by__memberships__role"
    )
    counted: dict[UUID, set[int]] = {}
    for session_id, by_id, role in given:
        session = several[session_id]
        rule = ApprovalRule.of(session.workspace)
        if role in rule.roles and (rule.author_counts or by_id != session.owner_id):
            counted.setdefault(session_id, set()).add(by_id)
    return {
        pk
        for pk, people in counted.items()
        if user.pk in people and len(people) < ApprovalRule.of(several[pk].workspace).needed
    }


def approve(
    session: VideoSession, *, revision: int, token: str, by: User, request: HttpRequest | None = None
) -> Standing:
    """One person's approval of the revision at that message; the last one that is needed is sent to HeyGen.

    The same press twice is one approval. Whether the person's role is enough is for the view to have asked.
    Raises StaleRevision, AlreadyApproved, ApprovedBefore, Answered, NotWaiting, AuthorMayNot, commands.ledger.TokenTaken.
    """
    with transaction.atomic():
        _stand_in_line(session)
        if _was_sent(session, revision, token):
            return standing(session, revision)
        mine, now = _counted(session, revision, by, request, token=token)
        if now.missing and mine.token != token:
            raise ApprovedBefore
        if now.missing:
            touched(session)
        else:
            _send(session, revision, token, by)
    return now


def take_back(
    session: VideoSession, *, revision: int, by: User, request: HttpRequest | None = None
) -> Standing:
    """The person's approval of the revision at that message counts no longer; one that is not there changes nothing.

    Whether the person's role is enough is for the view to have asked. Raises StaleRevision, WentOut.
    """
    with transaction.atomic():
        _stand_in_line(session)
        if _sent(session, revision).exists():
            raise WentOut
        _require_newest(session, revision)
        if not Approval.objects.filter(session=session, position=revision, by=by).delete()[0]:
            return standing(session, revision)
        now = standing(session, revision)
        _note("storyboard.taken_back", "session.approval_back", session, revision, now, by, request)
        touched(session)
    return now


def send_again(
    session: VideoSession, command: Command, *, by: User, request: HttpRequest | None = None
) -> None:
    """Sends an approval once more that HeyGen refused, or that nobody knows the end of. Who presses that approves, too.

    Raises StaleRevision, AlreadyApproved, Answered, NotWaiting, AuthorMayNot, StillMissing, commands.ledger.NotRepeatable.
    """
    revision = command.payload["revision"]
    with transaction.atomic():
        _stand_in_line(session)
        others = _sent(session, revision).exclude(pk=command.pk)
        if others.exclude(repeats=command).exists():
            raise AlreadyApproved
        _require_waiting(session)
        if not others.exists() and _counted(session, revision, by, request)[1].missing:
            raise StillMissing
        ledger.send_again(command, by)


def _stand_in_line(session: VideoSession) -> None:
    """From here to the end of the transaction nobody else answers this session. Its state and workspace are read anew."""
    now = VideoSession.objects.select_for_update().get(pk=session.pk)
    session.status, session.group = now.status, now.group
    session.workspace = Workspace.objects.get(pk=session.workspace_id)


def _counted(
    session: VideoSession, revision: int, by: User, request: HttpRequest | None, *, token: str = ""
) -> tuple[Approval, Standing]:
    """The person's approval, kept now or before, and how far it is with it."""
    _require_newest(session, revision)
    _require_unanswered(session, revision)
    _require_waiting(session)
    if not ApprovalRule.of(session.workspace).author_counts and session.owner_id == by.pk:
        raise AuthorMayNot
    mine, is_new = Approval.objects.get_or_create(
        session=session, position=revision, by=by, defaults={"token": token}
    )
    now = standing(session, revision)
    if is_new:
        _note("storyboard.approved", "session.approval", session, revision, now, by, request)
    return mine, now


def _sent(session: VideoSession, revision: int) -> CommandQuerySet:
    """Presses that brought this revision's approval to HeyGen, or may have, or will."""
    return Command.objects.filter(kind=SEND_KIND, object_id=session.pk, payload__revision=revision).exclude(
        state="refused"
    )


def _was_sent(session: VideoSession, revision: int, token: str) -> bool:
    """Whether this very press sent the approval before. Raises AlreadyApproved when another one did."""
    tokens = set(_sent(session, revision).values_list("token", flat=True))
    if tokens - {token}:
        raise AlreadyApproved
    return bool(tokens)


def _require_waiting(session: VideoSession) -> None:
    """Raises NotWaiting: to an agent that has gone on, an approval is a wish for another film."""
    if not access.is_reviewing(session):
        raise NotWaiting


def _require_newest(session: VideoSession, revision: int) -> None:
    """Raises StaleRevision."""
    current = storyboard.newest(session)
    if current is None or current.position != revision:
        raise StaleRevision


def _require_unanswered(session: VideoSession, revision: int) -> None:
    """Raises Answered: what the agent makes of the other answer is another storyboard, which nobody has seen."""
    last = Message.objects.filter(session=session).order_by("-position").first()
    if last is not None and last.role == "user" and last.position > revision:
        raise Answered
    shown = Message.objects.filter(session=session, position=revision).first()
    if shown is None:
        return
    answers = meanwhile.under_way().filter(object_id=session.pk, created_at__gte=shown.first_seen_at)
    if answers.exclude(payload__has_key="revision").exists():
        raise Answered


def _send(session: VideoSession, revision: int, token: str, by: User) -> None:
    payload = {"message": APPROVAL, "files": [], "revision": revision}
    if session.dialect == "sessions":
        payload["auto_proceed"] = True
    _command, pressed = ledger.record(
        SEND_KIND,
        object_id=session.pk,
        workspace_id=session.workspace_id,
        payload=payload,
        token=token,
        by=by,
    )
    if pressed:
        touched(session)


def _note(
    action: str,
    event: str,
    session: VideoSession,
    revision: int,
    now: Standing,
    by: User,
    request: HttpRequest | None,
) -> None:
    """For the audit and for the session's timeline."""
    data = {"revision": revision, "given": len(now.given), "needed": now.needed}
    audit.record(
        action,
        actor=by,
        workspace_id=session.workspace_id,
        about=session,
        data=data,
        request=request,
    )
    record(
        [
            NewEvent(
                session.workspace_id,
                "session",
                session.pk,
                event,
                Source.PERSON,
                data,
                actor_id=by.pk,
            )
        ]
    )
