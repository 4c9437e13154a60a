"""Whose sessions: the filter by person that history and library share.

Its values are "me", "none" (made elsewhere), and for others their public id: those who are in one of the workspaces, and
those who left but whose sessions are there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from uuid import UUID

from django.db.models import Q, Value
from django.utils.translation import gettext as _

from sessions_app.models import SessionTally
from workspaces_app.models import User

ME, NOBODY = "me", "none"


def choices(user: User, workspace_ids: Iterable[UUID]) -> list[tuple[str, str]]:
    """Values and labels: everyone, oneself, the colleagues by name, then those who left, and nobody. One query."""
    ids = list(workspace_ids)
    # The first from the memberships, the second from the numbers beside the filters: a few rows, however many sessions.
    members = User.objects.filter(memberships__workspace__in=ids)
    owners = User.objects.filter(pk__in=SessionTally.objects.filter(workspace_id__in=ids).owners())
    names = ("public_id", "name", "email")
    found = (
        members.order_by()
        .values_list("pk", *names, Value(True))
        .union(owners.order_by().values_list("pk", *names, Value(False)))
    )
    # Of one person the row of a member comes last, and counts.
    known = {
        pk: (bool(is_here), str(public_id), name or email)
        for pk, public_id, name, email, is_here in sorted(found, key=itemgetter(4))
    }
    known.pop(user.pk, None)
    return [
        ("", _("Everyone")),
        (ME, _("Started by me")),
        *_by_name((value, name) for is_here, value, name in known.values() if is_here),
        *_by_name(
            (value, _("%(name)s (left)") % {"name": name})
            for is_here, value, name in known.values()
            if not is_here
        ),
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
