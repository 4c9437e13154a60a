"""Uploaded files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from heygen import decoding as read
from heygen.json_types import Raw


@dataclass(frozen=True, slots=True)
class UploadedAsset:
    """A stored file; `mime_type` is what HeyGen detected. `status` is given by `complete` only.

    Source: POST /v3/assets, POST /v3/assets/{asset_id}/complete.
    """

    asset_id: str
    url: str | None = field(repr=False)
    mime_type: str
    size_bytes: int | None
    status: str | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("UploadedAsset", value)
        read.note_unknown("UploadedAsset", raw, _UPLOADED_ASSET)
        return cls(
            asset_id=read.identity("UploadedAsset", raw, "asset_id", "id"),
            url=read.optional_text("UploadedAsset", raw, "url") or None,
            mime_type=read.text("UploadedAsset", raw, "mime_type"),
            size_bytes=read.whole("UploadedAsset", raw, "size_bytes"),
            status=read.optional_text("UploadedAsset", raw, "status"),
            raw=raw,
        )


_UPLOADED_ASSET = frozenset({"asset_id", "url", "mime_type", "size_bytes", "status"})


@dataclass(frozen=True, slots=True)
class DirectUpload:
    """Where and how to put the bytes of a large file; the address is a credential, hidden from repr.

    Source: POST /v3/assets/direct-uploads.
    """

    asset_id: str
    upload_url: str = field(repr=False)
    upload_headers: Mapping[str, str] = field(repr=False)
    expires_in_seconds: int | None
    max_bytes: int | None
    status: str | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("DirectUpload", value)
        read.note_unknown("DirectUpload", raw, _DIRECT_UPLOAD)
        headers = read.mapping("DirectUpload", raw, "upload_headers") or {}
        return cls(
            asset_id=read.identity("DirectUpload", raw, "asset_id", "id"),
            upload_url=read.required_text("DirectUpload", raw, "upload_url"),
            upload_headers={
                name: read.text("DirectUpload.upload_headers", headers, name) for name in headers
            },
            expires_in_seconds=read.whole("DirectUpload", raw, "expires_in_seconds"),
            max_bytes=read.whole("DirectUpload", raw, "max_bytes"),
            status=read.optional_text("DirectUpload", raw, "status"),
            raw=raw,
        )


_DIRECT_UPLOAD = frozenset(
    {"asset_id", "upload_url", "upload_headers", "expires_in_seconds", "max_bytes", "status"}
)


@dataclass(frozen=True, slots=True)
class RemoteAsset:
    """A stored file as lists and reads show it. Source: GET /v3/assets, GET /v3/assets/{asset_id}."""

    asset_id: str
    name: str
    type: str
    owner: str | None
    space_id: str | None
    uploaded_at: datetime | None
    folder_id: str | None
    url: str | None = field(repr=False)
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("RemoteAsset", value)
        read.note_unknown("RemoteAsset", raw, _REMOTE_ASSET)
        return cls(
            asset_id=read.identity("RemoteAsset", raw, "id", "asset_id"),
            name=read.text("RemoteAsset", raw, "name"),
            type=read.text("RemoteAsset", raw, "type"),
            owner=read.optional_text("RemoteAsset", raw, "owner"),
            space_id=read.optional_text("RemoteAsset", raw, "space_id"),
            uploaded_at=read.moment("RemoteAsset", raw, "uploaded_at"),
            folder_id=read.optional_text("RemoteAsset", raw, "folder_id"),
            url=read.optional_text("RemoteAsset", raw, "url") or None,
            raw=raw,
        )


_REMOTE_ASSET = frozenset({"id", "name", "type", "owner", "space_id", "uploaded_at", "folder_id", "url"})
