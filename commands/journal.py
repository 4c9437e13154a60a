"""Every change of a command's state, each in one fenced transaction with what follows from it.

"Did I win?" is always one UPDATE that names what must still be true; who loses changes nothing. What follows in the
same transaction: the app's own rows (`accepted`, `refused`), an event on the object's timeline, the app's `changed`,
and after commit a hint for the command that waited behind this one.
"""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from commands import hints, kinds
from commands.kinds import Accepted, Later, Outcome, Refused
from commands.models import Command, State
from polling import clock
from timeline import events
from timeline.models import Source
from timeline.redaction import redact

logger = logging.getLogger(__name__)

# A repeatable one that waited long before its first attempt still gets this many more.
REPEATS_AT_LEAST = 4
FIRST_LOOK_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 60.0
_LONGEST_EXPONENT = 10

_FREE: dict[str, Any] = {"lease_until": None, "lease_token": None}


def pause(times: int) -> float:
    """Seconds before the next try after `times` of them: 2, 4, 8 … 60."""
    exponent = min(max(times, 1), _LONGEST_EXPONENT)
    return min(FIRST_LOOK_SECONDS * 2.0 ** (exponent - 1), LONGEST_PAUSE_SECONDS)


def note(
    command: Command, what: str, *, seen_by: Source | None = None, actor_id: Any = None, **data: Any
) -> None:
    """One event on the timeline of the command's object."""
    source = seen_by or (Source.SYSTEM if actor_id is None else Source.PERSON)
    events.record(
        [
            events.NewEvent(
                workspace_id=command.workspace_id,
                object_kind=command.object_kind,
                object_id=command.object_id,
                what=what,
                source=source,
                actor_id=actor_id,
                data={"command": str(command.pk), "kind": command.kind, **data},
            )
        ]
    )


def show(command: Command) -> None:
    """Let the app show the change. It may fail without taking the change with it: the next one shows both.

    Where the connection broke, the caller's change is gone as well, and this raises: Django would end the caller's
    transaction without a word, and what was only about to be on record would be sent, and sent once more.
    """
    its = kinds.find(command.kind)
    if its is None or its.changed is None:
        return
    try:
        with transaction.atomic():
            its.changed(command)
    except Exception:
        if transaction.get_connection().needs_rollback:
            raise
        logger.exception("showing the change of command %s (%s)", command.pk, command.kind)


def answer(command: Command, outcome: Outcome) -> bool:
    """Write what the send of `command` came to; False when that no longer counts.

    The fence is the number of the attempt. An answer that comes after the command was called unknown still settles
    it, and it counts more than a guess from a poll or a person's decision: it is what HeyGen said about this call.
    """
    this_attempt = Q(attempts=command.attempts)
    if isinstance(outcome, Accepted | Refused):
        return settle(command.pk, outcome, fence=this_attempt & ~Q(settled_by="answer"), settled_by="answer")
    if isinstance(outcome, Later):
        return _put_back(command, outcome, this_attempt)
    return lose(command, "unclear", outcome.message, fence=this_attempt & Q(state=State.SENDING))


def settle(
    command_id: UUID,
    outcome: Accepted | Refused,
    *,
    fence: Q,
    settled_by: str,
    actor_id: Any = None,
) -> bool:
    """End a command for which `fence` still holds, with what the app does about it; False when it does not hold.

    If the app's part fails the end is stored all the same, and the app's part is repeated until it works.
    """
    try:
        with transaction.atomic():
            command = _end(command_id, outcome, fence, settled_by, actor_id, applied=True)
            if command is None:
                return False
            _apply(command, outcome)
            show(command)
            _wake_next(command)
            return True
    except Exception:
        # The same once more without the app's part; if it was the database that failed, this raises.
        logger.exception("what follows from command %s", command_id)
    with transaction.atomic():
        command = _end(command_id, outcome, fence, settled_by, actor_id, applied=False)
        if command is None:
            return False
        show(command)
        _wake_next(command)
        return True


def apply_again(command: Command) -> bool:
    """Repeat the app's part of an end that was stored without it; True when it worked or was done meanwhile."""
    outcome: Accepted | Refused
    if command.state == State.ACCEPTED:
        outcome = Accepted(command.remote_ref, command.answer)
    else:
        error = command.error
        outcome = Refused(
            error.get("status"), error.get("code", ""), error.get("message", ""), error.get("param", "")
        )
    unapplied = Command.objects.filter(pk=command.pk, state=command.state, applied_at__isnull=True)
    try:
        with transaction.atomic():
            if unapplied.update(applied_at=Now(), due_at=None):
                command.refresh_from_db()
                _apply(command, outcome)
                show(command)
            return True
    except Exception:
        logger.exception("what follows from command %s, again", command.pk)
    unapplied.update(
        due_at=clock.later(pause(command.apply_failures + 1)), apply_failures=F("apply_failures") + 1
    )
    return False


