"""The links of an object, as MediaFile rows. Shared by resources and videos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from polling import clock, schedule
from sessions_app.models import MediaFile, MediaRole, MediaState

FILE_KIND = "file"
# A link younger than this is not asked for anew: if it leads nowhere, so would the next.
LINK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Link:
    """Where HeyGen keeps one file of an object, at the moment of a read. Exactly one of the two ids is set."""

    workspace_id: UUID
    role: MediaRole
    url: str
    resource_id: UUID | None = None
    video_id: UUID | None = None

    @property
    def key(self) -> tuple[UUID | None, UUID | None, str]:
        return (self.resource_id, self.video_id, self.role)


def same_target(one: str, other: str) -> bool:
    """Whether two links lead to the same file: a presigned one differs in its query at every read."""
    try:
        return urlsplit(one)[:3] == urlsplit(other)[:3]
    except ValueError:
        return one == other  # no address at all, as it came


def wanting_links(owner: str, ids: Iterable[UUID]) -> set[UUID]:
    """Which of these `owner`s ("resource", "video") have a file to copy whose link is old enough to be asked for anew."""
    files = MediaFile.objects.filter(
        state=MediaState.WANTED, linked_at__lt=clock.later(-LINK_SECONDS), **{f"{owner}__in": ids}
    )
    return set(files.values_list(owner, flat=True))


def write_links(links: Sequence[Link], *, now: datetime) -> None:
    """Stores fresh links and lets what is not copied yet be copied. Runs inside the caller's transaction."""
    if not links:
        return
    stored: dict[tuple[UUID | None, UUID | None, str], MediaFile] = {
        (file.resource_id, file.video_id, file.role): file
        for file in [
            *MediaFile.objects.filter(resource__in={link.resource_id for link in links if link.resource_id}),
            *MediaFile.objects.filter(video__in={link.video_id for link in links if link.video_id}),
        ]
    }
    added: list[MediaFile] = []
    for link in links:
        file = stored.get(link.key)
        if file is None:
            added.append(
                MediaFile(
                    workspace_id=link.workspace_id,
                    resource_id=link.resource_id,
                    video_id=link.video_id,
                    role=link.role,
                    remote_url=link.url,
                    linked_at=now,
                )
            )
            continue
        if not same_target(file.remote_url, link.url):
            file.state = MediaState.WANTED
            file.failure = ""
        file.remote_url = link.url
        file.linked_at = now
    known = [stored[link.key] for link in links if link.key in stored]
    MediaFile.objects.bulk_create(added)
    MediaFile.objects.bulk_update(known, ["remote_url", "linked_at", "state", "failure"])
    _enroll([file for file in [*added, *known] if file.state == MediaState.WANTED])


def _enroll(files: Iterable[MediaFile]) -> None:
    by_workspace: Mapping[UUID, list[UUID]] = defaultdict(list)
    for file in files:
        by_workspace[file.workspace_id].append(file.pk)
    for workspace_id, ids in by_workspace.items():
        # No key: a copy is no call of the API, and a closed key must not stop it.
        schedule.enroll(FILE_KIND, ids, workspace_id=workspace_id, fingerprint="")
        schedule.wake(FILE_KIND, ids)
