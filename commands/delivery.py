"""The worker's side of the ledger: send a queued command once, look for one of unknown outcome, sweep.

    tick (every second)   what is due: a lost hint, a lease that ran out, a look that is to be taken
    advance (per hint)    queued -> send; unknown -> settle; settled but not applied -> apply

Both may run as often and as many times at once as they like: the rows decide.

Order: an ordered command waits while one of the same object that was pressed before it is queued or being sent. One
of unknown outcome holds the later ones back for `CommandKind.hold_after_unknown` seconds and no longer. A refused one
does not hold them back at all. Commands of other objects never wait for each other.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from uuid import UUID, uuid4

from django.conf import settings
from django.db import (
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    close_old_connections,
    connections,
    transaction,
)
from django.db.models import Exists, F, Q
from django.db.models.functions import Now

from commands import hints, journal, kinds, leases
from commands.kinds import (
    Accepted,
    AskPerson,
    CommandKind,
    Later,
    NotYet,
    Outcome,
    Refused,
    Settlement,
    Unclear,
)
from commands.models import Command, State
from commands.querysets import CommandQuerySet
from polling import clock

logger = logging.getLogger(__name__)

# Of the commands worker's 16 threads; the others are for ticks, which must not wait two minutes for HeyGen.
SENDING_AT_ONCE = 12
SETTLING_AT_ONCE = 2
# Pauses before a queued command is looked at again, in seconds.
CEILING_PAUSE = 2.0
ORDER_PAUSE = 5.0
BUSY_PAUSE = 1.0
HINTED_PAUSE = 5.0
ROWS_PER_TICK = 200
# How long an answer is kept in memory for a database that is away.
ANSWER_KEPT_SECONDS = 600.0

# What a database raises that is away, full, locked or, after a failover, takes no writes (the last).
UNWRITABLE = (OperationalError, InterfaceError, InternalError)

_sending = threading.BoundedSemaphore(SENDING_AT_ONCE)
_settling = threading.BoundedSemaphore(SETTLING_AT_ONCE)


def tick() -> int:
    """Look at what is due and return how many rows that were. One bad row does not keep the others waiting."""
    due = list(Command.objects.due()[:ROWS_PER_TICK])
    for command in due:
        try:
            _sweep(command)
        except (kinds.UnknownKind, IntegrityError):
            logger.exception("sweeping command %s", command.pk)
    return len(due)


def advance(command_id: UUID) -> None:
    """Do what is next for this command; nothing when nothing is, or when another worker does it."""
    command = Command.objects.select_related("workspace", "by").filter(pk=command_id).first()
    if command is None:
        return
    if command.state == State.QUEUED:
        _with_slot(_sending, command, _send)
    elif command.state == State.UNKNOWN and not command.asks_person:
        _with_slot(_settling, command, _look)
    elif command.settled_at is not None and command.applied_at is None:
        journal.apply_again(command)


def _sweep(command: Command) -> None:
    if command.state == State.SENDING:
        journal.lose(command, "sender_ended", fence=Q(state=State.SENDING, lease_until__lte=Now()))
        return
    mine = Command.objects.filter(pk=command.pk, state=command.state, due_at__lte=Now())
    if mine.update(due_at=clock.later(HINTED_PAUSE)):
        hints.deliver(command.pk)


def _with_slot(slots: threading.BoundedSemaphore, command: Command, work: Callable[[Command], None]) -> None:
    """Run `work` if a slot is free, else have the row looked at again soon."""
    if not slots.acquire(blocking=False):
        Command.objects.filter(pk=command.pk, state=command.state, lease_until__isnull=True).update(
            due_at=clock.later(BUSY_PAUSE)
        )
        return
    try:
        work(command)
    finally:
        slots.release()


def _send(command: Command) -> None:
    its = kinds.named(command.kind)
    if its.ceiling is not None and (reason := its.ceiling(command)):
        journal.hold(command, reason, CEILING_PAUSE)
        return
    lease_token = uuid4()
    if not _claim_for_sending(command, its, lease_token):
        return
    with leases.kept(command.pk, lease_token):
        # From here on the attempt is on record: whatever happens, nobody sends it a second time by mistake.
        outcome = _outcome_of(its, command)
        _until_written(command, outcome)


def _claim_for_sending(command: Command, its: CommandKind, lease_token: UUID) -> bool:
    """Commit the attempt before the network is touched; False when it is not this command's turn."""
    mine = Command.objects.filter(pk=command.pk, state=State.QUEUED).filter(
        Q(not_before__isnull=True) | Q(not_before__lte=Now())
    )
    earlier = Exists(_those_before(command, its)) if command.ordered else Q(pk__in=[])
    try:
        with transaction.atomic():
            if mine.exclude(earlier).update(
                state=State.SENDING,
                waiting_for="",
                not_before=None,
                attempts=F("attempts") + 1,
                attempt_at=Now(),
                lease_token=lease_token,
                lease_until=clock.later(leases.LEASE_SECONDS),
                due_at=clock.later(leases.LEASE_SECONDS),
            ):
                command.refresh_from_db()
                journal.show(command)
                return True
    except IntegrityError:
        # command_one_sending_per_object: another worker sent an earlier one between our look and our write.
        logger.debug("command %s has to wait for its turn", command.pk)
    if command.ordered and mine.exists():
        journal.hold(command, "order", ORDER_PAUSE)
    return False


