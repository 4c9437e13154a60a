"""Whose sessions: the filter by person that history and library share.

Its values are "me", "none" (made elsewhere), and for others their public id: those who are in one of the workspaces, and
those who left but whose sessions are there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from sessions_app.models import SessionTally
from workspaces_app.models import Membership, User

ME, NOBODY = "me", "none"


def choices(user: User, workspace_ids: Iterable[UUID]) -> list[tuple[str, str]]:
    """Values and labels: everyone, oneself, the colleagues by name, then those who left, and nobody.

    Two queries, a third where somebody left: together they cost half of one that finds all.
    """
    ids = list(workspace_ids)
    memberships = Membership.objects.filter(workspace__in=ids)
    here = {
        user_id: (str(public_id), name or email)
        for user_id, public_id, name, email in memberships.values_list(
            "user_id", "user__public_id", "user__name", "user__email"
        )
    }
    # From the numbers beside the filters: a few rows, however many sessions there are.
    gone = SessionTally.objects.filter(workspace_id__in=ids).owners() - here.keys() - {user.pk}
    left = User.objects.filter(pk__in=gone).values_list("public_id", "name", "email") if gone else ()
    here.pop(user.pk, None)
    return [
        ("", _("Everyone")),
        (ME, _("Started by me")),
        *_by_name(here.values()),
        *_by_name((str(pk), _("%(name)s (left)") % {"name": name or email}) for pk, name, email in left),
        (NOBODY, _("Made elsewhere")),
    ]


def _by_name(people: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(people, key=lambda each: each[1].casefold())


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
