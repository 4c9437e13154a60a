"""`/sessions/`: the shared history."""

from __future__ import annotations

from functools import partial

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions_app import lists, people
from sessions_app.forms import HistoryFilter
from sessions_app.models import StatusGroup
from workspaces_app.context import mine as workspaces_of
from workspaces_app.requests import SignedIn


@login_required
@require_safe
def history(request: SignedIn) -> HttpResponse:
    form = HistoryFilter(request.GET)
    chosen = form.chosen()
    mine = workspaces_of(request)
    ids = [each.pk for each in mine]
    page = lists.page(request.user, chosen, mine)
    kept = request.GET.copy()
    kept.pop("after", None)
    by_status = kept.copy()
    by_status.pop("status", None)
    context = {
        "form": form,
        "chosen": chosen,
        "page": page,
        "workspaces": mine,
        "people": partial(people.choices, request.user, ids),
        "tags": partial(lists.tag_names, frozenset(ids)),
        "groups": [
            (value, label, page.counts.get(value, 0))
            for value, label in StatusGroup.choices
            if page.counts.get(value) or value == chosen["status"] or value != StatusGroup.UNKNOWN
        ],
        "kept": kept.urlencode(),
        "kept_without_status": by_status.urlencode(),
        "is_filtered": any(
            chosen[name] for name in ("q", "status", "workspace", "person", "tag", "archived")
        ),
    }
    template = "sessions_app/history.html"
    return render(request, f"{template}#results" if request.htmx else template, context)
