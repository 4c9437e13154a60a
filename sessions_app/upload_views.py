"""`/uploads/<workspace>/`: one file, sent while the person goes on writing."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sessions_app import uploads
from workspaces_app import access
from workspaces_app.models import Role
from workspaces_app.requests import SignedIn


@login_required
@require_POST
def upload(request: SignedIn, slug: str) -> JsonResponse:
    """The multipart field "file" becomes an asset: {"id"}; or, with status 422, {"error"} in words."""
    workspace = access.workspace(request.user, slug, needs=Role.CREATOR)
    file = request.FILES.get("file")
    if file is None:
        return JsonResponse({"error": _("No file arrived.")}, status=422)
    try:
        stored = uploads.store(file, workspace=workspace, owner=request.user)
    except uploads.NotUploaded as refused:
        return JsonResponse({"error": str(refused)}, status=422)
    return JsonResponse({"id": str(stored.pk), "name": stored.filename})
