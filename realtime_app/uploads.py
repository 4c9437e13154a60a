"""A recording on its way to HeyGen: it becomes an asset there, and the create call names the asset."""

from __future__ import annotations

import hashlib

from django.core.files.uploadedfile import UploadedFile

from polling.budget import Priority
from workspaces_app.connections import client_for
from workspaces_app.models import Workspace


def as_asset(workspace: Workspace, file: UploadedFile[bytes], *, token: str) -> str:
    """The id of the file's asset at HeyGen. Takes as long as the upload; a repeat with the same token uploads nothing new.

    Raises heygen.ApiError; heygen.Held when the workspace has no usable key.
    """
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    uploaded = client_for(workspace, priority=Priority.COMMAND).upload_asset(
        file,
        file.name or "recording",
        file.content_type or "application/octet-stream",
        # HeyGen answers a repeated key with the first file, whatever the second one holds: so the content is part of it.
        idempotency_key=f"{token}:{digest.hexdigest()}",
    )
    return uploaded.asset_id