def lose(command: Command, code: str, message: str = "", *, fence: Q) -> bool:
    """Nobody knows whether it was taken: call it unknown, or queue it again where a repeat does no harm.

    `code` says why nobody knows ("unclear", "sender_ended"), `message` what was said, if anything. False when
    `fence` does not hold.
    """
    its = kinds.find(command.kind)
    rows = Command.objects.filter(fence, pk=command.pk)
    with transaction.atomic():
        if its is not None and its.repeatable:
            wait = clock.later(pause(command.attempts))
            young = Q(created_at__gt=clock.later(-settings.COMMANDS_LOOK_SECONDS)) | Q(
                attempts__lte=REPEATS_AT_LEAST
            )
            if rows.filter(young).update(
                state=State.QUEUED, waiting_for="retry", not_before=wait, due_at=wait, **_FREE
            ):
                command.refresh_from_db()
                show(command)
                return True
        looked_for = its is not None and its.settle is not None and not its.repeatable
        if not rows.update(
            state=State.UNKNOWN,
            unknown_at=Now(),
            error={"code": code, "message": message},
            settle_tries=0,
            asks_person_since=None if looked_for else Now(),
            due_at=clock.later(FIRST_LOOK_SECONDS) if looked_for else None,
            **_FREE,
        ):
            return False
        command.refresh_from_db()
        note(command, "command.unknown", code=code)
        if not looked_for:
            note(command, "command.asks_person", reason=code)
        show(command)
        _wake_next(command)
        return True


def ask_person(command: Command, reason: str, *, fence: Q) -> bool:
    """No machine can settle it: put the question to a person. `reason` is a code, kept in `error`."""
    with transaction.atomic():
        if not Command.objects.filter(
            fence, pk=command.pk, state=State.UNKNOWN, asks_person_since__isnull=True
        ).update(asks_person_since=Now(), due_at=None, error={**command.error, "reason": reason}, **_FREE):
            return False
        command.refresh_from_db()
        note(command, "command.asks_person", reason=reason)
        show(command)
        return True


def hold(command: Command, reason: str, seconds: float) -> None:
    """A queued one has to wait: say why, and look again after `seconds`."""
    queued = Command.objects.filter(pk=command.pk, state=State.QUEUED)
    with transaction.atomic():
        if queued.exclude(waiting_for=reason).update(waiting_for=reason, due_at=clock.later(seconds)):
            command.refresh_from_db()
            show(command)
        else:
            queued.update(due_at=clock.later(seconds))


def _put_back(command: Command, outcome: Later, this_attempt: Q) -> bool:
    """HeyGen took nothing: queue it again, unless a person was asked about it meanwhile."""
    seconds = pause(command.attempts) if outcome.retry_after is None else max(outcome.retry_after, 0.0)
    wait = clock.later(seconds)
    with transaction.atomic():
        if Command.objects.filter(
            this_attempt,
            Q(state=State.SENDING) | Q(state=State.UNKNOWN, asks_person_since__isnull=True),
            pk=command.pk,
        ).update(
            state=State.QUEUED,
            waiting_for=outcome.reason,
            not_before=wait,
            due_at=wait,
            unknown_at=None,
            error={},
            **_FREE,
        ):
            command.refresh_from_db()
            show(command)
            return True
    # The person may have sent it again: queueing the first one now could make two of them.
    return settle(
        command.pk,
        Refused(429, outcome.reason, ""),
        fence=this_attempt & Q(state=State.UNKNOWN),
        settled_by="answer",
    )


def _end(
    command_id: UUID,
    outcome: Accepted | Refused,
    fence: Q,
    settled_by: str,
    actor_id: Any,
    *,
    applied: bool,
) -> Command | None:
    """The fenced UPDATE to an end and its event; None when the fence does not hold."""
    end: dict[str, Any] = {
        **_FREE,
        "not_before": None,
        "waiting_for": "",
        "asks_person_since": None,
        "settled_at": Now(),
        "settled_by": settled_by,
        "applied_at": Now() if applied else None,
        "due_at": None if applied else clock.later(FIRST_LOOK_SECONDS),
        "apply_failures": 0 if applied else 1,
    }
    if isinstance(outcome, Accepted):
        end |= {"state": State.ACCEPTED, "remote_ref": outcome.remote_ref, "error": {}}
        end["answer"] = redact(outcome.answer, signatures=False)
    else:
        end |= {"state": State.REFUSED, "answer": {}}
        end["error"] = {
            "status": outcome.status,
            "code": outcome.code,
            "message": outcome.message,
            "param": outcome.param,
        }
    rows = Command.objects.filter(fence, pk=command_id)
    is_news = bool(rows.exclude(state=end["state"]).update(**end))
    # The same end with better proof: a poll saw it first, now the answer itself is here.
    if not is_news and not rows.update(**end):
        return None
    command = Command.objects.select_related("workspace", "by").get(pk=command_id)
    if is_news:
        seen_by = {"answer": Source.SYSTEM, "person": Source.PERSON}.get(settled_by, Source.POLL)
        details = {"settled_by": settled_by}
        if command.state == State.REFUSED:
            details["code"] = command.error["code"]
        note(command, f"command.{command.state}", seen_by=seen_by, actor_id=actor_id, **details)
    return command


def _apply(command: Command, outcome: Accepted | Refused) -> None:
    its = kinds.named(command.kind)
    if isinstance(outcome, Accepted):
        its.accepted(command, outcome)
    else:
        its.refused(command, outcome)


def _wake_next(command: Command) -> None:
    """Hint about the one that waited for this one, if any: behind it in order, or for the object that it made."""
    waiting = Command.objects.filter(object_id=command.object_id, ordered=True, state=State.QUEUED)
    behind = waiting.in_order().values_list("pk", flat=True).first()
    if behind is not None:
        hints.deliver_on_commit(behind)
