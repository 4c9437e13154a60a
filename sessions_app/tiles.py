"""Resources and videos as things to look at: which of their files is the picture, the film, the sound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from sessions_app import words
from sessions_app.models import MediaFile, MediaRole, MediaState, Resource, Video, VideoSession
from sessions_app.proportions import step_of
from workspaces_app.pickers import preview_address

if TYPE_CHECKING:
    from datetime import datetime

    from workspaces_app.models import CatalogueItem

_LOOKS = {"image": "image", "draft": "image", "avatar": "image", "video": "video", "voice": "audio"}
_ICONS = {"image": "image", "video": "film", "audio": "audio-lines"}


@dataclass(frozen=True, slots=True)
class Tile:
    """One resource. All addresses are ours (`/files/…`) or "" where there is nothing to show.

    `name`: its own (`named`), else what its `type` is called.
    `look`: "image", "video", "audio" or "other", by what its file is and else by its type.
    `icon`: stands where there is no picture.
    `large`: what the large view shows. A draft is a text with a picture beside it: its `file` is not to be looked at.
    `ratio`: that of its picture, as `proportions.STEPS` has it; None where nobody knows.
    `facts`: the rest of its metadata, "tone: calm · scenes: 4"; "" where there is none.
    `note`: "missing" (HeyGen does not know it), "coming" (not described yet), "" otherwise.
    """

    id: UUID
    name: str
    named: bool
    type: str
    source: str
    look: str
    icon: str
    picture: str
    file: str
    large: str
    message_position: int | None
    seen_at: datetime
    note: str = ""
    ratio: int | None = None
    facts: str = ""


@dataclass(frozen=True, slots=True)
class Film:
    """One video of a session. Addresses as in `Tile`; `seconds` is its length.

    `uncopied`: why its file could not be copied and will not be; "" where it was or still may be. `page`: where it is at HeyGen.
    """

    id: UUID
    title: str
    group: str
    status: str
    seconds: float | None
    poster: str
    video: str
    captioned: str
    subtitles: str
    captions: str
    content_type: str
    failure: str
    portrait: bool
    seen_at: datetime
    ratio: int | None = None
    uncopied: str = ""
    page: str = ""


def files_of(session: VideoSession) -> Mapping[UUID, list[MediaFile]]:
    """The files of everything in a session, by the id of their resource or video. One query."""
    found: dict[UUID, list[MediaFile]] = defaultdict(list)
    for file in MediaFile.objects.filter(Q(resource__session=session) | Q(video__session=session)):
        for owner_id in filter(None, (file.resource_id, file.video_id)):
            found[owner_id].append(file)
    return found


def prints(resource_ids: Iterable[UUID], files: Mapping[UUID, Sequence[MediaFile]]) -> list[str]:
    """What makes each of these pictures the same as another: its bytes, where we have them. HeyGen may give a picture that
    it kept a new id each time."""
    found: list[str] = []
    for resource_id in resource_ids:
        main = next(
            (file for file in files[resource_id] if file.role == MediaRole.MAIN and file.sha256), None
        )
        its = main.sha256 if main is not None else str(resource_id)
        # The same bytes twice in one storyboard are two pictures.
        found.append(its if its not in found else str(resource_id))
    return found


def awaits_copy(its_files: Iterable[MediaFile]) -> bool:
    """Whether nobody knows yet which picture these files are of: ours is still being copied."""
    return any(
        file.role == MediaRole.MAIN and file.state == MediaState.WANTED and not file.sha256
        for file in its_files
    )


def _address(file: MediaFile | None) -> str:
    """Where a page gets it: our copy, or through us the remote link while it is fresh."""
    if file is None or file.state == MediaState.FAILED or not (file.path or file.remote_url):
        return ""
    return reverse("files:file", args=[file.pk])


def _by_role(files: Iterable[MediaFile]) -> dict[str, MediaFile]:
    return {file.role: file for file in files}


def tile(resource: Resource, its_files: Iterable[MediaFile], offer: CatalogueItem | None = None) -> Tile:
    """How a resource with these files looks. `offer` stands in for files that a voice or avatar does not have."""
    files = _by_role(its_files)
    main = files.get(MediaRole.MAIN)
    kind = (main.content_type if main else "").partition("/")[0]
    look = kind if kind in ("image", "video", "audio") else _LOOKS.get(resource.type, "other")
    shown = [files.get(MediaRole.THUMBNAIL)]
    if look != "audio":
        shown.append(files.get(MediaRole.PREVIEW))
    if look == "image":
        shown.append(main)
    picture, ratio = next(
        (
            (address, step_of(file.width, file.height))
            for file in shown
            if file and (address := _address(file))
        ),
        ("", None),
    )
    note = "missing" if resource.missing else "" if resource.read_at else "coming"
    file = _address(main) or (_address(files.get(MediaRole.PREVIEW)) if look in ("video", "audio") else "")
    if offer is not None:
        picture = picture or preview_address(offer, offer.workspace, "picture")
        if look == "audio":
            file = file or preview_address(offer, offer.workspace, "sound")
    shows = look in ("image", "video") and kind in ("", look)
    type_word = words.resource_type(resource.type)
    return Tile(
        id=resource.pk,
        name=resource.own_name or type_word or resource.name,
        named=bool(resource.own_name),
        type=type_word,
        source=resource.source,
        look=look,
        icon="user" if resource.type == "avatar" else _ICONS.get(look, "file"),
        picture=picture,
        file=file,
        large=(file if shows else "") or picture,
        message_position=resource.message_position,
        seen_at=resource.first_seen_at,
        note=note,
        ratio=ratio,
        facts=" · ".join(f"{name}: {value}" for name, value in resource.facts),
    )


def film(video: Video, its_files: Iterable[MediaFile], *, portrait: bool = False, page: str = "") -> Film:
    """How a video with these files looks. `portrait`: it was asked for upright."""
    files = _by_role(its_files)
    subtitles = files.get(MediaRole.SUBTITLES)
    captions = ""
    if subtitles is not None and subtitles.state == MediaState.STORED:
        captions = reverse("files:captions", args=[subtitles.pk])
    main = files.get(MediaRole.VIDEO)
    poster = files.get(MediaRole.THUMBNAIL)
    return Film(
        id=video.pk,
        title=video.title,
        group=video.group,
        status=video.status,
        seconds=video.duration,
        poster=_address(poster),
        video=_address(main),
        captioned=_address(files.get(MediaRole.CAPTIONED)),
        subtitles=_address(subtitles),
        captions=captions,
        content_type=main.content_type if main else "",
        failure=video.failure_message or video.failure_code,
        portrait=portrait,
        seen_at=video.first_seen_at,
        ratio=step_of(poster.width, poster.height) if poster else None,
        uncopied=main.failure if main is not None and main.state == MediaState.FAILED else "",
        page=page,
    )
