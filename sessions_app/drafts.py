"""What somebody has begun to write into the form of a new session, kept until it is started or discarded.

One draft for each person and workspace, and one more for each session that they make a variant of. The fields are kept
as they were typed, also where they are not valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.utils import timezone

from commands import tokens
from commands.models import Command
from sessions_app.models import Draft, VideoSession
from workspaces_app.models import User, Workspace

# Characters of one field. More than HeyGen takes, because what is too long must be kept until it is shortened.
LONGEST = 100_000
MOST_UPLOADS = 100
PLAIN_FIELDS = (
    *("prompt", "mode", "orientation", "avatar_id", "voice_id", "style_id", "brand_kit_id"),
    *("brand_glossary_id", "incognito_mode", "file_urls"),
)


class ChangedMeanwhile(Exception):
    """Another window has saved the draft since this one read it; `stored` is what it holds now, None: discarded."""

    def __init__(self, stored: Draft | None) -> None:
        super().__init__()
        self.stored = stored


def fields_of(posted: QueryDict) -> dict[str, Any]:
    """The fields of a posted form that are worth keeping: texts by name, and "uploads", a list of ids."""
    fields: dict[str, Any] = {
        name: posted[name][:LONGEST] for name in PLAIN_FIELDS if posted.get(name, "").strip()
    }
    uploads = [text[:36] for text in posted.getlist("uploads")[:MOST_UPLOADS]]
    return {**fields, "uploads": uploads} if uploads else fields


def find(owner: User, workspace: Workspace, like: VideoSession | None = None) -> Draft | None:
    return Draft.objects.filter(owner=owner, workspace=workspace, like=like).first()


def save(
    owner: User,
    workspace: Workspace,
    like: VideoSession | None,
    fields: Mapping[str, Any],
    *,
    base: int | None = None,
    token: str = "",
) -> Draft | None:
    """Keeps the fields; None when the form with this token was sent already, so that nothing of it comes back.

    `base` is the version that the form was drawn from (0: there was none), None to write over whatever is there. Raises
    ChangedMeanwhile when it is not the stored one any more and says something else.
    """
    token = token if tokens.is_token(token) else ""
    if token and Command.objects.filter(token=token, by=owner).exists():
        return None
    try:
        with transaction.atomic():
            return _save(owner, workspace, like, dict(fields), base, token)
    except IntegrityError:  # two windows saved the first version at once
        raise ChangedMeanwhile(find(owner, workspace, like)) from None


def _save(
    owner: User,
    workspace: Workspace,
    like: VideoSession | None,
    fields: dict[str, Any],
    base: int | None,
    token: str,
) -> Draft:
    rows = Draft.objects.filter(owner=owner, workspace=workspace, like=like)
    stored = rows.select_for_update().first()
    if stored is None:
        if base:
            raise ChangedMeanwhile(None)
        return Draft.objects.create(owner=owner, workspace=workspace, like=like, fields=fields, token=token)
    if stored.fields == fields:
        return stored
    # A window whose answer was cut off knows an old version of what it wrote itself.
    its_own = token and stored.token == token
    if base is not None and base != stored.version and not its_own:
        raise ChangedMeanwhile(stored)
    stored.fields, stored.version, stored.saved_at, stored.token = (
        fields,
        stored.version + 1,
        timezone.now(),
        token,
    )
    stored.save(update_fields=["fields", "version", "saved_at", "token"])
    return stored


def forget(owner: User, workspace: Workspace, like: VideoSession | None = None) -> None:
    """It was started, or is not wanted any more."""
    Draft.objects.filter(owner=owner, workspace=workspace, like=like).delete()
