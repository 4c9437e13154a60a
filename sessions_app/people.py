"""Whose sessions: the filter by person that history and library share.

Its values are "me", "none" (made elsewhere), and for colleagues the id of a membership of theirs in one of the
workspaces: people have no public id of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from workspaces_app.models import Membership, User

ME, NOBODY = "me", "none"


def choices(user: User, workspace_ids: Iterable[UUID]) -> list[tuple[str, str]]:
    """Values and labels: everyone, oneself, the colleagues by name, and nobody."""
    members = (
        Membership.objects.filter(workspace__in=list(workspace_ids))
        .exclude(user=user)
        .order_by("pk")
        .values_list("pk", "user_id", "user__name", "user__email")
    )
    colleagues: dict[int, tuple[str, str]] = {}
    for pk, user_id, name, email in members:
        colleagues.setdefault(user_id, (str(pk), name or email))
    return [
        ("", _("Everyone")),
        (ME, _("Started by me")),
        *sorted(colleagues.values(), key=lambda each: each[1].casefold()),
        (NOBODY, _("Made elsewhere")),
    ]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose sessions are meant: `anyone`'s, or those with this `owner_id` (None: nobody's, they were made elsewhere)."""

    anyone: bool
    id: int | None = None

    def where(self, path: str = "") -> Q:
        """The condition on a session, or on what lies at its end of `path` ("session__")."""
        if self.anyone:
            return Q()
        return (
            Q(**{f"{path}owner_id": self.id})
            if self.id is not None
            else Q(**{f"{path}owner_id__isnull": True})
        )


def owner(person: str, user: User, workspace_ids: Sequence[UUID]) -> Owner:
    """Who is chosen. Somebody who is no member of these workspaces has made nothing there."""
    if not person:
        return Owner(anyone=True)
    if person == NOBODY:
        return Owner(anyone=False)
    if person == ME:
        return Owner(anyone=False, id=user.pk)
    members = Membership.objects.filter(pk=person, workspace__in=list(workspace_ids))
    return Owner(anyone=False, id=members.values_list("user_id", flat=True).first() or -1)
