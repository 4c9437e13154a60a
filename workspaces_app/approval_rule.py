"""What a workspace asks of an approval: who may give one, how many a storyboard needs, whether its author's counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workspaces_app.models import Membership, Role, Workspace

# More than any team needs, few enough that a wrong number is noticed.
MOST = 9


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """`needed` approvals by different people; `author_counts`: the person who started the session is one of them.

    `creators_may`: creators may approve as well, and so may say anything while a storyboard awaits its verdict.
    """

    needed: int = 1
    author_counts: bool = True
    creators_may: bool = False

    @classmethod
    def of(cls, workspace: Workspace) -> ApprovalRule:
        """The workspace's rule. What makes no sense in its settings counts as not set: the strict side of each."""
        stored = workspace.settings if isinstance(workspace.settings, dict) else {}
        needed = stored.get("approvals_needed", 1)
        return cls(
            needed=min(needed, MOST) if type(needed) is int and needed >= 1 else 1,
            author_counts=stored.get("author_may_approve", True) is True,
            creators_may=stored.get("creators_may_approve", False) is True,
        )

    def as_settings(self) -> dict[str, Any]:
        """The same as `Workspace.settings` keeps it."""
        return {
            "approvals_needed": self.needed,
            "author_may_approve": self.author_counts,
            "creators_may_approve": self.creators_may,
        }

    @property
    def role(self) -> Role:
        """The lowest role whose approval counts."""
        return Role.CREATOR if self.creators_may else Role.APPROVER

    @property
    def roles(self) -> list[Role]:
        return [role for role in Role if role.allows(self.role)]

    def lets_one_decide(self, *, author: bool) -> bool:
        """Whether one person alone approves; `author`: that person started the session."""
        return self.needed == 1 and (self.author_counts or not author)


def people_who_may_approve(workspace: Workspace, rule: ApprovalRule) -> int:
    """How many members could give an approval that counts."""
    return Membership.objects.filter(workspace=workspace, role__in=rule.roles, user__is_active=True).count()
