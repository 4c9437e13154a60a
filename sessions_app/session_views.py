"""`/sessions/<id>/`: the page of one session, and everything that is pressed there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from commands import tokens
from commands.ledger import TokenTaken
from polling import schedule
from sessions_app import access, actions, approving, conversation, reading, session_page, uploads
from sessions_app.forms import (
    UPLOAD_RULES,
    MessageForm,
    MessageSpan,
    NoteForm,
    PressForm,
    ReadForm,
    TagsForm,
    own_uploads,
    upload_items,
)
from sessions_app.models import Upload, VideoSession
from workspaces_app.models import Role
from workspaces_app.requests import SignedIn

PAGE = "sessions_app/detail.html"


def _context(request: SignedIn, session: VideoSession, role: Role, **forms: Any) -> dict[str, Any]:
    """What the page has beside what everybody sees: the forms, with a token for each press."""
    rights = session_page.rights_of(role)
    shown = session_page.context(session, rights)
    page = tokens.new(request.POST.get("token", ""))
    return {
        **shown,
        "stream_url": session_page.stream_address(session, rights),
        "form": MessageForm(initial={"token": page}),
        "note_form": NoteForm(draft=f"notes:{session.pk}"),
        "unread": reading.unread(session, request.user, shown["newest"]),
        "tags": session.tag_names,
        "tags_form": TagsForm(initial={"tags": ", ".join(session.tag_names)}),
        "tokens": {name: tokens.new(page) for name in ("answer", "approve", "take-back", "stop")},
        "draft_key": f"session:{session.pk}",
        "attached": list(Upload.objects.waiting_for(request.user, session)) if session.has_attached else (),
        **UPLOAD_RULES,
        **forms,
    }


@login_required
@require_safe
def detail(request: SignedIn, pk: UUID) -> HttpResponse:
    session, role = access.session_and_role(request.user, pk)
    schedule.watch(session_page.KIND, session.pk)
    return render(request, PAGE, _context(request, session, role))


@login_required
@require_safe
def messages(request: SignedIn, pk: UUID) -> HttpResponse:
    """Messages from `?from=` up to `?before=`, either of which may be left out; without htmx a page of their own."""
    session = access.session(request.user, pk)
    span = MessageSpan(request.GET).chosen()
    shown = session_page.some_messages(session, start=span["from"], before=span["before"])
    template = "sessions_app/detail/conversation.html#older" if request.htmx else "sessions_app/older.html"
    return render(request, template, shown)


@login_required
@require_safe
def earlier(request: SignedIn, pk: UUID, position: int) -> HttpResponse:
    """How a message read before HeyGen changed it, in the page's dialog or on a page of its own."""
    session = access.session(request.user, pk)
    message = get_object_or_404(session.messages, position=position)
    template = "sessions_app/earlier.html#texts" if request.htmx else "sessions_app/earlier.html"
    return render(request, template, {"session": session, "texts": conversation.earlier(message)})


@login_required
@require_POST
def read(request: SignedIn, pk: UUID) -> HttpResponse:
    """The page says how far the person has read: `position`."""
    session = access.session(request.user, pk)
    form = ReadForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=422)
    reading.mark_read(session, request.user, form.cleaned_data["position"])
    return HttpResponse(status=204)


def _done(request: SignedIn, session: VideoSession, **context: Any) -> HttpResponse:
    """After a press: what it changed, with new tokens for the forms; or simply the page again."""
    if not request.htmx:
        return redirect(session)
    fresh, role = access.session_and_role(request.user, session.pk)
    return render(request, "sessions_app/detail_pressed.html", _context(request, fresh, role, **context))


def _refused(request: SignedIn, session: VideoSession, form: Any, **context: Any) -> HttpResponse:
    """What was typed stays where it is; what is wrong with it stands below."""
    fresh, role = access.session_and_role(request.user, session.pk)
    context = _context(request, fresh, role, form=form, **context)
    if request.htmx:
        return render(request, "sessions_app/detail_refused.html", context, status=422)
    return render(request, PAGE, context, status=422)


def _stale(request: SignedIn, session: VideoSession, form: Any, message: str | Promise) -> HttpResponse:
    form.add_error(None, message)
    return _refused(request, session, form)


def _others_decide() -> str:
    return _(
        "Others have to approve here, too. Say in your own words what should change, or approve the storyboard itself."
    )


