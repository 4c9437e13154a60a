"""`/sessions/new/`: everything that HeyGen's create call takes, checked before anything is spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from commands.ledger import TokenTaken
from commands.models import Command, State
from sessions_app import access, actions, uploads, words
from sessions_app.forms import NewSessionForm, own_uploads, upload_items
from sessions_app.models import Mode, VideoSession
from sessions_app.sending import CREATE_KIND
from workspaces_app import access as workspaces
from workspaces_app.models import CatalogueItem, CatalogueKind, Role, Workspace
from workspaces_app.requests import SignedIn

TEMPLATE = "sessions_app/new.html"
# What one load of a picker shows; "show more" brings the next.
CHOICES = 24
PICKERS = (
    ("avatar_id", CatalogueKind.LOOK),
    ("voice_id", CatalogueKind.VOICE),
    ("style_id", CatalogueKind.STYLE),
    ("brand_kit_id", CatalogueKind.BRAND_KIT),
)
_FIELDS = {str(kind): field for field, kind in PICKERS}


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to pick. `picture`, `sound` and `film` are addresses of ours, "" where it has none."""

    value: str
    name: str
    detail: str
    picture: str
    sound: str
    film: str
    favourite: bool
    usable: bool


@dataclass(frozen=True, slots=True)
class Picker:
    """A field with choices from the workspace's catalogue; `picked` is always among them, or None."""

    field: str
    kind: str
    label: str
    choices: Sequence[Choice]
    picked: Choice | None
    value: str
    next: int
    address: str


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: SignedIn) -> HttpResponse:
    offered = workspaces.workspaces_with(request.user, Role.CREATOR)
    if not offered:
        raise PermissionDenied(_("Starting sessions needs the role “Creator” in a workspace."))
    rows = Workspace.objects.filter(pk__in=[workspace.pk for workspace in offered]).order_by("name", "pk")
    if request.method != "POST":
        initial = _initial(request, offered)
        return _page(request, NewSessionForm(rows, initial=initial), offered)
    form = NewSessionForm(rows, request.POST, request.FILES)
    workspace = _chosen(request.POST.get("workspace", ""), offered)
    form.offer(own_uploads(request.user, workspace.pk))
    if form.is_valid() and (session := _create(request, form)) is not None:
        if request.htmx:
            return HttpResponse(headers={"HX-Redirect": session.get_absolute_url()})
        return redirect(session)
    return _page(request, form, offered, status=422)


def _create(request: SignedIn, form: NewSessionForm) -> VideoSession | None:
    """The session, or None with the reason on the form."""
    cleaned = form.cleaned_data
    if cleaned["mode"] == Mode.GENERATE and (
        reason := access.run_through_refusal(request.user, cleaned["workspace"])
    ):
        form.add_error("mode", reason)
        return None
    try:
        sent_now = [
            uploads.store(file, workspace=cleaned["workspace"], owner=request.user)
            for file in cleaned["attachments"]
        ]
        return actions.create(
            cleaned["workspace"],
            values=form.values(),
            files=upload_items([*cleaned["uploads"], *sent_now], cleaned["file_urls"]),
            token=cleaned["token"],
            by=request.user,
        )
    except uploads.NotUploaded as refused:
        form.add_error("attachments", str(refused))
    except TokenTaken:
        form.add_error(None, _("This form was sent before. Load the page again."))
    return None


def _chosen(slug: str, offered: Sequence[Workspace]) -> Workspace:
    return next((workspace for workspace in offered if workspace.slug == slug), offered[0])


def _initial(request: SignedIn, offered: Sequence[Workspace]) -> dict[str, Any]:
    """What the form begins with: `?workspace=`, or the settings of the session in `?like=`."""
    like = request.GET.get("like", "")
    if like:
        session = _like(request, like)
        if session is not None:
            settings = session.settings if isinstance(session.settings, dict) else {}
            values = {name: settings.get(name) for name in NewSessionForm.PLAIN}
            addresses = [item["url"] for item in settings.get("files", ()) if item.get("type") == "url"]
            return {
                **{name: value for name, value in values.items() if value is not None},
                "prompt": session.prompt,
                "workspace": session.workspace.slug,
                "file_urls": "\n".join(addresses),
            }
    return {"workspace": _chosen(request.GET.get("workspace", ""), offered).slug}


