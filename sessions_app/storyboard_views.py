"""`/sessions/<id>/storyboard/`: a storyboard closely, beside another one, and notes on its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from commands import tokens
from commands.ledger import TokenTaken
from polling import schedule
from sessions_app import (
    access,
    actions,
    meanwhile,
    note_drafts,
    review_notes,
    session_page,
    storyboard,
    storyboard_page,
)
from sessions_app.forms import BoardChoice, ChangesForm, PictureNotesForm
from sessions_app.models import VideoSession
from sessions_app.storyboard import Revision
from workspaces_app import access as workspaces
from workspaces_app.models import Role
from workspaces_app.requests import SignedIn

PAGE = "sessions_app/storyboard.html"


@login_required
@require_safe
def board(request: SignedIn, pk: UUID) -> HttpResponse:
    """The newest storyboard, or that of `?revision=`; with `?against=` compared to another."""
    session = access.session(request.user, pk)
    schedule.watch(session_page.KIND, session.pk)
    chosen = BoardChoice(request.GET).chosen()
    return _page(request, session, revision=chosen["revision"], against=chosen["against"])


def _page(
    request: SignedIn,
    session: VideoSession,
    *,
    revision: int | None = None,
    against: int | None = None,
    form: PictureNotesForm | None = None,
) -> HttpResponse:
    rights = session_page.rights_of(workspaces.require(request.user, session.workspace_id, Role.VIEWER))
    found = storyboard_page.revisions_of(session)
    shown = storyboard_page.board(session, found, number=revision, against=against)
    context: dict[str, Any] = {"session": session, "board": shown, "asked_for": revision}
    if shown is not None:
        form = form or PictureNotesForm(
            [shot.tile.id for shot in shown.pictures],
            initial={"revision": shown.position, "seen": meanwhile.mark(session)},
        )
        context |= {
            **storyboard_page.verdict(session, rights, found, shown.number),
            "stream_url": storyboard_page.stream_address(session, rights, shown),
            "form": form,
            "shots": [
                (shot, form.on(shot.tile.id) if shot.number is not None else None) for shot in shown.shots
            ],
            "left": note_drafts.left_behind(session, found) if shown.is_newest else (),
            "token": tokens.new(),
            "board_draft": note_drafts.board(session, shown.begins),
            "drafts_sent": note_drafts.of_storyboard(
                session, found, BoardChoice(request.GET).chosen()["sent"]
            ),
        }
    status = (
        422 if form is not None and form.errors else 200 if shown is not None or revision is None else 404
    )
    return render(request, PAGE, context, status=status)


@login_required
@require_POST
def notes(request: SignedIn, pk: UUID) -> HttpResponse:
    """Puts the notes together and shows the message, with what was said since. Nothing is sent yet."""
    session = access.sendable(request.user, pk)
    found = storyboard_page.revisions_of(session)
    about = _named(request.POST.get("revision", ""), found)
    if about is None:
        messages.error(request, tokens.OUT_OF_DATE)
        return redirect("sessions:storyboard", session.pk)
    form = PictureNotesForm([resource.pk for resource in about.resources], request.POST)
    if not form.is_valid():
        return _page(request, session, revision=about.number, form=form)
    text = review_notes.compose(form.notes(), pictures=len(about.resources), overall=form.on_all())
    if not text:
        form.add_error("overall", _("Write at least one note."))
        return _page(request, session, revision=about.number, form=form)
    changes_form = ChangesForm(
        opening=actions.opening(request.user, session),
        initial={
            "revision": about.position,
            "notes_on": about.begins,
            "message": text,
            "seen": meanwhile.mark(session),
        },
    )
    return _message_page(request, session, changes_form, said=_said_since(request, session, form))


def _named(position: str, found: Sequence[Revision]) -> Revision | None:
    """The storyboard that a page showed whose last message was at that position; it may have grown since."""
    if not position.isdecimal() or len(position) > 9:
        return None
    return next((each for each in found if each.begins <= int(position) <= each.position), None)


def _said_since(request: SignedIn, session: VideoSession, form: forms.Form) -> Sequence[meanwhile.Said]:
    """What was said after the mark that a valid form carries."""
    seen = form.cleaned_data["seen"]
    return meanwhile.since(seen, session, request.user) if seen is not None else ()


def _message_page(
    request: SignedIn,
    session: VideoSession,
    form: ChangesForm,
    *,
    said: Sequence[meanwhile.Said] = (),
    status: int = 200,
) -> HttpResponse:
    """The message as it would go out; `said` is what its writer has not seen yet.

    What is changed of it outlives a reload, until the notes are put together to something else.
    """
    draft = note_drafts.message(session, form["notes_on"].value(), str(form["message"].value() or ""))
    form.fields["message"].widget.attrs |= {"data-draft": draft, "data-draft-wins": True}
    context = {
        "session": session,
        "form": form,
        "said": said,
        "opening": actions.opening(request.user, session).strip(),
    }
    return render(request, "sessions_app/storyboard_message.html", context, status=status)


@login_required
@require_POST
def changes(request: SignedIn, pk: UUID) -> HttpResponse:
    """Sends the message. Where a newer storyboard or an answer came meanwhile it is shown once more, with that."""
    session = access.sendable(request.user, pk)
    opening = actions.opening(request.user, session)
    form = ChangesForm(request.POST, opening=opening)
    if not form.is_valid():
        return _message_page(request, session, form, status=422)
    newest = storyboard.newest(session)
    if newest is not None and newest.position != form.cleaned_data["revision"]:
        said = _said_since(request, session, form)
        form = _seen_now(request, session, revision=newest.position)
        form.add_error(
            None,
            _(
                "A newer storyboard came while you wrote: your notes are about the one before it. Look at it first; nothing"
                " was sent. Sending once more sends them all the same."
            ),
        )
        return _message_page(request, session, form, said=said, status=422)
    try:
        actions.send(
            session,
            text=form.cleaned_data["message"],
            token=form.cleaned_data["token"],
            by=request.user,
            undecided=bool(opening),
            seen=form.cleaned_data["seen"],
        )
    except actions.SaidMeanwhile as refused:
        form = _seen_now(request, session, revision=form.cleaned_data["revision"])
        return _message_page(request, session, form, said=refused.said, status=422)
    except TokenTaken:
        form.add_error(None, tokens.SENT_BEFORE)
        return _message_page(request, session, form, status=422)
    messages.success(request, _("Your notes are on their way to the agent."))
    notes_on = form.cleaned_data["notes_on"]
    sent = f"?sent={notes_on}" if notes_on is not None else ""
    return redirect(f"{reverse('sessions:storyboard', args=[session.pk])}{sent}")


def _seen_now(request: SignedIn, session: VideoSession, *, revision: int) -> ChangesForm:
    """The posted message once more, by somebody who knows from now on what was said, and of that storyboard."""
    again = request.POST.copy()
    again["revision"], again["seen"] = str(revision), str(meanwhile.mark(session))
    return ChangesForm(again, opening=actions.opening(request.user, session))