def _those_before(command: Command, its: CommandKind) -> CommandQuerySet:
    same_object = Command.objects.filter(object_id=command.object_id, ordered=True).exclude(pk=command.pk)
    return same_object.filter(
        Q(state=State.SENDING)
        | Q(state=State.QUEUED, pk__lt=command.pk)
        | Q(
            state=State.UNKNOWN,
            pk__lt=command.pk,
            unknown_at__gt=clock.later(-its.hold_after_unknown),
        )
    )


def _outcome_of(its: CommandKind, command: Command) -> Outcome:
    """Send once. Whatever goes wrong inside may have gone wrong after HeyGen took it."""
    # A call may take two minutes; the database connection is better used by others.
    close_old_connections()
    try:
        outcome = its.send(command)
    except Exception:
        logger.exception("sending command %s (%s)", command.pk, command.kind)
        return Unclear("")
    if not isinstance(outcome, Accepted | Refused | Later | Unclear):
        logger.error("sending command %s (%s) came to %r", command.pk, command.kind, outcome)
        return Unclear("")
    return outcome


def _until_written(command: Command, outcome: Outcome) -> None:
    """Write the answer, however long the database is away: this process is the only one that knows it."""
    deadline = time.monotonic() + ANSWER_KEPT_SECONDS
    wait = 0.1
    while True:
        try:
            journal.answer(command, outcome)
        except UNWRITABLE as exc:
            if time.monotonic() >= deadline:
                raise
            logger.warning("writing the answer to command %s, again in %.1f s: %s", command.pk, wait, exc)
            connections.close_all()
            time.sleep(wait)
            wait = min(wait * 2, 2.0)
        else:
            return


def _look(command: Command) -> None:
    """Look for a command of unknown outcome on the remote side."""
    its = kinds.named(command.kind)
    lease_token = uuid4()
    mine = Command.objects.filter(pk=command.pk, state=State.UNKNOWN, asks_person_since__isnull=True)
    if not mine.filter(Q(lease_until__isnull=True) | Q(lease_until__lte=Now())).update(
        lease_token=lease_token,
        lease_until=clock.later(leases.LEASE_SECONDS),
        due_at=clock.later(leases.LEASE_SECONDS),
        settle_tries=F("settle_tries") + 1,
    ):
        return
    command.refresh_from_db()
    still_mine = Q(state=State.UNKNOWN, lease_token=lease_token)
    with leases.kept(command.pk, lease_token):
        close_old_connections()
        found = _look_with(its, command)
        if isinstance(found, Accepted | Refused):
            journal.settle(command.pk, found, fence=Q(state=State.UNKNOWN), settled_by=its.proof)
        elif isinstance(found, AskPerson):
            journal.ask_person(command, found.reason, fence=still_mine)
        elif not journal.ask_person(
            command,
            "not_seen",
            fence=still_mine & Q(unknown_at__lte=clock.later(-settings.COMMANDS_LOOK_SECONDS)),
        ):
            mine.filter(still_mine).update(
                lease_until=None,
                lease_token=None,
                due_at=clock.later(journal.pause(command.settle_tries + 1)),
            )


def _look_with(its: CommandKind, command: Command) -> Settlement:
    if its.settle is None:
        return AskPerson("no_way_to_tell")
    try:
        return its.settle(command)
    except Exception:
        # Reading does no harm: look again later, and in the end ask a person.
        logger.exception("settling command %s (%s)", command.pk, command.kind)
        return NotYet()