@login_required
@require_POST
def send(request: SignedIn, pk: UUID) -> HttpResponse:
    """A message with what was typed and uploaded."""
    session = access.sendable(request.user, pk)
    opening = actions.opening(request.user, session)
    form = MessageForm(request.POST, request.FILES, opening=opening)
    form.offer(own_uploads(request.user, session.workspace_id))
    if not form.is_valid():
        return _refused(request, session, form)
    try:
        # They wait in the composer like all others, so that a message that is refused does not lose them.
        sent_now = [
            uploads.store(file, workspace=session.workspace, owner=request.user, waits_in=session)
            for file in form.cleaned_data["attachments"]
        ]
        attached = [*form.cleaned_data["uploads"], *sent_now]
        actions.send(
            session,
            text=form.cleaned_data["message"],
            files=upload_items(attached),
            attached=attached,
            token=form.cleaned_data["token"],
            by=request.user,
            seen=form.cleaned_data["seen"],
            undecided=bool(opening),
        )
    except actions.SaidMeanwhile as meanwhile:
        return _refused(request, session, form, others=meanwhile.said)
    except uploads.NotUploaded as refused:
        return _stale(request, session, form, str(refused))
    except TokenTaken:
        return _stale(request, session, form, tokens.SENT_BEFORE)
    return _done(request, session)


@login_required
@require_POST
def answer(request: SignedIn, pk: UUID) -> HttpResponse:
    """One of the choices that the agent's question ends in."""
    session = access.sendable(request.user, pk)
    if access.is_undecided(request.user, session):
        return _stale(request, session, _bound(MessageForm()), _others_decide())
    return _press(
        request,
        session,
        lambda form: (
            actions.send(
                session,
                text=form["choice"],
                token=form["token"],
                by=request.user,
                question=form["question"],
            )
            if form["choice"].strip()
            else None
        ),
    )


@login_required
@require_POST
def approve(request: SignedIn, pk: UUID) -> HttpResponse:
    """The verdict on a storyboard. It counts only for the newest one, and has to say which one it is about."""
    session = access.approvable(request.user, pk)
    return _press(
        request,
        session,
        lambda form: approving.approve(
            session,
            revision=_named(form["revision"]),
            token=form["token"],
            by=request.user,
            request=request,
        ),
    )


@login_required
@require_POST
def take_back(request: SignedIn, pk: UUID) -> HttpResponse:
    """The person's own approval, as long as others are still to give theirs."""
    session = access.approvable(request.user, pk)
    return _press(
        request,
        session,
        lambda form: approving.take_back(
            session, revision=_named(form["revision"]), by=request.user, request=request
        ),
    )


def _named(revision: int | None) -> int:
    """The storyboard that a press is about; a form that names none is about a stale one."""
    return -1 if revision is None else revision


@login_required
@require_POST
def stop(request: SignedIn, pk: UUID) -> HttpResponse:
    session = access.session(request.user, pk, needs=Role.CREATOR)
    return _press(request, session, lambda form: actions.stop(session, token=form["token"], by=request.user))


def _press(
    request: SignedIn, session: VideoSession, action: Callable[[dict[str, Any]], object]
) -> HttpResponse:
    """A press of one button. What stands in the composer is nobody's business here: it stays."""
    press = PressForm(request.POST)
    form = MessageForm()
    if not press.is_valid():
        return _stale(request, session, _bound(form), tokens.OUT_OF_DATE)
    try:
        action(press.cleaned_data)
    except approving.NotApproved as refused:
        return _stale(request, session, _bound(form), str(refused.sentence))
    except actions.AlreadyAnswered as meanwhile:
        return _refused(request, session, _bound(form), others=meanwhile.said, was_choice=True)
    except TokenTaken:
        return _stale(request, session, _bound(form), tokens.SENT_BEFORE)
    return _done(request, session)


def _bound(form: MessageForm) -> MessageForm:
    """A form that can carry an error without having been filled in."""
    bound = MessageForm(QueryDict(f"token={tokens.new()}"))
    bound.full_clean()
    bound.errors.clear()
    return bound


@login_required
@require_POST
def archive(request: SignedIn, pk: UUID) -> HttpResponse:
    """`archived=1` takes the session out of the lists, anything else brings it back."""
    session = access.session(request.user, pk, needs=Role.CREATOR)
    archived = request.POST.get("archived") == "1"
    actions.archive(session, archived=archived, by=request.user)
    notices.success(request, _("Archived.") if archived else _("Back in the lists."))
    return redirect(session)


@login_required
@require_POST
def tag(request: SignedIn, pk: UUID) -> HttpResponse:
    """The tags that the session has from now on."""
    session, role = access.session_and_role(request.user, pk, needs=Role.CREATOR)
    form = TagsForm(request.POST)
    if form.is_valid():
        actions.tag(session, tags=form.cleaned_data["tags"], by=request.user)
        return redirect(session)
    return render(request, PAGE, _context(request, session, role, tags_form=form), status=422)
