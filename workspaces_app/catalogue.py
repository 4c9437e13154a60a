"""Avatar looks, voices, styles, brand kits and glossaries of an account, mirrored page by page every six hours.

An account can offer thousands of looks, fifty to a page: one poll reads a few pages, writes them and remembers
where it stopped (`CatalogueRead`). Pickers fill as the pages come; a worker that dies costs one poll. What a whole
pass did not see any more is marked `gone`, never deleted.

Source: heygen-api.md, section 6, and GET /v3/video-agents/styles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

import heygen
from polling.budget import Priority
from polling.digests import digest_of
from polling.kinds import Announcement, Change, Changed, Claim, Kind, Pace, Reading
from workspaces_app.connections import Connection, connections_for
from workspaces_app.models import CatalogueItem, CatalogueKind, CatalogueRead
from workspaces_app.readings import failed
from workspaces_app.search_text import search_text

KIND = "catalogue"
EVERY_SECONDS = 6 * 3600.0
NEXT_PAGES_SECONDS = 1.0
AFTER_FAILURE_SECONDS = 60.0
PAGES_PER_POLL = 4


@dataclass(frozen=True, slots=True)
class Found:
    """One item of a page, ready for its row. `position` counts within its part, from where the pass is."""

    kind: str
    remote_id: str
    name: str
    position: int
    ownership: str
    search_text: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One list of the account; `fetch(client, cursor)` reads a page of it."""

    name: str
    kind: str
    ownership: str
    fetch: Callable[[heygen.Client, str | None], heygen.Page[Any]]
    remote_id: str
    words: tuple[str, ...]


