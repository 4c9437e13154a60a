"""`/files/<id>/`: our own copy of a file, or a remote link that is fresh enough to work. Nobody else's, nothing else."""

from __future__ import annotations

import re
from uuid import UUID

from django.conf import settings
from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header, url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from polling import schedule
from sessions_app import access, bundles, vault
from sessions_app.file_names import download_name
from sessions_app.forms import ItemsForm
from sessions_app.models import MediaFile, MediaRole, MediaState
from workspaces_app.requests import SignedIn

# What a browser may show in a page. Anything else, SVG and HTML above all, is only ever downloaded.
INLINE = re.compile(r"image/(png|jpeg|webp|gif|avif)|video/(mp4|webm|quicktime)|audio/[a-z0-9.+-]+")


@login_required
@require_safe
def file(request: SignedIn, pk: UUID) -> HttpResponse:
    """The file, in the page or with `?download=1` under a name that tells what it is."""
    found = access.media_file(request.user, pk)
    if found.state == MediaState.STORED:
        return _stored(found, download="download" in request.GET)
    if found.link_is_fresh and vault.listed(found.remote_url):
        response = HttpResponseRedirect(found.remote_url)
        response["Cache-Control"] = "no-store"
        return response
    # The next read of its object brings a fresh link, and with it the copy.
    owner = found.resource or found.video
    if owner is not None:
        # Somebody asks for it: what was given up is tried again.
        MediaFile.objects.filter(pk=found.pk, state=MediaState.FAILED).update(state=MediaState.WANTED)
        schedule.wake("resource" if found.resource else "video", [owner.pk])
    return HttpResponse(
        _("This file is being copied. Try again in a moment."), status=503, headers={"Retry-After": "3"}
    )


def _stored(found: MediaFile, *, download: bool) -> HttpResponse:
    inline = INLINE.fullmatch(found.content_type) is not None and not download
    response = HttpResponse(content_type=found.content_type or "application/octet-stream")
    response["X-Send-File"] = found.path
    response["Content-Disposition"] = (
        content_disposition_header(not inline, download_name(found)) or "attachment"
    )
    response["Cache-Control"] = "private, max-age=3600"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


_SRT_TIME = re.compile(r"(\d{2}:\d{2}:\d{2}),(\d{3})")
SUBTITLES_LIMIT = 2 * 1024 * 1024  # bytes


@login_required
@require_safe
def captions(request: SignedIn, pk: UUID) -> HttpResponse:
    """Captions for the player: browsers read WebVTT, HeyGen gives SRT, and the two differ in a header and a comma."""
    found = access.media_file(request.user, pk)
    if found.role != MediaRole.SUBTITLES or found.state != MediaState.STORED or found.size > SUBTITLES_LIMIT:
        raise Http404
    path = settings.MEDIA_DIR / found.path
    if not path.is_file():
        raise Http404
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if not text.startswith("WEBVTT"):
        text = "WEBVTT\n\n" + _SRT_TIME.sub(r"\1.\2", text)
    response = HttpResponse(text, content_type="text/vtt; charset=utf-8")
    response["Cache-Control"] = "private, max-age=3600"
    return response


@login_required
@require_safe
def bundle(request: SignedIn) -> HttpResponseBase:
    """`?item=<id>&item=<id>…`: the stored files of these resources and videos as one zip."""
    form = ItemsForm({"items": request.GET.getlist("item")})
    back = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = reverse("sessions:library")
    if not form.is_valid():
        notices.error(request, " ".join(map(str, form.errors["items"])))
        return redirect(back)
    try:
        found = bundles.gather(request.user, form.cleaned_data["items"])
    except bundles.TooMuch as problem:
        notices.error(request, str(problem))
        return redirect(back)
    if not found.entries:
        notices.error(
            request, _("None of these has a file here. What was made just now is copied in a moment.")
        )
        return redirect(back)
    response = StreamingHttpResponse(bundles.stream(found), content_type="application/zip")
    name = f"dailies-{timezone.localdate():%Y-%m-%d}.zip"
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    # What is in it is compressed already.
    response["Content-Encoding"] = "identity"
    return response
