"""The one filter between a person and another team's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.models import AnonymousUser

if TYPE_CHECKING:
    from workspaces_app.models import User


class WorkspaceScoped:
    """A QuerySet mixin for rows that belong to a workspace, each by its field `workspace`."""

    if TYPE_CHECKING:
        # What the QuerySet beside it brings.
        def filter(self, *args: Any, **kwargs: Any) -> Self: ...
        def none(self) -> Self: ...

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Rows of the workspaces that `user` is a member of; none for somebody signed out or switched off."""
        return self._of_member(user) if user.is_authenticated and user.is_active else self.none()

    def _of_member(self, user: User) -> Self:
        """A subquery rather than a join: it never doubles rows, and can be combined with any other filter."""
        return self.filter(workspace__in=user.memberships.values("workspace_id"))
