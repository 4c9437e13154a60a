"""Webhooks: registering our address at HeyGen, and what a delivery may do, which is to make a row due.

What a delivery says is never believed: apps register a handler that finds their row by its ids and wakes its poll.
Without webhooks everything still arrives, a little later.

Source: heygen-api.md, section 10.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Max
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import heygen
from polling.budget import Priority
from workspaces_app import audit, crypto
from workspaces_app.connections import client_for
from workspaces_app.models import User, WebhookDelivery, WebhookEndpoint, Workspace

KEEP_DELIVERIES_DAYS = 30
CATCH_UP_PAGES = 3
_CALLBACK = signing.Signer(salt="workspaces_app.callback")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a webhook tells, as far as anybody may use it: which of our rows to read again.

    `object_kind` and `object_id` come from a callback address of our own; the remote ids from its body.
    """

    workspace_id: UUID
    event_type: str
    session_id: str = ""
    video_id: str = ""
    callback_id: str = ""
    object_kind: str = ""
    object_id: UUID | None = None


Handler = Callable[[Delivery], bool]
_handlers: list[Handler] = []


def register(handler: Handler) -> None:
    """Adds an app's handler: it wakes the poll of what the delivery is about, and says whether it knew it.

    Called inside a transaction, with the database only; registering twice changes nothing.
    """
    if handler not in _handlers:
        _handlers.append(handler)


# --- What comes in -----------------------------------------------------------------------------------------------


def take(
    workspace_id: UUID,
    body: Mapping[str, Any],
    *,
    key: str,
    source: str,
    object_kind: str = "",
    object_id: UUID | None = None,
) -> bool:
    """Stores a delivery and lets the handlers wake what it is about; False for one that was here before.

    One transaction: when a handler fails nothing is stored, and the sender tries again.
    """
    delivery = _understood(workspace_id, body, object_kind=object_kind, object_id=object_id)
    with transaction.atomic():
        row, created = WebhookDelivery.objects.get_or_create(
            workspace_id=workspace_id,
            key=key[:255],
            defaults={"event_type": delivery.event_type[:120], "data": dict(body), "source": source},
        )
        if not created:
            return False
        # All of them, not up to the first that knows it: a video belongs to a session, and both are read again.
        known = [handler(delivery) for handler in _handlers]
        if any(known):
            row.matched = True
            row.save(update_fields=["matched"])
    return True


def delivery_key(event_id: str, body: Mapping[str, Any], raw: bytes) -> str:
    """What makes two deliveries the same: HeyGen's event id, else type, subject and text."""
    given = event_id or str(body.get("event_id") or "")
    if given:
        return f"event:{given}"
    return f"body:{_event_type(body)[:40]}:{sha256(raw).hexdigest()}"


def _event_type(body: Mapping[str, Any]) -> str:
    # A HeyGen integration reads it from `event`.
    return str(body.get("event_type") or body.get("event") or body.get("type") or "")


def _understood(
    workspace_id: UUID, body: Mapping[str, Any], *, object_kind: str, object_id: UUID | None
) -> Delivery:
    inner = body.get("event_data")
    data: Mapping[str, Any] = {**body, **(inner if isinstance(inner, Mapping) else {})}

    def text(name: str) -> str:
        value = data.get(name)
        return value if isinstance(value, str) else ""

    return Delivery(
        workspace_id=workspace_id,
        event_type=_event_type(body),
        session_id=text("session_id"),
        video_id=text("video_id"),
        callback_id=text("callback_id"),
        object_kind=object_kind,
        object_id=object_id,
    )


