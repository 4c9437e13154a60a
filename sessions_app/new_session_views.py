"""`/sessions/new/`: everything that HeyGen's create call takes, checked before anything is spent.

The form is one plain form. Which button was pressed says what happens ("do"): only "start" starts a session; everything
else (a search without JavaScript, Enter in a field, another workspace) draws the form again with what was typed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from commands import tokens
from commands.ledger import TokenTaken
from commands.models import Command, State
from sessions_app import access, actions, drafts, outlook, uploads, variants, words
from sessions_app.forms import UPLOAD_RULES, NewSessionForm, upload_items
from sessions_app.models import Draft, Upload, VideoSession
from sessions_app.sending import CREATE_KIND
from workspaces_app import access as workspaces
from workspaces_app import overview, pickers
from workspaces_app.models import CatalogueItem, RecentItem, Role, User, Workspace
from workspaces_app.requests import SignedIn

TEMPLATE = "sessions_app/new.html"
# What an account's own things are: they mean nothing in another workspace.
OF_THE_ACCOUNT = (*NewSessionForm.PICKS, "uploads")


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose form it is, for which workspace, and which session it is to be a variant of. `offered` are all workspaces."""

    user: User
    offered: Sequence[Workspace]
    workspace: Workspace
    like: VideoSession | None

    def uploads(self) -> QuerySet[Upload]:
        """What the form may name: the person's own uploads, and those of the session that a variant is made of."""
        named = Q(owner=self.user)
        if self.like is not None and self.like.workspace_id == self.workspace.pk:
            named |= Q(pk__in=variants.first_values(self.like)["uploads"])
        return Upload.objects.filter(named, workspace=self.workspace)

    def draft(self) -> Draft | None:
        return drafts.find(self.user, self.workspace, self.like)

    def form(self, request: SignedIn) -> NewSessionForm:
        """The posted form, to be checked."""
        form = NewSessionForm(_rows(self.offered), request.POST, request.FILES)
        form.belongs_to(
            self.workspace,
            uploads=self.uploads(),
            needs_review=access.run_through_refusal(self.user, self.workspace),
        )
        return form

    def blank(self, fields: Mapping[str, Any]) -> NewSessionForm:
        """The form with these in its fields, and no complaints."""
        if access.run_through_refusal(self.user, self.workspace):
            fields = {name: value for name, value in fields.items() if name != "mode"}
        return NewSessionForm(_rows(self.offered), initial={**fields, "workspace": self.workspace.slug})


def _rows(offered: Sequence[Workspace]) -> QuerySet[Workspace]:
    return Workspace.objects.filter(pk__in=[workspace.pk for workspace in offered]).order_by("name", "pk")


def _desk(request: SignedIn, query: QueryDict) -> Desk:
    """By the fields "workspace" and "like". Raises PermissionDenied for somebody who may start sessions nowhere."""
    offered = workspaces.workspaces_with(request.user, Role.CREATOR)
    if not offered:
        raise PermissionDenied(_("Starting sessions needs the role “Creator” in a workspace."))
    like = _like(request, query.get("like", ""))
    slug = query.get("workspace", "")
    usual = next((each for each in offered if like is not None and each.pk == like.workspace_id), offered[0])
    chosen = next((workspace for workspace in offered if workspace.slug == slug), usual)
    return Desk(request.user, offered, chosen, like)


def _like(request: SignedIn, text: str) -> VideoSession | None:
    try:
        return access.session(request.user, UUID(text)) if text else None
    except (ValueError, Http404):
        return None


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: SignedIn) -> HttpResponse:
    if request.method != "POST":
        return _begin(request, _desk(request, request.GET))
    desk = _desk(request, request.POST)
    do = request.POST.get("do", "")
    was = request.POST.get("was", "")
    if was and was != desk.workspace.slug:
        return _elsewhere(request, desk, was)
    if do == "discard":
        drafts.forget(desk.user, desk.workspace, desk.like)
        return _to(request, desk)
    if do != "start":
        return _again(request, desk, do)
    form = desk.form(request)
    if form.is_valid() and (session := _create(desk, form)) is not None:
        return _leave(request, session.get_absolute_url())
    stored = _keep(desk, request.POST)
    return _page(request, desk, form, drafts.fields_of(request.POST), draft=stored, status=422)


