"""Whose sessions: the filter by person that history and library share.

Its values are "me", "none" (made elsewhere), and for others their public id: those who are in one of the workspaces, and
those who left but whose sessions are there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from threading import Lock
from typing import NamedTuple
from uuid import UUID

from cachetools import TTLCache, cached
from django.db.models import Q, Value
from django.utils.translation import gettext as _

from sessions_app.models import SessionTally
from workspaces_app.models import User

ME, NOBODY = "me", "none"
# Who comes or goes stands in the filters so much later: asking costs as much as the rows of a page.
KEPT_SECONDS = 5


def choices(user: User, workspace_ids: Iterable[UUID]) -> list[tuple[str, str]]:
    """Values and labels: everyone, oneself, the colleagues by name, then those who left, and nobody."""
    others = [each for each in _known(frozenset(workspace_ids)) if each.id != user.pk]
    return [
        ("", _("Everyone")),
        (ME, _("Started by me")),
        *((each.value, each.name) for each in others if each.is_here),
        *((each.value, _("%(name)s (left)") % {"name": each.name}) for each in others if not each.is_here),
        (NOBODY, _("Made elsewhere")),
    ]


class _Person(NamedTuple):
    id: int
    value: str
    name: str
    is_here: bool


@cached(TTLCache(64, KEPT_SECONDS), lock=Lock())
def _known(workspace_ids: frozenset[UUID]) -> list[_Person]:
    """Members of these workspaces, and who owns sessions there; by name. One query."""
    # The first from the memberships, the second from the numbers beside the filters: a few rows, however many sessions.
    members = User.objects.filter(memberships__workspace__in=workspace_ids)
    owners = User.objects.filter(pk__in=SessionTally.objects.filter(workspace_id__in=workspace_ids).owners())
    names = ("pk", "public_id", "name", "email")
    found = (
        members.order_by()
        .values_list(*names, Value(True))
        .union(owners.order_by().values_list(*names, Value(False)))
    )
    # Of one person the row of a member comes last, and counts.
    people = {
        pk: _Person(pk, str(public_id), name or email, bool(is_here))
        for pk, public_id, name, email, is_here in sorted(found, key=itemgetter(4))
    }
    return sorted(people.values(), key=lambda each: each.name.casefold())


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
