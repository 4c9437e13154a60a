"""What the catalogue knows of the voices and avatar looks that the agent chose: HeyGen gives those no links of their own."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sessions_app.models import Resource
from workspaces_app.models import CatalogueItem, CatalogueKind

# Type of a resource -> the key of its metadata that names the item, and its kind. Undocumented: one may say nothing.
_NAMED_BY = {"voice": ("voice_id", CatalogueKind.VOICE), "avatar": ("avatar_id", CatalogueKind.LOOK)}


def of(resources: Iterable[Resource]) -> dict[UUID, CatalogueItem]:
    """By the ids of those resources that name an item which the workspace's catalogue has or had; with its workspace.

    One query where one names any, none otherwise.
    """
    named: dict[UUID, tuple[UUID, str, str]] = {}
    for resource in resources:
        key, kind = _NAMED_BY.get(resource.type, ("", ""))
        remote_id = resource.metadata.get(key) if isinstance(resource.metadata, dict) else None
        if isinstance(remote_id, str) and remote_id:
            named[resource.pk] = (resource.workspace_id, kind, remote_id)
    if not named:
        return {}
    workspaces, kinds, ids = map(set, zip(*named.values(), strict=True))
    items = CatalogueItem.objects.filter(workspace__in=workspaces, kind__in=kinds, remote_id__in=ids)
    found = {
        (item.workspace_id, item.kind, item.remote_id): item for item in items.select_related("workspace")
    }
    return {pk: found[key] for pk, key in named.items() if key in found}