def _begin(request: SignedIn, desk: Desk) -> HttpResponse:
    """The form as somebody finds it: with their draft, else as the first session of a variant was, else empty."""
    draft = desk.draft()
    fields = _variant_fields(desk)
    refused = _refusal(desk.like)
    if draft is not None:
        fields = draft.fields
    form = desk.blank(fields)
    if refused is not None:
        form = _refused_form(desk, fields, refused, draft)
    return _page(request, desk, form, fields, draft=draft)


def _variant_fields(desk: Desk) -> dict[str, Any]:
    if desk.like is None:
        return {}
    fields = variants.first_values(desk.like)
    if desk.like.workspace_id != desk.workspace.pk:
        fields = {name: value for name, value in fields.items() if name not in OF_THE_ACCOUNT}
    return fields


def _refusal(like: VideoSession | None) -> Command | None:
    """The refused create of that session, when the variant is to correct it."""
    if like is None or like.remote_id is not None:
        return None
    presses = Command.objects.filter(kind=CREATE_KIND, object_id=like.pk).order_by("-created_at")
    newest = presses.first()
    return newest if newest is not None and newest.state == State.REFUSED else None


def _refused_form(
    desk: Desk, fields: Mapping[str, Any], refused: Command, draft: Draft | None
) -> NewSessionForm:
    """The form with HeyGen's reason on the field that it named, unless that was changed since."""
    data = QueryDict(mutable=True)
    for name, value in fields.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    data["workspace"] = desk.workspace.slug
    form = NewSessionForm(_rows(desk.offered), data)
    form.belongs_to(desk.workspace, uploads=desk.uploads(), needs_review="")
    form.full_clean()
    form.errors.clear()
    param = str(refused.error.get("param") or "")
    first = _variant_fields(desk)
    if draft is None or fields.get(param) == first.get(param):
        form.refuse(_("HeyGen refused this: %(reason)s") % {"reason": words.refusal(refused)}, param)
    return form


def _create(desk: Desk, form: NewSessionForm) -> VideoSession | None:
    """The session, or None with the reason on the form."""
    cleaned = form.cleaned_data
    try:
        sent_now = [
            uploads.store(file, workspace=desk.workspace, owner=desk.user) for file in cleaned["attachments"]
        ]
        with transaction.atomic():
            session = actions.create(
                desk.workspace,
                values=form.values(),
                files=upload_items([*cleaned["uploads"], *sent_now], cleaned["file_urls"]),
                token=cleaned["token"],
                by=desk.user,
            )
            drafts.forget(desk.user, desk.workspace, desk.like)
            picked = [cleaned[name] for name in form.PICKS if cleaned[name]]
            RecentItem.objects.note(
                desk.user, CatalogueItem.objects.filter(workspace=desk.workspace, remote_id__in=picked)
            )
        return session
    except uploads.NotUploaded as refused:
        form.add_error("attachments", str(refused))
    except TokenTaken:
        form.add_error(None, tokens.SENT_BEFORE)
    return None


def _keep(desk: Desk, posted: QueryDict) -> Draft | None:
    """Saves what was posted, whatever another window saved meanwhile: this one was sent last."""
    token = posted.get("token", "")
    return drafts.save(desk.user, desk.workspace, desk.like, drafts.fields_of(posted), token=token)


def _again(request: SignedIn, desk: Desk, do: str) -> HttpResponse:
    """The form once more, as it was typed, after a button that starts nothing."""
    if do == "refresh":
        overview.refresh(desk.workspace)
    fields = drafts.fields_of(request.POST)
    stored = _keep(desk, request.POST)
    opened, start = pickers.follow(desk.workspace, do)
    return _page(
        request,
        desk,
        desk.blank(fields),
        fields,
        draft=stored,
        opened=opened,
        start=start,
        refreshing=do == "refresh",
    )


def _elsewhere(request: SignedIn, desk: Desk, was: str) -> HttpResponse:
    """Another workspace was chosen: what was typed moves there, or waits here where a draft waits there already."""
    before = next((workspace for workspace in desk.offered if workspace.slug == was), None)
    if before is not None:
        fields = drafts.fields_of(request.POST)
        if desk.draft() is None:
            words_only = {name: value for name, value in fields.items() if name not in OF_THE_ACCOUNT}
            with transaction.atomic():
                drafts.save(desk.user, desk.workspace, desk.like, words_only)
                drafts.forget(desk.user, before, desk.like)
            what = _(
                "This is for %(name)s now. Choices and uploaded files belong to an account: pick them anew."
            )
        else:
            _keep(replace(desk, workspace=before), request.POST)
            what = _("This is your draft for %(name)s. What you wrote for the other workspace waits there.")
        messages.info(request, what % {"name": desk.workspace.name})
    return _to(request, desk)


