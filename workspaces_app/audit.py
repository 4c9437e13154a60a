"""The audit trail: one row for each thing that a person did to access, keys, members or money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from workspaces_app import addresses
from workspaces_app.models import AuditEntry, User

# Of what an admin of a workspace sees; the rest is for operators.
_WORDS: Mapping[str, Promise] = {
    "key.removed": gettext_lazy("API key removed"),
    "key.reopened": gettext_lazy("API key opened again"),
    "key.replaced": gettext_lazy("API key replaced"),
    "key.rotated": gettext_lazy("API key encrypted anew"),
    "key.saved": gettext_lazy("API key entered"),
    "member.added": gettext_lazy("Member added"),
    "member.removed": gettext_lazy("Member removed"),
    "member.role-changed": gettext_lazy("Role changed"),
    "password.renewed": gettext_lazy("New one-time password"),
    "storyboard.approved": gettext_lazy("Storyboard approved"),
    "storyboard.taken_back": gettext_lazy("Approval taken back"),
    "user.created": gettext_lazy("Account made"),
    "webhook.register": gettext_lazy("Webhook registered at HeyGen"),
    "webhook.remove": gettext_lazy("Webhook removed at HeyGen"),
    "webhook.rotate": gettext_lazy("Webhook's secret replaced"),
    "workspace.changed": gettext_lazy("Settings changed"),
}


def in_words(action: str) -> str:
    """What an action is called on a page; one without a name is shown as it is stored."""
    return str(_WORDS.get(action, action))


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
