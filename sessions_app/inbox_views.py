"""`/`: what waits for a person, one of them closely beside it, and what happened last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from commands import tokens
from commands.ledger import TokenTaken
from polling import schedule
from sessions_app import access, actions, approving, lists, session_page, words
from sessions_app import inbox as waiting_room
from sessions_app.forms import AboutForm, InboxFilter, MessageForm, PressForm, SnoozeForm
from sessions_app.models import VideoSession
from workspaces_app import context as shell
from workspaces_app.middleware import in_background
from workspaces_app.models import Role
from workspaces_app.requests import SignedIn

T = TypeVar("T")

TEMPLATE = "sessions_app/inbox.html"


@login_required
@require_safe
def inbox(request: SignedIn) -> HttpResponse:
    waiting = _waiting(request)
    if request.htmx:
        return render(request, f"{TEMPLATE}#items", waiting)
    theirs = shell.mine(request)
    shown = {
        **waiting,
        "workspaces": theirs,
        "snoozed": waiting_room.snoozed(request.user),
        "recent": lists.recent(theirs),
        "needs_you_count": len(waiting_room.for_them(waiting["items"])) + waiting["more"],
    }
    return render(request, TEMPLATE, shown)


def _waiting(request: SignedIn) -> dict[str, Any]:
    """What the list shows; `more` is how many beyond it wait as well."""
    workspace = InboxFilter(request.GET).chosen()
    items = waiting_room.waiting(request.user, workspace=workspace)
    more = waiting_room.beyond(items, request.user, workspace=workspace)
    return {"items": items, "more": more, "workspace": workspace}


@in_background
@login_required
@require_safe
def needs_you_count(request: SignedIn) -> JsonResponse:
    """What an open page asks for in the background: how many wait, which came last, how old the mirror is, what is
    wrong with it.

    A session's page names itself with `?about=`: hidden, it has no stream, and learns here what its title should say. Nothing
    new comes over the stream where HeyGen fails to answer: why what it shows is late it learns here, too.
    """
    about = AboutForm(request.GET)
    its = (
        VideoSession.objects.visible_to(request.user).filter(pk=about.cleaned_data["about"]).first()
        if about.is_valid()
        else None
    )
    items = waiting_room.waiting(request.user, pictures=False)
    answered_at = shell.answered_at(request)
    mine = waiting_room.for_them(items)
    latest = max(mine, key=lambda item: item.since, default=None)
    return JsonResponse(
        {
            "count": len(mine) + waiting_room.beyond(items, request.user),
            "title": None if its is None else words.page_title(its),
            "late": None if its is None else session_page.freshness(its).late_because,
            "answered_at": answered_at.isoformat() if answered_at is not None else None,
            "problems": [
                {"tone": banner.tone, "message": banner.message} for banner in shell.banners(request)
            ],
            "latest": None
            if latest is None
            else {
                "title": latest.session.display_title,
                "text": _("%(status)s · %(workspace)s")
                % {"status": latest.status.word, "workspace": latest.session.workspace},
                "url": reverse("sessions:detail", args=[latest.session.pk]),
                "since": latest.since.isoformat(),
            },
        },
        headers={"Cache-Control": "no-store"},
    )


# --- One of them, closely ---------------------------------------------------------------------------------------------


@login_required
@require_safe
def pane(request: SignedIn, pk: UUID) -> HttpResponse:
    """What is shown beside the list; on its own it is the session's page."""
    session, role = access.session_and_role(request.user, pk)
    if not request.htmx:
        return redirect(session)
    schedule.watch(session_page.KIND, session.pk)
    return render(request, "sessions_app/_inbox_pane.html", _context(request, session, role))


def _context(request: SignedIn, session: VideoSession, role: Role, **more: Any) -> dict[str, Any]:
    rights = session_page.rights_of(role)
    shown = waiting_room.pane(session, rights, request.user)
    # An open pane that is brought up to date names a token of its own: it stays the same page.
    page = tokens.new(request.POST.get("token") or request.GET.get("beside", ""))
    return {
        **shown,
        "token": page,
        "answer_token": tokens.new(page),
        "approve_token": tokens.new(page),
        **more,
    }


@login_required
@require_POST
def approve(request: SignedIn, pk: UUID) -> HttpResponse:
    """Approves the storyboard that the pane showed."""
    session = access.approvable(request.user, pk)
    return _judge(
        request,
        session,
        lambda asked: approving.approve(
            session, revision=asked["revision"], token=asked["token"], by=request.user, request=request
        ),
        done=lambda now: (
            _("Approved. Others have to approve, too.") if now.missing else _("Approved. It is being sent.")
        ),
    )


