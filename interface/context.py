"""What the shell around every page needs to know: theme, where one is, whether HeyGen is the real one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
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


@cache
def navigation(*, staff: bool) -> list[Link]:
    """The places that such a person may go to, in order."""
    links = []
    for place in PLACES:
        if place.staff and not staff:
            continue
        if href := door(place.url_name):
            links.append(Link(place, href))
    return links


@cache
def door(url_name: str) -> str:
    """The address of a page that is there once; "" where an installation leaves its room out of its urls."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


def place_of(path: str) -> str:
    """The name of the place that an address belongs to; "" for none of them."""
    for link in navigation(staff=True):
        if path == link.href or (link.href != "/" and path.startswith(link.href)):
            return link.place.url_name
    return ""


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor of `base.html`. Costs no query."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "theme": theme if theme in THEMES else "",
        "simulated": settings.SIMULATED,
        "here": place_of(request.path),
    }
