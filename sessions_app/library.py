"""What the agent made, across sessions: resources and videos, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count

from sessions_app import keyset, tiles
from sessions_app.models import Resource, Video, VideoSession
from sessions_app.tiles import Film, Tile
from workspaces_app import access as workspaces
from workspaces_app.models import User

PAGE = 60
# A filter value of our own: final videos are rows of another kind than resources.
FINISHED = "finished-video"


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing of the library with the session it came from."""

    session: VideoSession
    tile: Tile | None = None
    film: Film | None = None


@dataclass(frozen=True, slots=True)
class Page:
    items: list[Shown]
    next: str
    types: list[tuple[str, int]]


def page(user: User, chosen: Mapping[str, Any]) -> Page:
    """One page. `chosen` are the valid values of forms.LibraryFilter. Types that nobody foresaw are there, too."""
    ids = _workspaces(user, chosen)
    resources = _narrowed(Resource.objects.described(), user, chosen)
    if chosen["source"]:
        resources = resources.filter(source=chosen["source"])
    videos = _narrowed(Video.objects.filter(group="done"), user, chosen)
    types = [
        (kind, number)
        for kind, number in resources.filter(workspace__in=ids)
        .order_by()
        .values_list("type")
        .annotate(number=Count("*"))
        .order_by("-number")
        if kind
    ]
    finished = 0 if chosen["source"] == "user_uploaded" else videos.filter(workspace__in=ids).count()
    walked = ids
    if chosen["session"] or not ids:
        # What one session made is a short list already.
        resources, videos, walked = resources.filter(workspace__in=ids), videos.filter(workspace__in=ids), []
    if chosen["type"] == FINISHED:
        found, after = keyset.page(
            videos.for_library(), "first_seen_at", chosen["after"], PAGE, workspaces=walked
        )
        items = [Shown(video.session, film=tiles.film(video, video.files.all())) for video in found]
    else:
        if chosen["type"]:
            resources = resources.filter(type=chosen["type"])
        found, after = keyset.page(
            resources.for_library(), "first_seen_at", chosen["after"], PAGE, workspaces=walked
        )
        items = [
            Shown(resource.session, tile=tiles.tile(resource, resource.files.all())) for resource in found
        ]
    return Page(items, after, [(FINISHED, finished), *types])


def _workspaces(user: User, chosen: Mapping[str, Any]) -> list[UUID]:
    mine = workspaces.visible_workspaces(user)
    if chosen["workspace"]:
        mine = mine.filter(slug=chosen["workspace"])
    return list(mine.values_list("pk", flat=True))


def _narrowed(rows: Any, user: User, chosen: Mapping[str, Any]) -> Any:
    """Filters that resources and videos share. Days are those of the person's time zone."""
    zone = ZoneInfo(user.time_zone)
    if chosen["session"]:
        rows = rows.filter(session=chosen["session"])
    if chosen["person"] == "me":
        rows = rows.filter(session__owner=user)
    elif chosen["person"] == "none":
        rows = rows.filter(session__owner=None)
    if chosen["since"]:
        rows = rows.filter(first_seen_at__gte=datetime.combine(chosen["since"], time.min, zone))
    if chosen["until"]:
        rows = rows.filter(first_seen_at__lte=datetime.combine(chosen["until"], time.max, zone))
    return rows
