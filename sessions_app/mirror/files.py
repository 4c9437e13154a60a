"""Copies each remote file to our own disk while its link is good: links expire, and what was seen must stay.

Runs in the `files` lane, so that large downloads never hold up polls. A link that has become too old wakes its object's
poll, which brings a fresh one; a fresh one that leads nowhere is only tried again later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Q

from polling import clock, schedule
from polling.changes import Announcement
from polling.kinds import Change, Changed, Claim, Failed, Kind, Pace, Reading
from sessions_app import vault
from sessions_app.mirror.media import FILE_KIND, LINK_SECONDS
from sessions_app.models import MediaFile, MediaState, Resource, VideoSession

# About a day of growing pauses; then only a person who asks for the file has it tried again.
TRIES = 30
LONGEST_PAUSE = 3600.0  # seconds
SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Job:
    url: str
    owner_kind: str
    owner_id: UUID
    session_id: UUID
    link_is_old: bool


def cadence(pace: Pace) -> float | None:
    """Seconds to the next try: none after a copy, growing pauses after a failure."""
    if pace.failures == 0 or pace.failures >= TRIES:
        return None
    return min(5.0 * 2.0**pace.failures, LONGEST_PAUSE)


def load(claims: Sequence[Claim]) -> Mapping[UUID, Job]:
    rows = MediaFile.objects.filter(
        pk__in=[claim.object_id for claim in claims], state=MediaState.WANTED
    ).select_related("resource", "video")
    is_old = Q(linked_at=None) | Q(linked_at__lt=clock.later(-LINK_SECONDS))
    jobs: dict[UUID, Job] = {}
    for file in rows.annotate(link_is_old=is_old):  # type: ignore[no-redef]  # the model declares it
        owner = file.resource or file.video
        if owner is not None:
            kind = "resource" if file.resource_id else "video"
            jobs[file.pk] = Job(file.remote_url, kind, owner.pk, owner.session_id, file.link_is_old)
    return jobs


def read(claim: Claim, job: Job) -> Reading:
    try:
        copy = vault.fetch(job.url, seconds=SECONDS)
    except vault.NotFetched as error:
        return Failed(reason=error.reason, message=str(error))
    return Changed(digest=copy.sha256[:32], group="done", value=copy)


def gather(changes: Sequence[Change]) -> Mapping[UUID, None]:
    return {}


def merge(change: Change, stored: None) -> vault.Copy:
    copy: vault.Copy = change.value
    return copy


def write(plans: Sequence[tuple[Change, vault.Copy]]) -> Sequence[Announcement]:
    now = clock.now()
    files = MediaFile.objects.in_bulk([change.claim.object_id for change, _ in plans])
    for change, copy in plans:
        file = files.get(change.claim.object_id)
        if file is None:
            continue
        file.state, file.failure, file.stored_at = MediaState.STORED, "", now
        file.path, file.size, file.content_type, file.sha256, file.width, file.height = (
            *(copy.path, copy.size, copy.content_type, copy.sha256),
            *(copy.width, copy.height),
        )
    MediaFile.objects.bulk_update(
        files.values(),
        ["state", "failure", "stored_at", "path", "size", "content_type", "sha256", "width", "height"],
    )
    return _shown_again({change.job.session_id for change, _ in plans}, list(files))


def _shown_again(session_ids: set[UUID], file_ids: list[UUID]) -> list[Announcement]:
    """The pages of these sessions show the files, and so do messages that carry their resources."""
    VideoSession.objects.filter(pk__in=session_ids).update(version=F("version") + 1)
    rows = list(VideoSession.objects.filter(pk__in=session_ids).values_list("pk", "workspace_id", "version"))
    for pk, _, version in rows:
        Resource.objects.filter(session=pk, files__in=file_ids).update(version=version)
    return [Announcement(workspace_id, "session", pk, version) for pk, workspace_id, version in rows]


def on_failures(failures: Sequence[tuple[Claim, Failed, int]]) -> None:
    jobs = load([claim for claim, _, _ in failures])
    for claim, failure, count in failures:
        job = jobs.get(claim.object_id)
        if job is None:
            continue
        over = count >= TRIES or failure.reason == "not_copied"
        MediaFile.objects.filter(pk=claim.object_id).update(
            failure=failure.message[:500], state=MediaState.FAILED if over else MediaState.WANTED
        )
        if failure.reason == "link_expired" and not over and job.link_is_old:
            schedule.wake(job.owner_kind, [job.owner_id])


FILE = Kind(
    name=FILE_KIND,
    lane="files",
    deadline=SECONDS + 15,
    load=load,
    read=read,
    gather=gather,
    merge=merge,
    write=write,
    failed=on_failures,
    cadence=cadence,
)