def _like(request: SignedIn, text: str) -> VideoSession | None:
    try:
        return access.session(request.user, UUID(text))
    except (ValueError, Http404):
        return None


def _page(
    request: SignedIn, form: NewSessionForm, offered: Sequence[Workspace], *, status: int = 200
) -> HttpResponse:
    workspace = _chosen(str(form["workspace"].value() or ""), offered)
    refused = _refusal(request)
    context = {
        "form": form,
        "workspace": workspace,
        "workspaces": offered,
        "pickers": [picker(workspace, kind, value=str(form[field].value() or "")) for field, kind in PICKERS],
        "uploads": _uploaded(request, form, workspace),
        "refusal": words.refusal(refused) if refused is not None else "",
        "refused_field": str(refused.error.get("param") or "") if refused is not None else "",
        "draft_key": "new-session",
    }
    template = f"{TEMPLATE}#form" if request.htmx else TEMPLATE
    return render(request, template, context, status=status)


def _refusal(request: SignedIn) -> Command | None:
    """The refused create that `?like=` comes from: its reason stands above the form again."""
    like = request.GET.get("like", "")
    session = _like(request, like) if like else None
    if session is None:
        return None
    return (
        Command.objects.filter(kind=CREATE_KIND, object_id=session.pk, state=State.REFUSED)
        .order_by("-created_at")
        .first()
    )


def _uploaded(request: SignedIn, form: NewSessionForm, workspace: Workspace) -> list[Any]:
    """The files that were uploaded for a form which came back with an error."""
    named = form.data.getlist("uploads") if form.is_bound and hasattr(form.data, "getlist") else []
    valid = [value for value in named if len(value) == 36]
    return list(own_uploads(request.user, workspace.pk).filter(pk__in=valid)) if valid else []


@login_required
@require_safe
def choices(request: SignedIn, kind: str) -> HttpResponse:
    """The choices of one picker: searched, filtered, or the next of them."""
    if kind not in _FIELDS:
        raise Http404
    workspace = workspaces.workspace(request.user, request.GET.get("workspace", ""), needs=Role.CREATOR)
    start = request.GET.get("start", "")
    offset = int(start) if start.isdecimal() and len(start) < 7 else 0
    drawn = picker(
        workspace,
        kind,
        value=request.GET.get(_FIELDS[kind], "")[:200],
        search=request.GET.get("search", "")[:100],
        ownership=request.GET.get("ownership", "")[:16],
        start=offset,
    )
    part = "more" if offset else "choices"
    return render(request, f"sessions_app/new.html#{part}", {"picker": drawn, "workspace": workspace})


def picker(
    workspace: Workspace, kind: str, *, value: str, search: str = "", ownership: str = "", start: int = 0
) -> Picker:
    """A picker with its choices from `start` on; the picked one comes first, whatever is searched for."""
    items = CatalogueItem.objects.for_picker(workspace, kind, search, {"ownership": ownership})
    found = list(items[start : start + CHOICES + 1])
    more = len(found) > CHOICES
    picked = (
        CatalogueItem.objects.filter(workspace=workspace, kind=kind, remote_id=value).first()
        if value
        else None
    )
    shown = [item for item in found[:CHOICES] if picked is None or item.pk != picked.pk]
    return Picker(
        field=_FIELDS[str(kind)],
        kind=str(kind),
        label=str(CatalogueKind(kind).label),
        choices=[_choice(item, workspace) for item in shown],
        picked=_choice(picked, workspace) if picked is not None else None,
        value=value,
        next=start + CHOICES if more else 0,
        address=reverse("sessions:choices", args=[kind]),
    )


def _choice(item: CatalogueItem, workspace: Workspace) -> Choice:
    def address(what: str) -> str:
        if not item.preview(what):
            return ""
        return reverse("workspaces:catalogue-preview", args=[workspace.slug, item.pk, what])

    details = [
        str(item.data.get(name) or "") for name in ("language", "gender", "aspect_ratio", "avatar_type")
    ]
    if item.ownership == "private":
        details.insert(0, _("Yours"))
    return Choice(
        value=item.remote_id,
        name=item.name,
        detail=" · ".join(detail.replace("_", " ") for detail in details if detail),
        picture=address("picture"),
        sound=address("sound"),
        film=address("film"),
        favourite=item.favourite,
        usable=item.usable,
    )