def parsed(raw: bytes) -> Mapping[str, Any] | None:
    """The body as a JSON object, None when it is none."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def forget_old() -> int:
    """Removes deliveries that no repeat can come of any more; returns how many."""
    before = timezone.now() - timedelta(days=KEEP_DELIVERIES_DAYS)
    return WebhookDelivery.objects.filter(received_at__lt=before).delete()[0]


# --- Addresses ---------------------------------------------------------------------------------------------------


def possible() -> bool:
    """Whether HeyGen could reach us: it takes https addresses only."""
    return settings.PUBLIC_URL.startswith("https://")


def callback_url(workspace_id: UUID, kind: str, object_id: UUID) -> str | None:
    """The unguessable address for HeyGen's `callback_url` of one object; None when HeyGen cannot reach us.

    Deliveries to it are unsigned (section 10.6): the address itself is the secret.
    """
    if not possible():
        return None
    token = _CALLBACK.sign(f"{workspace_id.hex}.{kind}.{object_id.hex}")
    return settings.PUBLIC_URL.rstrip("/") + reverse("webhooks:callback", args=[token])


def opened_callback(token: str) -> tuple[UUID, str, UUID] | None:
    """Workspace, kind and id of the object that a callback address is for; None for a forged one."""
    try:
        workspace_id, kind, object_id = _CALLBACK.unsign(token).split(".")
        return UUID(workspace_id), kind, UUID(object_id)
    except (signing.BadSignature, ValueError):
        return None


def endpoint_of(workspace: Workspace) -> WebhookEndpoint | None:
    return WebhookEndpoint.objects.filter(workspace=workspace).first()


def last_delivery_at(workspace: Workspace) -> datetime | None:
    """When HeyGen last told us anything by itself."""
    told = WebhookDelivery.objects.filter(workspace=workspace).exclude(source="catch-up")
    last: datetime | None = told.aggregate(last=Max("received_at"))["last"]
    return last


# --- Registration at HeyGen --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """How a change of the webhook ended, in words for the person who asked for it."""

    well: bool
    message: str


def _register(workspace: Workspace, client: heygen.Client, endpoint: WebhookEndpoint | None) -> str:
    if endpoint is not None:
        return _("A webhook is registered already.")
    path_token = secrets.token_urlsafe(32)
    url = settings.PUBLIC_URL.rstrip("/") + reverse("webhooks:endpoint", args=[path_token])
    # The address is new with every press, so repeating an unclear one cannot meet its own duplicate.
    made = client.create_webhook_endpoint(url, idempotency_key=sha256(path_token.encode()).hexdigest())
    WebhookEndpoint.objects.create(
        workspace=workspace,
        path_token=path_token,
        remote_id=made.endpoint_id,
        url=url,
        status=made.status[:40],
        encrypted_secret=crypto.seal(made.secret) if made.secret else "",
    )
    return _("The webhook is registered.")


def _rotate(workspace: Workspace, client: heygen.Client, endpoint: WebhookEndpoint | None) -> str:
    if endpoint is None:
        return _("No webhook is registered.")
    rotated = client.rotate_webhook_secret(endpoint.remote_id)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(encrypted_secret=crypto.seal(rotated.secret))
    return _("The webhook has a new signing secret.")


def _remove(workspace: Workspace, client: heygen.Client, endpoint: WebhookEndpoint | None) -> str:
    if endpoint is None:
        return _("No webhook is registered.")
    with suppress(heygen.NotFound):  # gone already is what was wanted
        client.delete_webhook_endpoint(endpoint.remote_id)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).delete()
    return _("The webhook is removed.")


def _catch_up(workspace: Workspace, client: heygen.Client, endpoint: WebhookEndpoint | None) -> str:
    taken = catch_up(workspace, client)
    return _("%(count)s deliveries were not known yet.") % {"count": taken}


def catch_up(workspace: Workspace, client: heygen.Client) -> int:
    """Reads what HeyGen delivered meanwhile, newest first, until something known; returns how many were new."""
    new = 0
    for page in heygen.pages(lambda token: client.list_webhook_events(token=token), most=CATCH_UP_PAGES):
        for event in page.items:
            taken = take(
                workspace.pk,
                {**event.raw, "event_type": event.event_type, "event_data": dict(event.event_data)},
                key=f"event:{event.event_id}",
                source="catch-up",
            )
            if not taken:
                return new
            new += 1
    return new


ACTIONS: Mapping[str, tuple[Promise, Callable[[Workspace, heygen.Client, WebhookEndpoint | None], str]]] = {
    "register": (gettext_lazy("Register a webhook"), _register),
    "catch-up": (gettext_lazy("Fetch missed deliveries"), _catch_up),
    "rotate": (gettext_lazy("New signing secret"), _rotate),
    "remove": (gettext_lazy("Remove"), _remove),
}


def change(workspace: Workspace, what: str, *, by: User, request: HttpRequest | None = None) -> Done:
    """Does one of ACTIONS at HeyGen and here. Raises KeyError for any other word."""
    _label, act = ACTIONS[what]
    if what == "register" and not possible():
        return Done(
            False, _("Webhooks need a public https address (PUBLIC_URL). This installation has none.")
        )
    try:
        client = client_for(workspace, priority=Priority.COMMAND)
        message = act(workspace, client, endpoint_of(workspace))
    except heygen.ApiError as error:
        return Done(False, _("HeyGen did not do it: %(why)s") % {"why": error})
    if what != "catch-up":
        audit.record(f"webhook.{what}", actor=by, workspace_id=workspace.pk, about=workspace, request=request)
    return Done(True, message)
