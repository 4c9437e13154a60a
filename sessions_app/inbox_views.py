"""`/`: what waits for a person, and what happened last."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from sessions_app import lists, words
from sessions_app.forms import AboutForm
from sessions_app.models import VideoSession
from workspaces_app import access, context
from workspaces_app.middleware import in_background
from workspaces_app.models import Role
from workspaces_app.requests import SignedIn


@login_required
@require_safe
def inbox(request: SignedIn) -> HttpResponse:
    waiting = lists.waiting(request.user)
    unclear = lists.unclear(request.user)
    shown = {
        "waiting": waiting,
        "unclear": unclear,
        "recent": lists.recent(request.user),
        "may_create": bool(access.workspaces_with(request.user, Role.CREATOR)),
        "needs_you_count": len(waiting) + len(unclear),
    }
    template = "sessions_app/inbox.html"
    return render(request, f"{template}#lists" if request.htmx else template, shown)


@in_background
@login_required
@require_safe
def needs_you_count(request: SignedIn) -> JsonResponse:
    """What an open page asks for in the background: how many wait, which came last, what is wrong with the mirror.

    A session's page names itself with `?about=`: hidden, it has no stream, and learns here what its title should say.
    """
    about = AboutForm(request.GET)
    its = (
        VideoSession.objects.visible_to(request.user).filter(pk=about.cleaned_data["about"]).first()
        if about.is_valid()
        else None
    )
    rows = lists.waiting(request.user)
    latest = max(rows, key=lambda row: row.session.status_since, default=None)
    return JsonResponse(
        {
            "count": lists.waiting_count(request.user),
            "title": None if its is None else words.page_title(its),
            "problems": [
                {"tone": banner.tone, "message": banner.message} for banner in context.banners(request)
            ],
            "latest": None
            if latest is None
            else {
                "title": latest.session.display_title,
                "text": _("%(status)s · %(workspace)s")
                % {"status": latest.status.word, "workspace": latest.session.workspace},
                "url": reverse("sessions:detail", args=[latest.session.pk]),
                "since": latest.session.status_since.isoformat(),
            },
        },
        headers={"Cache-Control": "no-store"},
    )
