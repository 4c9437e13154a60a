"""What people do with a workspace's API key: try it, save it, take it away."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

import heygen
from polling import keys as key_states
from polling import schedule
from polling.budget import Priority
from workspaces_app import account, audit, catalogue, crypto
from workspaces_app.connections import NO_CREDIT, Connection
from workspaces_app.models import User, Workspace

# Of a key shorter than this, four characters would be too much of it to show.
SHOWS_LAST4_FROM = 16


@dataclass(frozen=True, slots=True)
class Answer:
    """What HeyGen said to a key. `asked`: it answered; `refused`: it doesn't take the key; `message`: why, or ""."""

    asked: bool
    refused: bool
    message: str
    account: heygen.Account | None = None


class AddressChanged(Exception):
    """The workspace's HeyGen is at another address by now: whoever entered the key did not mean it for that."""


def check(workspace: Workspace, api_key: str) -> Answer:
    """Tries a key with the cheapest call there is. One network call; touches the workspace in no way."""
    fingerprint = crypto.fingerprint(api_key)
    # A person acts: what closed this key before is asked again. A refusal closes it anew.
    key_states.reopen(fingerprint)
    connection = Connection(
        workspace_id=workspace.pk,
        base_url=workspace.base_url,
        dialect=workspace.dialect,
        fingerprint=fingerprint,
        key=api_key,
        epoch=key_states.epoch(fingerprint),
    )
    try:
        found = connection.client(priority=Priority.COMMAND).me()
    except heygen.Unauthorized:
        return Answer(True, True, _("HeyGen does not accept this key."))
    except heygen.PaymentRequired as error:
        return Answer(True, False, _("HeyGen knows the key, but says: %(why)s") % {"why": error.message})
    except (heygen.RateLimited, heygen.Held):
        return Answer(False, False, _("HeyGen asks us to wait, so the key could not be tried."))
    except heygen.Refused as error:
        return Answer(True, True, _("HeyGen refused the key: %(why)s") % {"why": error.message})
    except heygen.ApiError as error:
        return Answer(
            False,
            False,
            _("The key could not be tried: HeyGen cannot be reached (%(why)s).") % {"why": error},
        )
    return Answer(True, False, "", found)


def save(
    workspace: Workspace,
    api_key: str,
    *,
    by: User | None,
    checked: bool,
    request: HttpRequest | None = None,
) -> None:
    """Stores the key encrypted, and lets everything of the workspace be read with it, now. Raises AddressChanged."""
    before = workspace.key_fingerprint
    workspace.encrypted_key = crypto.seal(api_key)
    workspace.key_fingerprint = crypto.fingerprint(api_key)
    workspace.key_last4 = api_key[-4:] if len(api_key) >= SHOWS_LAST4_FROM else ""
    with transaction.atomic():
        if Workspace.objects.select_for_update().get(pk=workspace.pk).base_url != workspace.base_url:
            raise AddressChanged
        workspace.save(update_fields=["encrypted_key", "key_fingerprint", "key_last4"])
        key_states.reopen(workspace.key_fingerprint)
        schedule.rekey(workspace.pk, workspace.key_fingerprint)
        enroll(workspace.pk, workspace.key_fingerprint)
        read_again(workspace.pk)
        audit.record(
            "key.replaced" if before else "key.saved",
            actor=by,
            workspace_id=workspace.pk,
            about=workspace,
            data={"fingerprint": workspace.key_fingerprint, "last4": workspace.key_last4, "checked": checked},
            request=request,
        )


# Kinds whose object is the workspace itself; an app adds its own.
_polled_kinds = [account.KIND, catalogue.KIND]


def poll_each_workspace(kind: str) -> None:
    """Has every workspace with a key polled as an object of this kind, too; apps say so in `AppConfig.ready()`."""
    if kind not in _polled_kinds:
        _polled_kinds.append(kind)


def enroll(workspace_id: UUID, fingerprint: str) -> None:
    """Has what belongs to the workspace itself polled: account, catalogue, and what apps added."""
    for kind in _polled_kinds:
        schedule.enroll(kind, [workspace_id], workspace_id=workspace_id, fingerprint=fingerprint)


def read_again(workspace_id: UUID) -> None:
    """Has the same read now, whenever it was read last; also what was given up because the dialect lacked it."""
    for kind in _polled_kinds:
        schedule.wake(kind, [workspace_id])


def remove(workspace: Workspace, *, by: User | None, request: HttpRequest | None = None) -> bool:
    """Forgets the key; False when there was none. What is polled waits for the next one."""
    if not workspace.has_key:
        return False
    before = workspace.key_fingerprint
    workspace.encrypted_key = workspace.key_fingerprint = workspace.key_last4 = ""
    with transaction.atomic():
        workspace.save(update_fields=["encrypted_key", "key_fingerprint", "key_last4"])
        schedule.rekey(workspace.pk, "")
        audit.record(
            "key.removed",
            actor=by,
            workspace_id=workspace.pk,
            about=workspace,
            data={"fingerprint": before},
            request=request,
        )
    return True


def credit_is_back(workspace: Workspace, *, by: User, request: HttpRequest | None = None) -> bool:
    """Lets what costs money be sent again; False when nothing held it back. HeyGen may still refuse, which closes it anew."""
    rests = key_states.rests(workspace.key_fingerprint) if workspace.has_key else []
    if all(rest.reason != NO_CREDIT for rest in rests):
        return False
    with transaction.atomic():
        key_states.reopen(workspace.key_fingerprint, scope="paid")
        read_again(workspace.pk)
        audit.record(
            "key.reopened",
            actor=by,
            workspace_id=workspace.pk,
            about=workspace,
            data={"fingerprint": workspace.key_fingerprint, "scope": "paid", "reason": NO_CREDIT},
            request=request,
        )
    return True
