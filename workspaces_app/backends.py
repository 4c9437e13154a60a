"""How the person behind a request is loaded."""

from __future__ import annotations

from django.contrib.auth.backends import ModelBackend
from django.db.models.functions import Now

from workspaces_app.models import User


class Backend(ModelBackend):
    """Django's own; whoever is signed in comes with the database's now, by which pages tell how old something is."""

    def get_user(self, user_id: int) -> User | None:
        user = User.objects.annotate(looked_at=Now()).filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
