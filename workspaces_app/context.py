"""What every page shows of the person's workspaces: the list for the navigation, and what is wrong with them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from workspaces_app import access
from workspaces_app.models import Workspace


def workspaces(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Costs no query until a template uses what it gives."""

    def mine() -> list[Workspace]:
        user = getattr(request, "user", None)
        return [] if user is None else list(access.visible_workspaces(user))

    return {"nav_workspaces": SimpleLazyObject(mine)}
