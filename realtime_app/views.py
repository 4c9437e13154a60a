"""Pages of live streams: the list, a new one, the page with the player, and the presses on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

import heygen
from commands import ledger, tokens
from commands.models import Command, State
from realtime_app import access, actions, listing, page, playlists, topic, uploads
from realtime_app.forms import (
    ID_LIMIT,
    CancelForm,
    DecisionForm,
    ListFilter,
    PushForm,
    StreamForm,
)
from realtime_app.models import Stream, StreamKind
from realtime_app.querysets import LIST_FILTERS
from realtime_app.sending import CREATE_KIND
from workspaces_app import access as workspaces
from workspaces_app import pickers
from workspaces_app.context import mine as workspaces_of
from workspaces_app.models import RecentItem, Role, Workspace
from workspaces_app.requests import SignedIn

STREAMS_PER_PAGE = 30


@login_required
@require_safe
def stream_list(request: SignedIn) -> HttpResponse:
    """The streams of all the person's workspaces, newest first, narrowed by `?workspace=` and `?status=`."""
    asked = ListFilter(request.GET)
    asked.is_valid()
    slug, status = asked.cleaned_data.get("workspace") or "", asked.cleaned_data.get("status") or ""
    mine = workspaces_of(request)
    streams = Stream.objects.filter(workspace__in=mine).for_list()
    if slug:
        streams = streams.filter(workspace__slug=slug)
    if status:
        streams = streams.filter(LIST_FILTERS[status])
    found = Paginator(streams, STREAMS_PER_PAGE).get_page(asked.cleaned_data.get("page") or 1)
    return render(
        request,
        "realtime_app/list.html",
        {
            "page": found,
            "rows": listing.rows(list(found)),
            "workspaces": mine,
            "workspace": slug,
            "status": status,
            "statuses": [
                ("", _("All")),
                ("running", _("Running")),
                ("ended", _("Ended")),
                ("failed", _("Failed")),
            ],
            "narrowed": bool(slug or status),
            "running": any(not stream.ended for stream in found),
            "query": urlencode(
                {name: value for name, value in (("workspace", slug), ("status", status)) if value}
            ),
        },
    )


# --- A new one --------------------------------------------------------------------------------------------------------


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: SignedIn) -> HttpResponse:
    """The form of a new stream; `?from=` brings that of another one, with what HeyGen refused at its field."""
    source = _source(request)
    usable = workspaces.workspaces_with(request.user, Role.CREATOR)
    workspace = _chosen_workspace(request, usable, source)
    if workspace is None:
        return render(request, "realtime_app/new.html", {"workspaces": usable, "workspace": None})
    if request.method != "POST":
        form = StreamForm.corrected(source, _refusal_of(source)) if source else StreamForm(workspace)
        return _form_page(request, usable, workspace, form)
    form = StreamForm(workspace, request.POST, request.FILES, source=source)
    if "do" in request.POST:
        # A button of a picker without JavaScript: the same form, with other choices and without complaints.
        opened, start = pickers.follow(workspace, request.POST["do"])
        return _form_page(request, usable, workspace, form, looking=True, opened=opened, start=start)
    stream = _started(request, workspace, form) if form.is_valid() else None
    if stream is None:
        return _form_page(request, usable, workspace, form, status=422)
    return redirect(f"{stream.get_absolute_url()}?new=1")


def _source(request: SignedIn) -> Stream | None:
    """The stream that `from` names, when the person may start one in its workspace."""
    named = request.POST.get("from") or request.GET.get("from") or ""
    if not named:
        return None
    try:
        return access.stream(request.user, UUID(named), needs=Role.CREATOR)
    except ValueError:
        raise Http404 from None


def _chosen_workspace(request: SignedIn, usable: list[Workspace], source: Stream | None) -> Workspace | None:
    if source is not None:
        return source.workspace
    slug = request.POST.get("workspace") or request.GET.get("workspace") or ""
    if slug:
        return workspaces.workspace(request.user, slug, needs=Role.CREATOR)
    return usable[0] if usable else None


