"""Many files of the library as one zip, written while it is being sent: nothing is put on disk or held in memory."""

from __future__ import annotations

import asyncio
import zipfile
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from sessions_app import file_names
from sessions_app.models import MediaFile, MediaRole, MediaState
from workspaces_app.models import User

MOST_ITEMS = 100
MOST_BYTES = 4 * 1024**3
BLOCK = 512 * 1024
# What of a thing is worth taking away, and what stands in for it.
_WANTED = (MediaRole.MAIN, MediaRole.VIDEO, MediaRole.CAPTIONED, MediaRole.SUBTITLES)
_INSTEAD = (MediaRole.PREVIEW, MediaRole.THUMBNAIL)


class TooMuch(Exception):
    """More than one download may hold; the message says how much that is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored file and its name within the zip."""

    path: Path
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """What goes into a zip; `missing` names what was chosen and has no copy here (yet)."""

    entries: Sequence[Entry]
    missing: Sequence[str]


def gather(user: User, ids: Iterable[UUID]) -> Bundle:
    """The stored files of these resources and videos, as far as the person may see them. Raises TooMuch. Two queries."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MOST_ITEMS:
        raise TooMuch(_("At most %(limit)s things go into one download.") % {"limit": MOST_ITEMS})
    files = MediaFile.objects.visible_to(user).select_related("resource__session", "video__session")
    by_owner: dict[UUID, list[MediaFile]] = defaultdict(list)
    for file in (*files.filter(resource__in=wanted), *files.filter(video__in=wanted)):
        by_owner[file.resource_id or file.video_id].append(file)
    entries: list[Entry] = []
    missing: list[str] = []
    taken: set[str] = set()
    for its_files in (by_owner[owner_id] for owner_id in wanted if owner_id in by_owner):
        stored = [file for file in its_files if file.state == MediaState.STORED]
        chosen = [file for file in stored if file.role in _WANTED] or [
            file for role in _INSTEAD for file in stored if file.role == role
        ][:1]
        if not chosen:
            missing.append(_in_folder(its_files[0]))
        for file in chosen:
            name = _unique(_in_folder(file), taken)
            entries.append(Entry(settings.MEDIA_DIR / file.path, name, file.size))
    if sum(entry.size for entry in entries) > MOST_BYTES:
        raise TooMuch(_("These files are more than 4 GB together. Choose fewer."))
    return Bundle(entries, missing)


def _in_folder(file: MediaFile) -> str:
    """A folder for each session."""
    owner = file.resource or file.video
    folder = slugify(owner.session.display_title)[:60] if owner else ""
    return f"{folder or 'session'}/{file_names.download_name(file)}"


def _unique(name: str, taken: set[str]) -> str:
    stem, dot, ending = name.rpartition(".")
    number = 1
    found = name
    while found in taken:
        number += 1
        found = f"{stem}-{number}{dot}{ending}"
    taken.add(found)
    return found


class _Outlet:
    """A file that can only be written, and whose content is taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        found = b"".join(self._pieces)
        self._pieces.clear()
        return found


def blocks(bundle: Bundle) -> Iterator[bytes]:
    """The zip, piece by piece. Films and pictures are compressed already, so they are stored as they are."""
    outlet = _Outlet()
    missing = list(bundle.missing)
    with zipfile.ZipFile(cast("IO[bytes]", outlet), "w", zipfile.ZIP_STORED) as archive:
        for entry in bundle.entries:
            about = zipfile.ZipInfo(entry.name, timezone.localtime().timetuple()[:6])
            about.external_attr = 0o644 << 16
            try:
                source = entry.path.open("rb")
            except OSError:
                # The row says that we have it; the disk does not agree.
                missing.append(entry.name)
                continue
            with source, archive.open(about, "w", force_zip64=entry.size > 2**31) as into:
                while block := source.read(BLOCK):
                    into.write(block)
                    yield outlet.take()
        if missing:
            text = "\n".join([_("No copy of these is stored here (yet):"), *missing, ""])
            archive.writestr("not-included.txt", text)
    yield outlet.take()


async def stream(bundle: Bundle) -> AsyncIterator[bytes]:
    """The same for the web process: reading waits in a thread."""
    pieces = blocks(bundle)
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        if piece:
            yield piece
