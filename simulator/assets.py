"""Uploaded files: the bytes on disk, everything else in the store."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from .accounts import Account
from .errors import ApiError, conflict, invalid
from .identifiers import digest
from .world import World

LARGEST = 32 * 1024 * 1024
LARGEST_DIRECT = 1024 * 1024 * 1024
SLOT_SECONDS = 3600
KINDS = {
    "image/png": ("png", "image"),
    "image/jpeg": ("jpg", "image"),
    "video/mp4": ("mp4", "video"),
    "video/webm": ("webm", "video"),
    "audio/mpeg": ("mp3", "audio"),
    "audio/wav": ("wav", "audio"),
    "application/pdf": ("pdf", "document"),
    "application/x-subrip": ("srt", "subtitle"),
}


def detected(head: bytes) -> str | None:
    """The MIME type that the first bytes tell; None when it is none of those that are accepted."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[4:8] == b"ftyp":
        return "video/mp4"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm"
    if head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 in (0xE2, 0xE4)):
        return "audio/mpeg"
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "audio/wav"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if b"-->" in head[:400]:
        return "application/x-subrip"
    return None


class Assets:
    """Assets of all accounts. A document holds account, name, mime, size, at, ready, and what was declared."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.folder = world.config.data_dir / "assets"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.documents: dict[str, dict[str, Any]] = dict(world.store.all("asset"))

    def clear(self) -> None:
        """Remove the bytes of all uploads."""
        for file in self.folder.iterdir():
            file.unlink()

    def owns(self, account: Account, identifier: str) -> bool:
        document = self.documents.get(identifier)
        return document is not None and document["account"] == account.id and bool(document["ready"])

    def get(self, account: Account, identifier: str) -> dict[str, Any]:
        if not self.owns(account, identifier):
            raise ApiError(404, "asset_not_found", "Asset not found.")
        return self.documents[identifier]

    def listed(self, account: Account, username: str) -> list[tuple[str, dict[str, Any]]]:
        """Newest first."""
        return [
            (identifier, document)
            for identifier, document in reversed(self.documents.items())
            if document["account"] == account.id and document["ready"] and username == account.username
        ]

    def url(self, identifier: str) -> str | None:
        document = self.documents.get(identifier)
        if document is None or not document["ready"]:
            return None
        extension = KINDS[document["mime"]][0]
        return self.world.links.signed(f"/media/assets/{identifier}.{extension}")

    def path(self, identifier: str) -> Path:
        return self.folder / identifier

    def upload(self, account: Account, name: str, data: bytes) -> str:
        """Keep a file; raises ApiError for kinds and sizes that are refused."""
        mime = detected(data[:512])
        if mime is None:
            raise invalid("file must be png, jpeg, mp4, webm, mp3, wav, pdf or srt.", "file")
        identifier = self._new(account, name)
        self.path(identifier).write_bytes(data)
        self.documents[identifier].update(mime=mime, size=len(data), ready=True)
        self._save(identifier)
        return identifier

    def reserve(self, account: Account, body: dict[str, Any]) -> str:
        """A slot for a direct upload."""
        if body["size_bytes"] > LARGEST_DIRECT:
            raise ApiError(413, "payload_too_large", "The file is too large.", param="size_bytes")
        identifier = self._new(account, body["filename"])
        declared = {
            "declared": body["content_type"],
            "expected": int(body["size_bytes"]),
            "checksum": body.get("checksum_sha256"),
        }
        self.documents[identifier].update(declared)
        self._save(identifier)
        return identifier

    async def receive(self, identifier: str, chunks: AsyncIterator[bytes]) -> bool:
        """The bytes of a direct upload; False when there are not exactly as many as announced."""
        expected = self.documents[identifier]["expected"]
        temporary = self.path(identifier).with_suffix(".part")
        size = 0
        with temporary.open("wb") as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > expected:
                    break
                file.write(chunk)
        if size != expected:
            temporary.unlink()
            return False
        temporary.replace(self.path(identifier))
        return True

    def complete(self, account: Account, identifier: str, checksum: str | None) -> dict[str, Any]:
        document = self.documents.get(identifier)
        if document is None or document["account"] != account.id:
            raise ApiError(404, "asset_not_found", "Asset not found.")
        path = self.path(identifier)
        if not path.exists():
            raise conflict("The bytes have not arrived yet.")
        if not document["ready"]:
            data = path.read_bytes()
            wanted = checksum or document.get("checksum")
            if wanted and hashlib.sha256(data).hexdigest() != wanted.lower():
                raise invalid("checksum_sha256 does not fit the file.", "checksum_sha256")
            mime = detected(data[:512])
            if mime is None:
                raise invalid("The file must be png, jpeg, mp4, webm, mp3, wav, pdf or srt.", "file")
            document.update(mime=mime, size=len(data), ready=True)
            self._save(identifier)
        return document

    def delete(self, account: Account, identifier: str) -> None:
        self.get(account, identifier)
        del self.documents[identifier]
        self.world.store.remove("asset", identifier)
        self.path(identifier).unlink(missing_ok=True)

    def _new(self, account: Account, name: str) -> str:
        identifier = "asset_" + digest(self.world.seed, "asset", self.world.next_number("asset"), size=10)
        at = int(self.world.clock.stamp())
        self.documents[identifier] = {
            "account": account.id,
            "name": name or "file",
            "mime": "",
            "size": 0,
            "at": at,
            "ready": False,
        }
        return identifier

    def _save(self, identifier: str) -> None:
        self.world.store.put("asset", identifier, self.documents[identifier])
