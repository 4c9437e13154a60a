"""`/ops/` and `/metrics`."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required, login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ops import access, metrics
from ops import board as boards
from workspaces_app.requests import SignedIn


@never_cache
@login_required
@require_safe
def board(request: SignedIn) -> HttpResponse:
    """The whole page, and for its own refresh the part that changes."""
    access.require_staff(request.user)
    context = {
        "board": boards.look(request.user),
        "price": settings.REALTIME_PRICE_PER_SECOND,
        # The board shows them for every key, and renews them: no banners above it.
        "problems": [],
    }
    template = "ops/board.html"
    return render(request, f"{template}#figures" if request.htmx else template, context)


@never_cache
@login_not_required
@require_safe
def scrape(request: HttpRequest) -> HttpResponse:
    """The figures for Prometheus; 404 for whoever is neither staff nor knows the token."""
    if not access.has_token(request):
        access.require_staff(request.user)
    return HttpResponse(metrics.text(boards.look()), content_type=metrics.CONTENT_TYPE)
