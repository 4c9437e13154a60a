"""The request that a view behind `login_required` gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from workspaces_app.models import User

    class SignedIn(HttpRequest):
        """Somebody is signed in."""

        user: User
        htmx: HtmxDetails

else:
    SignedIn = HttpRequest
