"""Webhooks that come in: where to, and what a delivery may do, which is to make a row due.

What a delivery says is never believed: apps register a handler that finds their row by its ids and wakes its poll.
Without webhooks everything still arrives, a little later. `webhook_registration` tells HeyGen of our address.

Source: heygen-api.md, section 10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Max
from django.urls import reverse

import heygen.webhooks
from polling import clock
from workspaces_app.models import WebhookDelivery, WebhookEndpoint, Workspace

KEEP_DELIVERIES_DAYS = 30
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
    notice: heygen.webhooks.Delivery,
    *,
    source: str,
    object_kind: str = "",
    object_id: UUID | None = None,
) -> bool:
    """Stores a delivery and lets the handlers wake what it is about; False for one that was here before.

    One transaction: when a handler fails nothing is stored, and the sender tries again.
    """
    key = notice.duplicate_key if object_id is None else f"{object_id.hex}:{notice.duplicate_key}"
    delivery = Delivery(
        workspace_id=workspace_id,
        event_type=notice.event_type,
        session_id=notice.session_id or "",
        video_id=notice.video_id or "",
        callback_id=notice.callback_id or "",
        object_kind=object_kind,
        object_id=object_id,
    )
    with transaction.atomic():
        row, created = WebhookDelivery.objects.get_or_create(
            workspace_id=workspace_id,
            key=key[:255],
            defaults={"event_type": delivery.event_type[:120], "data": dict(notice.raw), "source": source},
        )
        if not created:
            return False
        # All of them, not up to the first that knows it: a video belongs to a session, and both are read again.
        known = [handler(delivery) for handler in _handlers]
        if any(known):
            row.matched = True
            row.save(update_fields=["matched"])
    return True


def forget_old() -> int:
    """Removes deliveries that no repeat can come of any more; returns how many."""
    before = clock.later(-KEEP_DELIVERIES_DAYS * 86400)
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
