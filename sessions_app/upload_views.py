"""Files of a form, each sent while the person goes on writing: `/uploads/<workspace>/`, and those of a composer."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sessions_app import access as sessions
from sessions_app import uploads
from sessions_app.models import Upload, VideoSession
from workspaces_app import access
from workspaces_app.models import Role, Workspace
from workspaces_app.requests import SignedIn


@login_required
@require_POST
def upload(request: SignedIn, slug: str) -> JsonResponse:
    """The multipart field "file" becomes an asset: {"id", "name"}; or, with status 422, {"error"} in words.

    Where HeyGen's limits are used up the status is 429, with {"again_in"}, the seconds until it is worth another try.
    """
    return _stored(request, access.workspace(request.user, slug, needs=Role.CREATOR))


@login_required
@require_POST
def attach(request: SignedIn, pk: UUID) -> JsonResponse:
    """The same for a session's composer: there it stands, whatever becomes of the page, until it is sent or removed."""
    session = sessions.session(request.user, pk, needs=Role.CREATOR)
    return _stored(request, session.workspace, waits_in=session)


@login_required
@require_POST
def detach(request: SignedIn, pk: UUID, upload_id: UUID) -> HttpResponse:
    """Takes a file out of the person's own composer; one that is out already, or was sent, stays so."""
    session = sessions.session(request.user, pk)
    found = get_object_or_404(Upload.objects.of(request.user, session.workspace_id), pk=upload_id)
    Upload.objects.leave(session, [found])
    return HttpResponse(status=204)


def _stored(request: SignedIn, workspace: Workspace, *, waits_in: VideoSession | None = None) -> JsonResponse:
    file = request.FILES.get("file")
    if file is None:
        return JsonResponse({"error": _("No file arrived.")}, status=422)
    try:
        stored = uploads.store(file, workspace=workspace, owner=request.user, waits_in=waits_in)
    except uploads.NotUploaded as refused:
        if refused.again_in is None:
            return JsonResponse({"error": str(refused)}, status=422)
        return JsonResponse({"error": str(refused), "again_in": refused.again_in}, status=429)
    answer = {"id": str(stored.pk), "name": stored.filename}
    if waits_in is not None:
        answer["remove"] = reverse("sessions:detach", args=[waits_in.pk, stored.pk])
    return JsonResponse(answer)