# In the order in which people miss them: their own first.
PARTS = (
    Part(
        "look/private",
        CatalogueKind.LOOK,
        "private",
        lambda client, cursor: client.list_looks(ownership="private", token=cursor),
        "look_id",
        ("name", "avatar_type", "gender"),
    ),
    Part(
        "voice/private",
        CatalogueKind.VOICE,
        "private",
        lambda client, cursor: client.list_voices(type="private", token=cursor),
        "voice_id",
        ("name", "language", "gender"),
    ),
    Part(
        "brand_kit",
        CatalogueKind.BRAND_KIT,
        "private",
        lambda client, cursor: client.list_brand_kits(token=cursor),
        "brand_kit_id",
        ("name",),
    ),
    Part(
        "glossary",
        CatalogueKind.GLOSSARY,
        "private",
        lambda client, cursor: client.list_brand_glossaries(token=cursor),
        "brand_glossary_id",
        ("name",),
    ),
    Part(
        "style",
        CatalogueKind.STYLE,
        "public",
        lambda client, cursor: client.list_styles(token=cursor),
        "style_id",
        ("name", "aspect_ratio"),
    ),
    Part(
        "look/public",
        CatalogueKind.LOOK,
        "public",
        lambda client, cursor: client.list_looks(ownership="public", token=cursor),
        "look_id",
        ("name", "avatar_type", "gender"),
    ),
    Part(
        "voice/public",
        CatalogueKind.VOICE,
        "public",
        lambda client, cursor: client.list_voices(type="public", token=cursor),
        "voice_id",
        ("name", "language", "gender"),
    ),
)
_BY_NAME = {part.name: number for number, part in enumerate(PARTS)}
# What a picker filters by, besides whose it is: fields of the items as HeyGen sends them.
FACETS: Mapping[str, tuple[str, ...]] = {
    CatalogueKind.LOOK: ("avatar_type", "gender", "preferred_orientation"),
    CatalogueKind.VOICE: ("language", "gender"),
    CatalogueKind.STYLE: ("tags", "aspect_ratio"),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a pass is: the next page is that of `part` at `cursor`; part "" stands between two passes."""

    number: int = 0
    part: str = ""
    cursor: str = ""
    taken: int = 0
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Read:
    """What one poll brought: items, the lists that were read to their end, and where the next poll goes on."""

    found: tuple[Found, ...]
    complete: tuple[str, ...]
    then: Progress


@dataclass(frozen=True, slots=True)
class Job:
    connection: Connection
    progress: Progress


def _load(claims: Sequence[Claim]) -> Mapping[UUID, Job]:
    ids = [claim.object_id for claim in claims]
    passes = {
        row.workspace_id: Progress(row.number, row.part, row.cursor, row.taken, row.problems)
        for row in CatalogueRead.objects.filter(workspace_id__in=ids)
    }
    return {
        workspace_id: Job(connection, passes.get(workspace_id, Progress()))
        for workspace_id, connection in connections_for(ids).items()
    }


def _read(claim: Claim, job: Job) -> Reading:
    try:
        client = job.connection.client(priority=Priority.BACKGROUND)
    except heygen.Held as held:
        return failed(held)
    return read_pages(client, job.progress)


def read_pages(client: heygen.Client, begin: Progress) -> Reading:
    """Reads the next few pages. What was read before a failure is kept: the failure comes again, or doesn't.

    A list that the account may not see (403, 404 …) is noted and passed over; a key that is refused ends the poll.
    """
    at = begin if begin.part in _BY_NAME else Progress(begin.number + 1, PARTS[0].name)
    found: list[Found] = []
    complete: list[str] = []
    for _page in range(PAGES_PER_POLL):
        part = PARTS[_BY_NAME[at.part]]
        try:
            page = part.fetch(client, at.cursor or None)
        except (heygen.Unauthorized, heygen.PaymentRequired) as error:
            return failed(error)
        except heygen.Refused as error:
            at = replace(at, problems={**at.problems, part.name: str(error)[:200]})
            at = _after(part, at)
        except heygen.ApiError as error:
            if not found and not complete:
                return failed(error)
            break
        else:
            found += [_item(part, item, at.taken + number) for number, item in enumerate(page.items)]
            at = replace(at, taken=at.taken + len(page.items))
            if page.next_token and page.next_token != at.cursor:
                at = replace(at, cursor=page.next_token)
            else:
                complete.append(part.name)
                at = _after(part, at)
        if not at.part:
            break
    value = Read(tuple(found), tuple(complete), at)
    # A pass is a walk: each poll says something else, so its digest is the place on the way.
    digest = digest_of([at.number, at.part, at.cursor])
    return Changed(digest=digest, group="working" if at.part else "done", value=value)


def _after(part: Part, at: Progress) -> Progress:
    number = _BY_NAME[part.name] + 1
    return replace(at, part=PARTS[number].name if number < len(PARTS) else "", cursor="", taken=0)


def _item(part: Part, item: Any, position: int) -> Found:
    remote_id = getattr(item, part.remote_id)
    tags = getattr(item, "tags", ())
    name = getattr(item, "name", None) or remote_id
    return Found(
        kind=part.kind,
        remote_id=remote_id,
        name=name[:300],
        position=position,
        ownership=part.ownership,
        search_text=search_text([*(getattr(item, word) for word in part.words), *tags]),
        data=dict(item.raw),
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write: new and changed rows, and the ids of those that were only seen again."""

    changed: tuple[CatalogueItem, ...]
    seen: tuple[UUID, ...]
    read: Read


Stored = Mapping[tuple[str, str], CatalogueItem]


def _gather(changes: Sequence[Change]) -> Mapping[UUID, Stored]:
    """The rows that the pages are about, by workspace and then by (kind, remote id)."""
    stored: dict[UUID, dict[tuple[str, str], CatalogueItem]] = {}
    for change in changes:
        read: Read = change.value
        rows = CatalogueItem.objects.filter(
            workspace_id=change.claim.object_id, remote_id__in={item.remote_id for item in read.found}
        )
        stored[change.claim.object_id] = {(row.kind, row.remote_id): row for row in rows}
    return stored


def _merge(change: Change, stored: Stored | None) -> Plan:
    read: Read = change.value
    known = stored or {}
    changed: dict[tuple[str, str], CatalogueItem] = {}
    seen = []
    for item in read.found:
        row = known.get((item.kind, item.remote_id))
        if row is not None and not row.gone and row.ownership == item.ownership and same(row.data, item.data):
            seen.append(row.pk)
            continue
        changed[item.kind, item.remote_id] = CatalogueItem(
            workspace_id=change.claim.object_id,
            kind=item.kind,
            remote_id=item.remote_id,
            name=item.name,
            position=item.position,
            ownership=item.ownership,
            search_text=item.search_text,
            data=item.data,
            seen_in=read.then.number,
        )
    return Plan(tuple(changed.values()), tuple(seen), read)


def same(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether two readings of an item say the same. Links are compared whole: a preview's signature runs out."""
    return dict(before) == dict(after)


def _write(plans: Sequence[tuple[Change, Plan]]) -> Sequence[Announcement]:
    for change, plan in plans:
        workspace_id, then = change.claim.object_id, plan.read.then
        CatalogueItem.objects.bulk_create(
            plan.changed,
            update_conflicts=True,
            unique_fields=["workspace", "kind", "remote_id"],
            update_fields=["name", "position", "ownership", "search_text", "data", "seen_in", "gone"],
        )
        CatalogueItem.objects.filter(pk__in=plan.seen).update(seen_in=then.number)
        for name in plan.read.complete:
            part = PARTS[_BY_NAME[name]]
            CatalogueItem.objects.filter(
                workspace_id=workspace_id,
                kind=part.kind,
                ownership=part.ownership,
                seen_in__lt=then.number,
                gone=False,
            ).update(gone=True)
        kinds = {PARTS[_BY_NAME[name]].kind for name in plan.read.complete}
        known = CatalogueRead.objects.filter(workspace_id=workspace_id).values_list("facets", flat=True)
        CatalogueRead.objects.update_or_create(
            workspace_id=workspace_id,
            defaults={
                "facets": {
                    **(known.first() or {}),
                    **{kind: _facets(workspace_id, kind) for kind in kinds & FACETS.keys()},
                },
                "number": then.number,
                "part": then.part,
                "cursor": then.cursor,
                "taken": then.taken,
                "problems": dict(then.problems),
                **({} if then.part else {"finished_at": Now()}),
            },
        )
    return []


def _facets(workspace_id: UUID, kind: str) -> dict[str, list[str]]:
    """The values that occur, by field, in order. One that all items share is nothing to filter by."""
    found: dict[str, set[str]] = {name: set() for name in FACETS[kind]}
    items = CatalogueItem.objects.filter(workspace_id=workspace_id, kind=kind, gone=False)
    for data in items.values_list("data", flat=True):
        for name, values in found.items():
            value = data.get(name)
            each = value if isinstance(value, list) else [value]
            values.update(text for text in each if isinstance(text, str) and text)
    return {name: sorted(values, key=str.casefold) for name, values in found.items() if len(values) > 1}


def _cadence(pace: Pace) -> float | None:
    if pace.failures:
        pause = min(EVERY_SECONDS, AFTER_FAILURE_SECONDS * 2.0 ** min(pace.failures - 1, 10))
        return max(pace.retry_after or 0.0, pause)
    return NEXT_PAGES_SECONDS if pace.group == "working" else EVERY_SECONDS


CATALOGUE = Kind(
    name=KIND, load=_load, read=_read, gather=_gather, merge=_merge, write=_write, cadence=_cadence
)
