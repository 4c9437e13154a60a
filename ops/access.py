"""Who may look at the whole installation: its staff, and a scraper that knows the token."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest
from django.utils.crypto import constant_time_compare

from workspaces_app.models import User


def require_staff(user: User | AnonymousUser) -> None:
    """404 for members: like the admin, this is none of their business."""
    if not (user.is_active and user.is_staff):
        raise Http404


def has_token(request: HttpRequest) -> bool:
    """Whether the request carries `METRICS_TOKEN` as its bearer; never while none is set."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    expected: str = settings.METRICS_TOKEN
    return bool(expected) and scheme.lower() == "bearer" and constant_time_compare(token.strip(), expected)
