"""Who may do what with a session, a resource, a video or a file. What these functions return is already allowed."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import Http404
from django.utils.translation import gettext as _

from sessions_app import reading
from sessions_app.models import MediaFile, Note, StatusGroup, Upload, VideoSession
from workspaces_app import access as workspaces
from workspaces_app.access import Person
from workspaces_app.approval_rule import ApprovalRule
from workspaces_app.models import Role, Workspace

# HeyGen's word for "a storyboard or draft awaits a verdict".
REVIEWING = "reviewing"


def session(user: Person, pk: UUID, *, needs: Role = Role.VIEWER) -> VideoSession:
    """The session when the person may do there what `needs` says; 404 for strangers, 403 below the role."""
    return session_and_role(user, pk, needs=needs)[0]


def session_and_role(user: Person, pk: UUID, *, needs: Role = Role.VIEWER) -> tuple[VideoSession, Role]:
    """The same, with the person's role in its workspace. The session is as `for_page` reads it,
    and knows how far they read and whether files of theirs wait in its composer.
    """
    visible = VideoSession.objects.visible_to(user).for_page()
    theirs = visible.annotate(  # type: ignore[no-redef]  # the model declares it
        role_here=workspaces.role_of(user),
        read_to=reading.mark_of(user),
        # Asked along, because it is nearly always nothing.
        has_attached=Exists(Upload.objects.filter(owner_id=user.pk, waits_in=OuterRef("pk"))),
    )
    found = theirs.filter(pk=pk).first()
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
    if is_reviewing(found):
        _require_verdict(user, found)
    return found


def approvable(user: Person, pk: UUID) -> VideoSession:
    """The session when the person may approve its storyboard, whatever it is doing just now."""
    found = session(user, pk)
    _require_verdict(user, found)
    return found


def _require_verdict(user: Person, found: VideoSession) -> None:
    if not may_give_verdict(workspaces.role_in(user, found.workspace_id), found):
        raise PermissionDenied(
            _(
                "While a storyboard awaits its verdict any message may approve it, so this needs the role “%(role)s”."
            )
            % {"role": ApprovalRule.of(found.workspace).role.label}
        )


def may_give_verdict(role: Role | None, found: VideoSession) -> bool:
    """Whether somebody with this role may approve in the session's workspace."""
    return role is not None and role.allows(ApprovalRule.of(found.workspace).role)


def is_reviewing(found: VideoSession) -> bool:
    """Whether a storyboard awaits its verdict: any message may be taken for one."""
    return found.group == StatusGroup.NEEDS_YOU and found.status.casefold() == REVIEWING


def needs_approver(found: VideoSession) -> bool:
    """Whether sending to this session is an approval that creators of this workspace may not give."""
    return is_reviewing(found) and not ApprovalRule.of(found.workspace).creators_may


def is_undecided(user: Person, found: VideoSession) -> bool:
    """Whether what this person says now must not be taken for an approval: others have to agree first."""
    rule = ApprovalRule.of(found.workspace)
    return is_reviewing(found) and not rule.lets_one_decide(author=found.owner_id == user.pk)


def run_through_refusal(user: Person, workspace: Workspace) -> str:
    """Why the person may not start a session that renders without showing a storyboard first; "" when they may."""
    rule = ApprovalRule.of(workspace)
    if not rule.lets_one_decide(author=True):
        return _(
            "In this workspace others have to approve a storyboard before it is rendered, so a session cannot run through"
            " by itself."
        )
    role = workspaces.role_in(user, workspace.pk)
    if role is None or not role.allows(rule.role):
        return _(
            "A session that runs through by itself is rendered without an approval, so this needs the role “%(role)s”."
        ) % {"role": rule.role.label}
    return ""


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
    """A file that the person may see; 404 otherwise. It knows whether its `link_is_fresh`."""
    rows = MediaFile.objects.visible_to(user).select_related("resource", "video", "workspace")
    found = rows.with_link_age().filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