def _refusal_of(stream: Stream) -> dict[str, Any] | None:
    create = Command.objects.for_object(CREATE_KIND, stream.pk).last()
    return create.error if create is not None and create.state == State.REFUSED else None


def _started(request: SignedIn, workspace: Workspace, form: StreamForm) -> Stream | None:
    """The stream that a valid form starts, or None with the reason in the form."""
    token, file, asset_id = form.cleaned_data["token"], form.cleaned_data["audio_file"], ""
    try:
        if form.cleaned_data["kind"] == StreamKind.AUDIO and file is not None:
            asset_id = uploads.as_asset(workspace, file, token=token)
        stream = actions.create(workspace, form.wanted(asset_id=asset_id), token=token, by=request.user)
    except heygen.Held:
        form.add_error(None, _("Nothing can be uploaded with this workspace's API key at the moment."))
        return None
    except heygen.ApiError as error:
        form.add_error(
            "audio_file", _("HeyGen did not take the file: %(why)s") % {"why": error.message or error}
        )
        return None
    except ledger.TokenTaken:
        form.add_error(None, tokens.OUT_OF_DATE)
        return None
    RecentItem.objects.note(request.user, form.items.values())
    return stream


def _form_page(
    request: SignedIn,
    usable: list[Workspace],
    workspace: Workspace,
    form: StreamForm,
    *,
    status: int = 200,
    looking: bool = False,
    opened: str = "",
    start: int = 0,
) -> HttpResponse:
    state = pickers.catalogue_state(workspace)
    drawn = [
        pickers.picker(
            workspace,
            request.user,
            kind,
            value=str(form[name].value() or "")[:ID_LIMIT],
            asked=replace(pickers.Asked.of(kind, request.POST), start=start if kind == opened else 0),
            state=state,
            opened=kind == opened or (not looking and bool(form.errors.get(name))),
            whole=True,
            must=True,
        )
        for name, (kind, _other) in form.PICKS.items()
    ]
    return render(
        request,
        "realtime_app/new.html",
        {
            "workspaces": usable,
            "workspace": workspace,
            "form": form,
            "pickers": [(picker, form[picker.field], form[form.PICKS[picker.field][1]]) for picker in drawn],
            "show_errors": not looking,
            "source": form.source,
        },
        status=status,
    )


# --- The live page ----------------------------------------------------------------------------------------------------


@login_required
@never_cache
@require_safe
def detail(request: SignedIn, pk: UUID) -> HttpResponse:
    stream = access.stream(request.user, pk)
    topic.watch(stream.pk)
    return _live_page(request, stream, PushForm())


def _live_page(request: SignedIn, stream: Stream, push_form: PushForm, *, status: int = 200) -> HttpResponse:
    role = workspaces.require(request.user, stream.workspace_id, Role.VIEWER)
    variant = page.ACTS if role.allows(Role.CREATOR) else ""
    return render(
        request,
        "realtime_app/detail.html",
        {
            **page.context(stream, variant=variant),
            "earlier": page.earlier_words(stream.pk),
            "push_form": push_form,
            "push_token": tokens.new(),
            "stop_token": tokens.new(),
            "draft_sent": _accepted_draft(request, stream),
            "stream_url": f"/stream/{topic.KIND}/{stream.pk}/?since={stream.version}&variant={variant}",
        },
        status=status,
    )


def _accepted_draft(request: SignedIn, stream: Stream) -> str:
    """Whose draft the browser may forget: this page follows a form that was accepted."""
    if "new" in request.GET:
        return "live:new"
    return f"live:{stream.pk}" if "pushed" in request.GET else ""


