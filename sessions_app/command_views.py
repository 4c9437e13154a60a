"""What a person decides about a press that HeyGen refused, or whose outcome nobody knows."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from commands.ledger import NotRepeatable
from commands.models import Command
from sessions_app import access, actions, approving, conversation, heygen_pages
from sessions_app.evidence import evidence
from sessions_app.forms import DecisionForm
from sessions_app.models import Mode, VideoSession
from sessions_app.sending import CREATE_KIND, can_be_made_by
from workspaces_app.models import Role
from workspaces_app.requests import SignedIn


def _press(request: SignedIn, pk: UUID) -> tuple[Command, VideoSession]:
    """The press and its session, when the person may press the like; 404 for strangers, 403 below the role."""
    command = Command.objects.select_related("by").filter(pk=pk, kind__startswith="session.").first()
    if command is None:
        raise Http404
    if command.kind == CREATE_KIND:
        session = access.session(request.user, command.object_id, needs=Role.CREATOR)
        if session.mode == Mode.GENERATE and (
            reason := access.run_through_refusal(request.user, session.workspace)
        ):
            raise PermissionDenied(reason)
        return command, session
    if "revision" in command.payload:
        return command, access.approvable(request.user, command.object_id)
    return command, access.sendable(request.user, command.object_id)


@login_required
@require_safe
def press(request: SignedIn, pk: UUID) -> HttpResponse:
    """All that is known of a press whose outcome is not, on one page, with what can be decided."""
    command, session = _press(request, pk)
    context = {
        "command": command,
        "session": session,
        "evidence": evidence(command, session),
        "press_state": conversation.press_state(command),
        "undecided": command.asks_person,
        "at_heygen": heygen_pages.of_session(session),
    }
    return render(request, "sessions_app/press.html", context)


@login_required
@require_POST
def again(request: SignedIn, pk: UUID) -> HttpResponse:
    """Sends it once more, as a new press."""
    command, session = _press(request, pk)
    try:
        if "revision" in command.payload:
            approving.send_again(session, command, by=request.user, request=request)
        else:
            actions.send_again(command, by=request.user)
    except approving.NotApproved as refused:
        messages.error(request, str(refused.sentence))
    except NotRepeatable:
        messages.warning(request, _("That was settled meanwhile; nothing was sent again."))
    return redirect(session)


@login_required
@require_POST
def happened(request: SignedIn, pk: UUID) -> HttpResponse:
    """A person found out that HeyGen had taken it."""
    return _decide(request, pk, happened=True)


@login_required
@require_POST
def did_not_happen(request: SignedIn, pk: UUID) -> HttpResponse:
    """A person found out that HeyGen had not taken it."""
    return _decide(request, pk, happened=False)


def _decide(request: SignedIn, pk: UUID, *, happened: bool) -> HttpResponse:
    command, session = _press(request, pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(map(str, form.errors["remote_id"])))
        return redirect(session)
    remote_id = form.cleaned_data["remote_id"]
    if happened and command.kind == CREATE_KIND and not remote_id:
        messages.error(request, _("Enter the session's id at HeyGen: without it we cannot follow it."))
        return redirect(session)
    if happened and remote_id and not can_be_made_by(command, remote_id):
        messages.error(request, _("Another press made the session with this id. Nothing was changed."))
        return redirect(session)
    if not actions.decide(command, happened=happened, remote_id=remote_id, by=request.user):
        messages.warning(request, _("That was settled meanwhile."))
    return redirect(session)
