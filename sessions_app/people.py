"""Whose sessions: the filter by person that history and library share.

Its values are "me", "none" (made elsewhere), and for others their public id: those who are in one of the workspaces, and
those who left but whose sessions are there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from sessions_app.models import SessionTally
from workspaces_app.models import Membership, User

ME, NOBODY = "me", "none"


def choices(user: User, workspace_ids: Iterable[UUID]) -> list[tuple[str, str]]:
    """Values and labels: everyone, oneself, the colleagues by name, then those who left, and nobody. One query."""
    ids = list(workspace_ids)
    here = Membership.objects.filter(workspace__in=ids)
    # From the numbers beside the filters: a few rows, however many sessions there are.
    owners = SessionTally.objects.filter(workspace_id__in=ids).owners()
    others = User.objects.filter(Q(pk__in=here.values("user_id")) | Q(pk__in=owners)).exclude(pk=user.pk)
    is_here = Exists(here.filter(user=OuterRef("pk")))
    found = others.annotate(is_here=is_here).values_list("is_here", "public_id", "name", "email")
    by_name = sorted(found, key=lambda each: (not each[0], (each[2] or each[3]).casefold()))
    return [
        ("", _("Everyone")),
        (ME, _("Started by me")),
        *(
            (str(public_id), name or email if is_here else _("%(name)s (left)") % {"name": name or email})
            for is_here, public_id, name, email in by_name
        ),
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


def owner(person: str, user: User) -> Owner:
    """Who is chosen. Somebody who does not exist has made nothing, and of whoever does only what one may see is shown."""
    if not person:
        return Owner(anyone=True)
    if person == NOBODY:
        return Owner(anyone=False)
    if person == ME:
        return Owner(anyone=False, id=user.pk)
    return Owner(
        anyone=False, id=User.objects.filter(public_id=person).values_list("pk", flat=True).first() or -1
    )
