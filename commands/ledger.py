"""The doors to the ledger: record a press, settle one of unknown outcome, send one again.

    actions.py --record--> queued row --after commit--> hint --> commands.delivery
    mirror.py --settle_as--> accepted | refused
    a person --settle_as, send_again-->

All of them run in the caller's transaction if there is one, touch no network and leave a transaction usable
whatever they find.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from commands import hints, journal, kinds, tokens
from commands.kinds import Accepted, Refused
from commands.models import Command, State
from polling import clock
from timeline.redaction import secret_names

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

# How long a hint may take before the tick queues another one.
HINT_SECONDS = 2.0


class TokenTaken(Exception):
    """The token was pressed before, by somebody else or on something else. It says nothing about that press."""


class SecretInPayload(ValueError):
    """A payload would have kept a credential in the database for good."""


class NotRepeatable(Exception):
    """The command was accepted, is still under way, or is still being looked for: sending again could do it twice."""


def record(
    kind: str,
    *,
    object_id: UUID,
    workspace_id: UUID,
    payload: Mapping[str, Any],
    token: str,
    by: AbstractBaseUser | None,
    repeats: Command | None = None,
) -> tuple[Command, bool]:
    """Write one press, once: `(command, True)`, or `(the first press, False)` when its token was pressed before.

    Two presses at the same moment are one row: the second waits for the transaction of the first. Call it before
    writing the rows that belong to the press, and write those only if it returns True; when the kind makes its object
    (create), the first press's object is `command.object_id`. After commit the commands worker gets a hint.

    Raises TokenTaken when that token belongs to another person, kind, workspace or object; SecretInPayload;
    kinds.UnknownKind.
    """
    its = kinds.named(kind)
    if names := secret_names(payload):
        raise SecretInPayload(f"{kind}: the payload has {', '.join(names)}")
    if not token:
        raise ValueError("a press needs the token of its form")
    new = Command(
        kind=kind,
        object_id=object_id,
        workspace_id=workspace_id,
        payload=dict(payload),
        ordered=its.ordered,
        token=token,
        by_id=None if by is None else by.pk,
        repeats=repeats,
    )
    with transaction.atomic():
        new.created_at, new.due_at = Now(), clock.later(HINT_SECONDS)
        # ON CONFLICT DO NOTHING: an IntegrityError would break the caller's transaction on PostgreSQL.
        Command.objects.bulk_create([new], ignore_conflicts=True)
        rows = Command.objects.select_related("by")
        command = rows.filter(token=token).first()
        if command is None and repeats is not None:
            command = rows.filter(repeats=repeats).first()
        if command is None:
            # SQLite's OR IGNORE swallows every violated constraint, not only the unique ones.
            raise IntegrityError(f"the ledger did not take a {kind}")
        if command.pk == new.pk:
            journal.note(command, "command.pressed", actor_id=command.by_id)
            hints.deliver_on_commit(command.pk)
            return command, True
    same_press = (
        command.kind == kind
        and command.by_id == new.by_id
        and command.workspace_id == workspace_id
        and (command.object_id == object_id or its.makes_object)
    )
    if not same_press:
        raise TokenTaken("this form was used before: load the page again")
    return command, False


def settle_as(
    command_id: UUID,
    outcome: Accepted | Refused,
    *,
    by: str,
    actor: AbstractBaseUser | None = None,
) -> bool:
    """Say how a command ended, from proof other than its own answer; False when it had already ended.

    `by` names the proof: "list", "window", "read" for a mirror that saw it, "person" for a decision (with `actor`),
    which counts only once a person was asked. The answer of the call itself, should it still come, counts more.
    """
    open_enough = Q(state=State.UNKNOWN) | Q(state=State.SENDING)
    if by == "person":
        open_enough = Q(state=State.UNKNOWN, asks_person_since__isnull=False)
    return journal.settle(command_id, outcome, fence=open_enough, settled_by=by, actor_id=actor and actor.pk)


def send_again(command: Command, by: AbstractBaseUser) -> Command:
    """Press the same again, as a new command that `repeats` this one; a second click returns the first repeat.

    Only a refused command can be sent again, or an unknown one that asks a person. Raises NotRepeatable.
    """
    with transaction.atomic():
        # The row is locked by changing it: no settling can slip in between the question and the new press.
        allowed = (
            Command.objects.filter(pk=command.pk)
            .filter(Q(state=State.REFUSED) | Q(state=State.UNKNOWN, asks_person_since__isnull=False))
            .update(lease_until=None, lease_token=None)
        )
        if not allowed:
            raise NotRepeatable(f"{command.kind} {command.pk} is not over")
        repeat, created = Command.objects.filter(repeats=command).first(), False
        if repeat is None:
            repeat, created = record(
                command.kind,
                object_id=command.object_id,
                workspace_id=command.workspace_id,
                payload=command.payload,
                token=tokens.new(),
                by=by,
                repeats=command,
            )
        if created:
            its = kinds.named(command.kind)
            if its.repeated is not None:
                its.repeated(command, repeat)
            journal.show(command)
    return repeat
