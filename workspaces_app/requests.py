"""The request that a view behind `login_required` gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from workspaces_app.models import User

    class SignedIn(HttpRequest):
        """Somebody is signed in."""

        user: User

else:
    SignedIn = HttpRequest