@login_required
@require_safe
def playlist(request: SignedIn, pk: UUID) -> HttpResponse:
    """Where the player finds the stream: a redirect to HeyGen's playlist, for members only.

    Relative addresses in a playlist count from where it really lies, so segments come from HeyGen and not through us.
    """
    stream = access.stream(request.user, pk)
    response: HttpResponse
    if not stream.hls_url:
        response = HttpResponse(
            _("It does not play yet."), content_type="text/plain; charset=utf-8", status=404
        )
    elif not playlists.listed(stream.hls_url):
        response = HttpResponse(
            _("The stream comes from %(origin)s, which is not listed in MEDIA_HOSTS.")
            % {"origin": playlists.origin_of(stream.hls_url) or "?"},
            content_type="text/plain; charset=utf-8",
            status=409,
        )
    else:
        response = HttpResponseRedirect(stream.hls_url)
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_POST
def push(request: SignedIn, pk: UUID) -> HttpResponse:
    """A further piece of text. By htmx the answer is a fresh token: the stream of events shows the text itself."""
    stream = access.stream(request.user, pk, needs=Role.CREATOR)
    form = PushForm(request.POST)
    if form.is_valid():
        values = form.cleaned_data
        try:
            actions.push(
                stream, text=values["text"], final=values["final"], token=values["token"], by=request.user
            )
        except actions.TakesNoText:
            form.add_error(None, _("The stream has ended: it takes no more text."))
        except ledger.TokenTaken:
            form.add_error(None, tokens.OUT_OF_DATE)
    status = 200 if form.is_valid() else 422
    if request.htmx:
        context = {"push_form": form, "push_token": tokens.new()}
        return render(request, "realtime_app/_pressed.html", context, status=status)
    if not form.is_valid():
        return _live_page(request, stream, form, status=422)
    return redirect(f"{stream.get_absolute_url()}?pushed=1#composer")


@login_required
@require_POST
def cancel(request: SignedIn, pk: UUID) -> HttpResponse:
    stream = access.stream(request.user, pk, needs=Role.CREATOR)
    form = CancelForm(request.POST)
    if form.is_valid() and not stream.ended:
        try:
            actions.cancel(stream, token=form.cleaned_data["token"], by=request.user)
        except ledger.TokenTaken:
            messages.error(request, tokens.OUT_OF_DATE)
    if request.htmx:
        return render(request, "realtime_app/_pressed.html", {"stop_token": tokens.new()})
    return redirect(stream)


@login_required
@require_POST
def send_again(request: SignedIn, pk: UUID, command_id: UUID) -> HttpResponse:
    """Sends a refused or unclear press once more."""
    stream, command = access.press(request.user, pk, command_id)
    try:
        actions.send_again(stream, command, by=request.user)
    except actions.TakesNoText:
        messages.error(request, _("The stream has ended: it takes no more text."))
    except ledger.NotRepeatable:
        messages.error(request, _("It was settled meanwhile: nothing was sent again."))
    return _after_decision(request, stream)


@login_required
@require_POST
def decide(request: SignedIn, pk: UUID, command_id: UUID) -> HttpResponse:
    """A person says whether an unclear press happened."""
    stream, command = access.press(request.user, pk, command_id)
    form = DecisionForm(stream, request.POST)
    if not form.is_valid():
        messages.error(request, str(next(iter(form.errors.values()))[0]))
        return redirect(stream)
    happened, stream_id = form.cleaned_data["happened"], form.cleaned_data["stream_id"]
    if command.kind == CREATE_KIND and happened and not stream_id:
        messages.error(request, _("Enter HeyGen's id of the stream: without it there is nothing to follow."))
    elif not actions.decide(command, happened=happened, stream_id=stream_id, by=request.user):
        messages.error(request, _("It was settled meanwhile."))
    return _after_decision(request, stream)


def _after_decision(request: SignedIn, stream: Stream) -> HttpResponse:
    """The page itself; for htmx nothing, because the stream of events brings what changed, unless something went wrong."""
    if request.htmx and not list(messages.get_messages(request)):
        return HttpResponse(status=204)
    return redirect(stream)