@login_required
@require_POST
def take_back(request: SignedIn, pk: UUID) -> HttpResponse:
    """The person's own approval of the storyboard that the pane showed."""
    session = access.approvable(request.user, pk)
    return _judge(
        request,
        session,
        lambda asked: approving.take_back(
            session, revision=asked["revision"], by=request.user, request=request
        ),
        done=lambda _now: _("Taken back. It is as if you had not approved."),
    )


def _judge(
    request: SignedIn,
    session: VideoSession,
    action: Callable[[dict[str, Any]], approving.Standing],
    *,
    done: Callable[[approving.Standing], str],
) -> HttpResponse:
    """A press about the storyboard that the pane showed; `action` gets the valid values of its PressForm."""
    press = PressForm(request.POST)
    if not press.is_valid() or press.cleaned_data["revision"] is None:
        return _pressed(request, session, error=tokens.OUT_OF_DATE)
    return _press(request, session, lambda: action(press.cleaned_data), done=done)


@login_required
@require_POST
def reply(request: SignedIn, pk: UUID) -> HttpResponse:
    """What somebody wrote, or a choice of the agent's question."""
    session = access.sendable(request.user, pk)
    opening = actions.opening(request.user, session)
    if "choice" in request.POST:
        press = PressForm(request.POST)
        if not press.is_valid() or not press.cleaned_data["choice"].strip() or opening:
            return _pressed(request, session, error=tokens.OUT_OF_DATE)
        asked = press.cleaned_data
        return _press(
            request,
            session,
            lambda: actions.send(
                session,
                text=asked["choice"],
                token=asked["token"],
                by=request.user,
                question=asked["question"],
            ),
            done=lambda _command: _("Answered. It is being sent."),
        )
    form = MessageForm(request.POST, opening=opening)
    if not form.is_valid():
        return _pressed(request, session, form=form)
    return _press(
        request,
        session,
        lambda: actions.send(
            session,
            text=form.cleaned_data["message"],
            token=form.cleaned_data["token"],
            by=request.user,
            undecided=bool(opening),
            seen=form.cleaned_data["seen"],
        ),
        done=lambda _command: _("Your answer is being sent."),
        form=form,
    )


def _press(
    request: SignedIn,
    session: VideoSession,
    action: Callable[[], T],
    *,
    done: Callable[[T], str],
    form: MessageForm | None = None,
) -> HttpResponse:
    """`done` says in words what came of the action."""
    try:
        result = action()
    except approving.NotApproved as refused:
        return _pressed(request, session, error=str(refused.sentence), form=form)
    except actions.SaidMeanwhile as meanwhile:
        return _pressed(request, session, said=meanwhile.said, form=form)
    except TokenTaken:
        return _pressed(
            request,
            session,
            error=tokens.SENT_BEFORE,
            form=form,
        )
    return _pressed(request, session, done=done(result))


def _pressed(request: SignedIn, session: VideoSession, **outcome: Any) -> HttpResponse:
    """The pane again, with how it went, and the list as it is now; without htmx the session's page tells."""
    went_well = "done" in outcome
    if not request.htmx and went_well:
        return redirect(session)
    fresh, role = access.session_and_role(request.user, session.pk)
    context = {
        **_context(request, fresh, role, **outcome),
        **_waiting(request),
    }
    template = "sessions_app/inbox_pressed.html" if request.htmx else "sessions_app/inbox_alone.html"
    return render(request, template, context, status=200 if went_well else 422)


# --- Putting off --------------------------------------------------------------------------------------------------------


@login_required
@require_POST
def snooze(request: SignedIn, pk: UUID) -> HttpResponse:
    """Puts a session off for this person; `until` is one of the choices, "" brings it back at once."""
    session = access.session(request.user, pk)
    form = SnoozeForm(request.POST)
    choice = form.cleaned_data["until"] if form.is_valid() else "tomorrow"
    if choice:
        waiting_room.snooze(
            session, by=request.user, until=waiting_room.until(choice, request.user, session.looked_at)
        )
    else:
        waiting_room.wake(session, by=request.user)
    if request.htmx:
        context = {**_waiting(request), "snoozed": waiting_room.snoozed(request.user)}
        return render(request, "sessions_app/inbox_snoozed.html", context)
    workspace = InboxFilter(request.GET).chosen()
    query = f"?{urlencode({'workspace': workspace})}" if workspace else ""
    return redirect(reverse("sessions:inbox") + query)
