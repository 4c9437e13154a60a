"""The audit trail: one row for each thing that a person did to access, keys, members or money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.http import HttpRequest

from workspaces_app import addresses
from workspaces_app.models import AuditEntry, User


def record(
    action: str,
    *,
    actor: User | AnonymousUser | None,
    workspace_id: UUID | None = None,
    about: models.Model | None = None,
    data: Mapping[str, Any] | None = None,
    request: HttpRequest | None = None,
) -> AuditEntry:
    """Adds one entry. `action` is noun and verb ("key.saved"); `about` the row it happened to; `request` gives
    the address. `data` is what changed, in plain JSON: never a secret, a password or a message's text.
    """
    person = actor if isinstance(actor, User) else None
    return AuditEntry.objects.create(
        action=action,
        workspace_id=workspace_id,
        actor=person,
        actor_email=person.email if person else "",
        object_kind=about._meta.model_name or "" if about is not None else "",
        object_id=str(about.pk) if about is not None else "",
        data=dict(data or {}),
        address=addresses.client(request) if request is not None else None,
    )
