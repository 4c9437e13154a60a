"""Who may do what with a session, a resource, a video or a file. What these functions return is already allowed."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from sessions_app.models import MediaFile, Note, StatusGroup, VideoSession
from workspaces_app import access as workspaces
from workspaces_app.access import Person
from workspaces_app.models import Role

# HeyGen's word for "a storyboard or draft awaits a verdict".
REVIEWING = "reviewing"


def session(user: Person, pk: UUID, *, needs: Role = Role.VIEWER) -> VideoSession:
    """The session when the person may do there what `needs` says; 404 for strangers, 403 below the role."""
    return session_and_role(user, pk, needs=needs)[0]


def session_and_role(user: Person, pk: UUID, *, needs: Role = Role.VIEWER) -> tuple[VideoSession, Role]:
    """The same, with the person's role in its workspace."""
    visible = VideoSession.objects.visible_to(user).select_related("workspace", "owner")
    found = visible.annotate(role_here=workspaces.role_of(user)).filter(pk=pk).first()
    if found is None:
        raise Http404
    role: str | None = getattr(found, "role_here", None)
    return found, workspaces.required(Role(role) if role else None, needs)


def sendable(user: Person, pk: UUID) -> VideoSession:
    """The session when the person may send it a message now.

    While it is `reviewing` any text may approve, and approving spends money: that needs an approver, unless the
    workspace allows creators to.
    """
    found = session(user, pk, needs=Role.CREATOR)
    if needs_approver(found):
        role = workspaces.role_in(user, found.workspace_id)
        if role is None or not role.allows(Role.APPROVER):
            raise PermissionDenied(
                _(
                    "While a storyboard awaits its verdict any message may approve it, so this needs the role “Approver”."
                )
            )
    return found


def needs_approver(found: VideoSession) -> bool:
    """Whether sending to this session is an approval in this workspace."""
    relaxed = bool(found.workspace.settings.get("creators_may_approve"))
    return found.group == StatusGroup.NEEDS_YOU and found.status.casefold() == REVIEWING and not relaxed


def own_note(user: Person, session_pk: UUID, pk: UUID) -> Note:
    """A note that the person wrote; 404 for strangers to its session, 403 for whoever did not write it."""
    its = session(user, session_pk)
    found = Note.objects.filter(session=its, public_id=pk).select_related("session__workspace").first()
    if found is None:
        raise Http404
    if found.author_id != user.pk:
        raise PermissionDenied(_("Only who wrote a note can change it."))
    return found


def media_file(user: Person, pk: UUID) -> MediaFile:
    """A file that the person may see; 404 otherwise."""
    found = (
        MediaFile.objects.visible_to(user)
        .select_related("resource", "video", "workspace")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found
