"""The one filter between a person and another team's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser

if TYPE_CHECKING:
    from workspaces_app.models import User


class WorkspaceScoped:
    """A QuerySet mixin for rows that belong to a workspace.

    `workspace_path` is the lookup from the row to its workspace: "workspace" unless the row hangs on another
    one ("session__workspace"), and "" for Workspace itself.
    """

    workspace_path: ClassVar[str] = "workspace"

    if TYPE_CHECKING:
        # What the QuerySet beside it brings.
        def filter(self, *args: Any, **kwargs: Any) -> Self: ...
        def none(self) -> Self: ...

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Rows of the workspaces that `user` is a member of; none for somebody signed out or switched off.

        A subquery rather than a join: it never doubles rows, and can be combined with any other filter.
        """
        if not user.is_authenticated or not user.is_active:
            return self.none()
        mine = user.memberships.values("workspace_id")
        return self.filter(**{f"{self.workspace_path or 'pk'}__in": mine})
