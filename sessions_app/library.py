"""What the agent made, across sessions: resources and videos, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Q
from django.utils.translation import gettext_lazy

from sessions_app import keyset, offers, people, tiles
from sessions_app.models import LibraryTally, Resource, Video, VideoSession
from sessions_app.tiles import Film, Tile
from workspaces_app.models import User, Workspace

PAGE = 60
# A filter value of our own: final videos are rows of another kind than resources.
FINISHED = "finished-video"
_SOURCES = {"generated": gettext_lazy("generated"), "user_uploaded": gettext_lazy("uploaded")}


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing of the library with the session it came from."""

    session: VideoSession
    tile: Tile | None = None
    film: Film | None = None

    @property
    def address(self) -> str:
        """Where in its session it is: at the message that brought it, or at the film."""
        if self.film is not None:
            return f"{self.session.get_absolute_url()}#film-{self.film.id}"
        position = self.tile.message_position if self.tile is not None else None
        return self.session.get_absolute_url() + ("" if position is None else f"#m{position}")

    @property
    def about(self) -> str:
        """What the large view says of it beside its name."""
        parts: list[object] = [self.session.display_title, self.session.workspace.name]
        if self.tile is not None:
            parts = [
                self.tile.type if self.tile.named else "",
                _SOURCES.get(self.tile.source, self.tile.source),
                *parts,
                self.tile.facts,
            ]
        return " · ".join(str(part) for part in parts if part)


@dataclass(frozen=True, slots=True)
class Page:
    """`types`: each with its number, which is None where nobody counted: between two days."""

    items: list[Shown]
    next: str
    types: list[tuple[str, int | None]]


def page(user: User, chosen: Mapping[str, Any], workspaces: Sequence[Workspace]) -> Page:
    """One page. `chosen` are the valid values of forms.LibraryFilter. Types that nobody foresaw are there, too."""
    ids = [each.pk for each in workspaces if chosen["workspace"] in ("", each.slug)]
    dated = _between(chosen["since"], chosen["until"], user.zone)
    owner = people.owner(chosen["person"], user)
    narrowed = dated & owner.where("session__")
    if chosen["session"]:
        narrowed &= Q(session=chosen["session"])
    resources = Resource.objects.described().filter(narrowed)
    if chosen["source"]:
        resources = resources.filter(source=chosen["source"])
    videos = Video.objects.filter(narrowed, group="done")
    types = _types(owner, chosen, ids)
    walked = ids
    if chosen["session"] or not ids:
        # What one session made is a short list already.
        resources, videos, walked = resources.filter(workspace__in=ids), videos.filter(workspace__in=ids), []
    items: list[Shown]
    if chosen["type"] == FINISHED:
        films, after = keyset.page(
            videos.for_library(), "first_seen_at", chosen["after"], PAGE, workspaces=walked
        )
        items = [Shown(video.session, film=tiles.film(video, video.files.all())) for video in films]
    else:
        if chosen["type"]:
            resources = resources.filter(type=chosen["type"])
        found, after = keyset.page(
            resources.for_library(), "first_seen_at", chosen["after"], PAGE, workspaces=walked
        )
        offered = offers.of(found)
        items = [
            Shown(
                resource.session,
                tile=tiles.tile(resource, resource.files.all(), offered.get(resource.pk)),
            )
            for resource in found
        ]
    return Page(items, after, types)


def _types(
    owner: people.Owner, chosen: Mapping[str, Any], ids: Sequence[UUID]
) -> list[tuple[str, int | None]]:
    """Finished videos, then the types of resources, the most frequent first."""
    if chosen["session"]:
        of_session = Resource.objects.described().filter(session=chosen["session"], workspace__in=ids)
        if chosen["source"]:
            of_session = of_session.filter(source=chosen["source"])
        numbers = dict(of_session.order_by().values_list("type").annotate(number=Count("*")))
        films = Video.objects.filter(session=chosen["session"], workspace__in=ids, group="done").count()
    else:
        tallies = LibraryTally.objects.filter(owner.where(), workspace_id__in=ids)
        if chosen["source"]:
            tallies = tallies.filter(Q(source=chosen["source"]) | Q(film=True))
        numbers = tallies.numbers("type")
        # Films have no type, and nothing else in there has none.
        films = numbers.get("", 0)
    numbers.pop("", None)
    if chosen["source"] == "user_uploaded":
        films = 0
    ordered = [(FINISHED, films), *sorted(numbers.items(), key=lambda each: (-each[1], each[0]))]
    if chosen["since"] or chosen["until"]:
        return [(kind, None) for kind, _number in ordered]
    return list(ordered)


def _between(since: Any, until: Any, zone: ZoneInfo) -> Q:
    """First seen on these days and between them; they are days of the person's time zone."""
    condition = Q()
    if since:
        condition &= Q(first_seen_at__gte=datetime.combine(since, time.min, zone))
    if until:
        condition &= Q(first_seen_at__lte=datetime.combine(until, time.max, zone))
    return condition