def _to(request: SignedIn, desk: Desk) -> HttpResponse:
    """The page of this desk, loaded anew."""
    query = {
        "workspace": desk.workspace.slug,
        **({"like": str(desk.like.pk)} if desk.like is not None else {}),
    }
    return _leave(request, f"{reverse('sessions:new')}?{urlencode(query)}")


def _leave(request: SignedIn, address: str) -> HttpResponse:
    return HttpResponse(headers={"HX-Redirect": address}) if request.htmx else redirect(address)


def _page(
    request: SignedIn,
    desk: Desk,
    form: NewSessionForm,
    fields: Mapping[str, Any],
    *,
    draft: Draft | None,
    opened: str = "",
    start: int = 0,
    refreshing: bool = False,
    status: int = 200,
) -> HttpResponse:
    """The form with everything around it. `fields` are its values as drafts keep them.

    `opened` is the kind of the picker that is open, with choices up to `start` and the next.
    """
    workspace = desk.workspace
    state = pickers.catalogue_state(workspace)
    query = request.POST if request.method == "POST" else request.GET
    offered = [
        (field, kind)
        for field, kind in pickers.FIELDS.items()
        if form.offers(field, workspace) or fields.get(field)
    ]
    drawn = [
        pickers.picker(
            workspace,
            desk.user,
            kind,
            value=str(fields.get(field) or "")[:200],
            asked=replace(pickers.Asked.of(kind, query), start=start if kind == opened else 0),
            state=state,
            opened=kind == opened or bool(form.errors.get(field)),
            whole=True,
        )
        for field, kind in offered
    ]
    context = {
        "form": form,
        "workspace": workspace,
        "workspaces": desk.offered,
        "like": desk.like,
        "differences": _differences(desk, fields),
        "pickers": [(picker, form[picker.field]) for picker in drawn],
        "catalogue": state,
        "refreshing": refreshing,
        "uploads": _uploaded(desk, fields),
        **UPLOAD_RULES,
        "outlook": outlook.outlook(workspace),
        "needs_review": access.run_through_refusal(desk.user, workspace),
        "draft": draft,
        "state": "saved" if draft is not None else "none",
        "alone": len(desk.offered) == 1,
    }
    template = f"{TEMPLATE}#form" if request.htmx else TEMPLATE
    return render(request, template, context, status=status)


def _differences(desk: Desk, fields: Mapping[str, Any]) -> list[variants.Difference]:
    return variants.differences(desk.like, fields) if desk.like is not None else []


def _uploaded(desk: Desk, fields: Mapping[str, Any]) -> list[Upload]:
    """The files that the form names already, in their order."""
    named = [text for text in fields.get("uploads") or () if isinstance(text, str) and len(text) == 36]
    try:
        found = {str(upload.pk): upload for upload in desk.uploads().filter(pk__in=map(UUID, named))}
    except ValueError:
        return []
    return [found[text] for text in named if text in found]


@login_required
@never_cache
@require_POST
def draft(request: SignedIn) -> HttpResponse:
    """Keeps what stands in the form: 200 with how the draft is now, or 409 when another window saved something else.

    The answer holds the fragments "draft-state" and "differences"; "base" is the version that this window knows, and "over"
    says that the person decided for it.
    """
    desk = _desk(request, request.POST)
    base = request.POST.get("base", "")
    known = int(base) if base.isdecimal() and len(base) < 9 else 0
    fields = drafts.fields_of(request.POST)
    conflict = False
    try:
        stored = drafts.save(
            desk.user,
            desk.workspace,
            desk.like,
            fields,
            base=None if request.POST.get("over") == "1" else known,
            token=request.POST.get("token", ""),
        )
    except drafts.ChangedMeanwhile as changed:
        conflict, stored = True, changed.stored
    context = {
        "draft": stored,
        "state": "conflict" if conflict else "saved" if stored is not None else "sent",
        "like": desk.like,
        "differences": _differences(desk, fields),
    }
    return render(request, f"{TEMPLATE}#saved", context, status=409 if conflict else 200)
