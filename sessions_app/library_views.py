"""`/library/`: everything that was made, to find again, to look at and to take away."""

from __future__ import annotations

from functools import partial

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions_app import access, bundles, people
from sessions_app import library as queries
from sessions_app.forms import LibraryFilter
from workspaces_app.context import mine as workspaces_of
from workspaces_app.requests import SignedIn


@login_required
@require_safe
def library(request: SignedIn) -> HttpResponse:
    form = LibraryFilter(request.GET)
    chosen = form.chosen()
    mine = workspaces_of(request)
    page = queries.page(request.user, chosen, mine)
    kept = request.GET.copy()
    kept.pop("after", None)
    by_type = kept.copy()
    by_type.pop("type", None)
    by_session = kept.copy()
    by_session.pop("session", None)
    context = {
        "form": form,
        "chosen": chosen,
        "page": page,
        "finished": queries.FINISHED,
        "of_session": access.session(request.user, chosen["session"]) if chosen["session"] else None,
        "most_items": bundles.MOST_ITEMS,
        "workspaces": mine,
        "people": partial(people.choices, request.user, [each.pk for each in mine]),
        "kept": kept.urlencode(),
        "kept_without_session": by_session.urlencode(),
        "kept_without_type": by_type.urlencode(),
        "is_filtered": any(value for name, value in chosen.items() if name != "after"),
    }
    return render(request, "sessions_app/library.html", context)
