"""What a new session or live stream may be made with: the workspace's catalogue as choices to search, filter and look at."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from polling import clock
from workspaces_app.catalogue import EVERY_SECONDS, FACETS
from workspaces_app.models import CatalogueItem, CatalogueKind, CatalogueRead

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from workspaces_app.models import CatalogueItemQuerySet, User, Workspace

# What one load of a picker shows; "show more" brings as many again.
CHOICES = 24
MOST_SHOWN = 2_000
RECENTS = 6
FIELDS: Mapping[str, str] = {
    "avatar_id": CatalogueKind.LOOK,
    "voice_id": CatalogueKind.VOICE,
    "style_id": CatalogueKind.STYLE,
    "brand_kit_id": CatalogueKind.BRAND_KIT,
    "brand_glossary_id": CatalogueKind.GLOSSARY,
}
_FIELD_OF = {str(kind): field for field, kind in FIELDS.items()}
# How the choices of a kind are drawn: pictures in a grid, or lines.
_GRIDS = (CatalogueKind.LOOK, CatalogueKind.STYLE)
_SHOWS: Mapping[str, _StrPromise] = {
    "": gettext_lazy("Everything"),
    "recent": gettext_lazy("Used by me lately"),
    "favourite": gettext_lazy("Team favourites"),
    "private": gettext_lazy("Our own"),
    "public": gettext_lazy("HeyGen's public ones"),
}
_FACET_LABELS: Mapping[str, _StrPromise] = {
    "avatar_type": pgettext_lazy("filter", "Any kind"),
    "gender": pgettext_lazy("filter", "Any gender"),
    "preferred_orientation": pgettext_lazy("filter", "Any orientation"),
    "language": pgettext_lazy("filter", "Any language"),
    "tags": pgettext_lazy("filter", "Any tag"),
    "aspect_ratio": pgettext_lazy("filter", "Any shape"),
}
_AGENT_DECIDES = gettext_lazy("The agent decides")
_NOTHING: Mapping[str, _StrPromise] = {
    CatalogueKind.BRAND_KIT: gettext_lazy("None"),
    CatalogueKind.GLOSSARY: gettext_lazy("None"),
}
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to pick. `picture`, `sound` and `film` are addresses of ours, "" where it has none.

    `colours` are those of a brand kit, each with the x at which it is drawn.
    """

    pk: UUID
    value: str
    name: str
    detail: str
    picture: str
    sound: str
    film: str
    colours: Sequence[tuple[int, str]]
    favourite: bool
    recent: bool
    usable: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """A list to choose one value from; the first option stands for all."""

    name: str
    label: str
    value: str
    options: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Picker:
    """A field with choices from the catalogue. `picked` is None where nothing is, or what is has gone from the catalogue.

    `begins`: these are the first choices; `more` is where the next ones begin, 0 when these were the last. `known`: the
    list was read to its end once; `problem` says why it could not be. `must`: one has to be picked; `nothing` are the
    words for none.
    """

    field: str
    kind: str
    label: str
    grid: bool
    choices: Sequence[Choice]
    picked: Choice | None
    value: str
    search: str
    filters: Sequence[Filter]
    narrowed: bool
    begins: bool
    more: int
    open: bool
    known: bool
    problem: str
    address: str
    must: bool
    nothing: str

    @property
    def rows(self) -> Sequence[Choice]:
        """Everything that is drawn: the picked one stands first, wherever it is in the catalogue."""
        first = [self.picked] if self.picked is not None and self.begins else []
        return [*first, *self.choices]


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody looks for in a picker. Its parameters carry the kind: "look-search", "voice-language" …"""

    search: str = ""
    show: str = ""
    facets: Mapping[str, str] = field(default_factory=dict)
    start: int = 0

    @classmethod
    def of(cls, kind: str, query: QueryDict) -> Asked:
        start = query.get(f"{kind}-start", "")
        show = query.get(f"{kind}-show", "")
        return cls(
            search=query.get(f"{kind}-search", "")[:100],
            show=show if show in _SHOWS else "",
            facets={name: query.get(f"{kind}-{name}", "")[:100] for name in FACETS.get(kind, ())},
            start=min(int(start), MOST_SHOWN) if start.isdecimal() and len(start) < 7 else 0,
        )

    @property
    def narrowed(self) -> bool:
        return bool(self.search or self.show or any(self.facets.values()))


@dataclass(frozen=True, slots=True)
class CatalogueState:
    """How old what the pickers show is; `finished_at` None: not read to its end yet. `late` when it should be newer."""

    finished_at: datetime | None
    late: bool
    facets: Mapping[str, Mapping[str, Sequence[str]]]
    problems: Mapping[str, str]


def catalogue_state(workspace: Workspace) -> CatalogueState:
    read = CatalogueRead.objects.filter(workspace=workspace).annotate(age=clock.age("finished_at")).first()
    if read is None:
        return CatalogueState(None, False, {}, {})
    late = read.age is not None and read.age > timedelta(seconds=2 * EVERY_SECONDS)
    return CatalogueState(read.finished_at, late, read.facets, read.problems)


def field_of(kind: str) -> str | None:
    """The field of a form that a kind of the catalogue is picked for; None for what is no kind."""
    return _FIELD_OF.get(kind)


def picker(
    workspace: Workspace,
    user: User,
    kind: str,
    *,
    value: str,
    asked: Asked,
    state: CatalogueState,
    opened: bool = False,
    whole: bool = False,
    must: bool = False,
) -> Picker:
    """The choices from `asked.start` on, or (`whole`) all up to there and the next: what a page without JavaScript needs.

    The picked one is not among the choices; on the first load what the person used lately comes first.
    """
    picked = (
        CatalogueItem.objects.filter(workspace=workspace, kind=kind, remote_id=value).first()
        if value
        else None
    )
    items = _found(workspace, user, kind, asked)
    if picked is not None:
        items = items.exclude(pk=picked.pk)
    recents = [] if asked.show else list(items.recent_of(user)[:RECENTS])
    rest = items.exclude(pk__in=[item.pk for item in recents])
    begin, end = (0, asked.start + CHOICES) if whole else (asked.start, asked.start + CHOICES)
    found = list(rest[begin : end + 1])
    first = recents if begin == 0 else []
    return Picker(
        field=_FIELD_OF[kind],
        kind=kind,
        label=str(CatalogueKind(kind).label),
        grid=kind in _GRIDS,
        choices=[
            *(_choice(item, workspace, recent=True) for item in first),
            *(_choice(item, workspace, recent=asked.show == "recent") for item in found[: end - begin]),
        ],
        picked=_choice(picked, workspace) if picked is not None else None,
        value=value,
        search=asked.search,
        filters=_filters(kind, asked, state),
        narrowed=asked.narrowed,
        begins=begin == 0,
        more=end if len(found) > end - begin else 0,
        open=opened,
        known=state.finished_at is not None,
        problem=next((why for part, why in state.problems.items() if part.partition("/")[0] == kind), ""),
        address=reverse("workspaces:choices", args=[workspace.slug, kind]) + ("?must=1" if must else ""),
        must=must,
        nothing=_("Choose one") if must else str(_NOTHING.get(kind, _AGENT_DECIDES)),
    )


def follow(workspace: Workspace, press: str) -> tuple[str, int]:
    """Does what a button of a picker asks of a page without JavaScript, and says which one is open then, and from where on.

    `press` is "show:KIND", "more:KIND:START" or "favourite:ID:0 or 1:KIND"; of anything else nothing is open.
    """
    do, _colon, about = press.partition(":")
    if do == "favourite":
        pk, _colon, rest = about.partition(":")
        wanted, _colon, about = rest.partition(":")
        _favour(workspace, pk, wanted == "1")
    kind, _colon, start = about.partition(":")
    return (
        kind if do in ("show", "more", "favourite") else "",
        int(start) if do == "more" and start.isdecimal() and len(start) < 7 else 0,
    )


def _favour(workspace: Workspace, pk: str, favourite: bool) -> None:
    try:
        rows = CatalogueItem.objects.filter(workspace=workspace, pk=UUID(pk))
    except ValueError:
        return
    rows.update(favourite=favourite)


def _found(workspace: Workspace, user: User, kind: str, asked: Asked) -> CatalogueItemQuerySet:
    ownership = asked.show if asked.show in ("private", "public") else ""
    items = CatalogueItem.objects.for_picker(
        workspace, kind, asked.search, {**asked.facets, "ownership": ownership}
    )
    if asked.show == "favourite":
        return items.filter(favourite=True)
    return items.recent_of(user) if asked.show == "recent" else items


def _filters(kind: str, asked: Asked, state: CatalogueState) -> list[Filter]:
    shows = [(value, str(label)) for value, label in _SHOWS.items()]
    values = state.facets.get(kind, {})
    return [
        Filter(f"{kind}-show", _("Which"), asked.show, shows),
        *(
            Filter(
                f"{kind}-{name}",
                str(_FACET_LABELS[name]),
                asked.facets.get(name, ""),
                [("", str(_FACET_LABELS[name])), *((value, _readable(value)) for value in values[name])],
            )
            for name in FACETS.get(kind, ())
            if name in values
        ),
    ]


def _readable(code: str) -> str:
    return code.replace("_", " ")


def preview_address(item: CatalogueItem, workspace: Workspace, what: str) -> str:
    """Where a page gets the item's "picture", "sound" or "film"; "" where it has none."""
    if item.preview(what) is None:
        return ""
    return reverse("workspaces:catalogue-preview", args=[workspace.slug, item.pk, what])


def _choice(item: CatalogueItem, workspace: Workspace, *, recent: bool = False) -> Choice:
    fields = ("language", "gender", "aspect_ratio", "avatar_type")
    details: list[str | Promise] = [_readable(str(item.data.get(name) or "")) for name in fields]
    if item.ownership == "private":
        details.insert(0, pgettext_lazy("in a catalogue", "Our own"))
    if not item.usable:
        details.insert(0, _("Not ready at HeyGen"))
    colours = item.data.get("colors")
    shown = [
        colour
        for colour in (colours if isinstance(colours, list) else [])
        if isinstance(colour, str) and _COLOUR.fullmatch(colour)
    ]
    return Choice(
        pk=item.pk,
        value=item.remote_id,
        name=item.name,
        detail=" · ".join(str(detail) for detail in details if detail),
        picture=preview_address(item, workspace, "picture"),
        sound=preview_address(item, workspace, "sound"),
        film=preview_address(item, workspace, "film"),
        colours=list(zip(range(6, 96, 12), shown, strict=False)),
        favourite=item.favourite,
        recent=recent,
        usable=item.usable,
    )
