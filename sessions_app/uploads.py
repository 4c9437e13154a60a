"""Hands a person's file to HeyGen, so that a prompt or message can name it."""

from __future__ import annotations

from pathlib import PurePath

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

import heygen
from polling.budget import Priority
from sessions_app.forms import FILE_TYPES, MAX_FILE_BYTES
from sessions_app.models import Upload, VideoSession
from workspaces_app.connections import client_for
from workspaces_app.models import User, Workspace


class NotUploaded(Exception):
    """Why a file was not taken, in words for the person who chose it. `again_in`: the seconds after which it will be."""

    again_in: float | None = None


def store(
    file: UploadedFile[bytes], *, workspace: Workspace, owner: User, waits_in: VideoSession | None = None
) -> Upload:
    """Uploads one file as HeyGen's asset and remembers it as the person's. Raises NotUploaded.

    With `waits_in` it stands in that session's composer until it is sent or taken out (`Upload.objects.leave`).
    """
    name = PurePath(file.name or "file").name[:255]
    size = file.size or 0
    if size == 0:
        raise NotUploaded(_("“%(name)s” is empty.") % {"name": name})
    if size > MAX_FILE_BYTES:
        raise NotUploaded(_("“%(name)s” is larger than 32 MB, the most that HeyGen takes.") % {"name": name})
    content_type = (file.content_type or "application/octet-stream").partition(";")[0].strip().lower()
    if content_type not in FILE_TYPES and PurePath(name).suffix.lower() not in FILE_TYPES:
        raise NotUploaded(
            _("“%(name)s” is of a kind that HeyGen does not take: images, videos, sounds and PDF are.")
            % {"name": name}
        )
    try:
        client = client_for(workspace, priority=Priority.COMMAND)
        file.seek(0)
        asset = client.upload_asset(file, name, content_type)
    except (heygen.Held, heygen.RateLimited) as held:
        if isinstance(held, heygen.Held) and held.reason in ("no_key", "key_unreadable"):
            raise NotUploaded(_("The workspace has no API key yet: an admin can enter it.")) from None
        refused = NotUploaded(_("HeyGen's limits are used up for the moment. Try again in a few seconds."))
        refused.again_in = held.retry_after
        raise refused from None
    except heygen.Refused as error:
        raise NotUploaded(_("HeyGen refused the file: %(reason)s") % {"reason": error.message}) from None
    except heygen.ApiError:
        raise NotUploaded(_("HeyGen did not take the file. Try again.")) from None
    return Upload.objects.create(
        workspace=workspace,
        owner=owner,
        filename=name,
        content_type=asset.mime_type[:127] or content_type[:127],
        size=size,
        asset_id=asset.asset_id,
        waits_in=waits_in,
    )
