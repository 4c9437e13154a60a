"""Internal notes on a session: whoever may read it may write them, and change or delete their own. HeyGen sees none."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from sessions_app import access, actions
from sessions_app.forms import NoteForm
from sessions_app.models import Note, VideoSession
from workspaces_app.requests import SignedIn


def _done(request: SignedIn, session: VideoSession) -> HttpResponse:
    if not request.htmx:
        return redirect(f"{session.get_absolute_url()}#notes")
    notes = Note.objects.filter(session=session).for_page()
    return render(request, "sessions_app/detail_noted.html", {"session": session, "notes": notes})


@login_required
@require_POST
def note(request: SignedIn, pk: UUID) -> HttpResponse:
    session = access.session(request.user, pk)
    form = NoteForm(request.POST, draft=f"notes:{session.pk}")
    if form.is_valid():
        actions.note(session, body=form.cleaned_data["body"], by=request.user)
        return _done(request, session)
    context = {"session": session, "note_form": form}
    if request.htmx:
        return render(request, "sessions_app/detail_note_refused.html", context, status=422)
    return render(request, "sessions_app/note.html", context, status=422)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def note_edit(request: SignedIn, pk: UUID, note_id: UUID) -> HttpResponse:
    """The form with one's own note, in the page's dialog or on a page of its own; its POST keeps the new text."""
    note = access.own_note(request.user, pk, note_id)
    form = NoteForm(
        request.POST or None, initial={"body": note.body}, auto_id="note_%s", draft=f"note:{note.public_id}"
    )
    if request.method == "POST" and form.is_valid():
        actions.edit_note(note, body=form.cleaned_data["body"], by=request.user)
        return _done(request, note.session)
    context = {"session": note.session, "note": note, "note_form": form}
    template = "sessions_app/note.html#form" if request.htmx else "sessions_app/note.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def note_delete(request: SignedIn, pk: UUID, note_id: UUID) -> HttpResponse:
    note = access.own_note(request.user, pk, note_id)
    actions.delete_note(note, by=request.user)
    return _done(request, note.session)
