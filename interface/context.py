"""What the shell around every page needs to know: theme, where one is, whether HeyGen is the real one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

THEME_COOKIE = "dailies_theme"  # cookies of one host are shared by all its ports
THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the main navigation. `secondary` ones move into the menu on a phone."""

    url_name: str
    label: str | Promise
    icon: str
    secondary: bool = False
    staff: bool = False


PLACES = (
    Place("sessions:inbox", _("Inbox"), "inbox"),
    Place("sessions:history", _("Sessions"), "clapperboard"),
    Place("sessions:library", _("Library"), "images"),
    Place("live:list", _("Live"), "radio"),
    Place("workspaces:list", _("Workspaces"), "building-2", secondary=True),
    Place("ops:board", _("Ops"), "gauge", secondary=True, staff=True),
)


@dataclass(frozen=True, slots=True)
class Link:
    place: Place
    href: str
    current: bool


def navigation(path: str, *, staff: bool) -> list[Link]:
    """The places this person may go, in order; the one that `path` is in is marked."""
    links = []
    for place in PLACES:
        if place.staff and not staff:
            continue
        try:
            href = reverse(place.url_name)
        except NoReverseMatch:
            # An installation may leave a room out of its urls; its door is then left out as well.
            continue
        current = path == href or (href != "/" and path.startswith(href))
        links.append(Link(place, href, current))
    return links


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor of `base.html`. Costs no query."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "theme": theme if theme in THEMES else "",
        "simulated": getattr(settings, "SIMULATED", False),
        "navigation": SimpleLazyObject(
            lambda: navigation(request.path, staff=getattr(request.user, "is_staff", False))
        ),
    }
