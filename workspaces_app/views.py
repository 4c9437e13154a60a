"""Pages of a workspace: overview, members, key, catalogue, webhook, audit trail."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from workspaces_app import access, audit, keys, members, overview, pickers, webhook_registration, webhooks
from workspaces_app.forms import InviteForm, KeyForm, RoleForm, WorkspaceForm
from workspaces_app.models import AuditEntry, CatalogueItem, Membership, Role, Workspace
from workspaces_app.requests import SignedIn

AUDIT_PAGE = 100


@require_safe
def workspace_list(request: SignedIn) -> HttpResponse:
    """The person's workspaces, each with their role."""
    memberships = (
        Membership.objects.filter(user=request.user)
        .select_related("workspace", "workspace__account")
        .annotate(member_count=Count("workspace__memberships"))
        .order_by("workspace__name", "workspace_id")
    )
    return render(request, "workspaces_app/list.html", {"memberships": memberships})


@require_safe
def workspace_overview(request: SignedIn, slug: str) -> HttpResponse:
    workspace = access.workspace(request.user, slug)
    return _overview_page(request, workspace)


def _overview_page(
    request: SignedIn,
    workspace: Workspace,
    *,
    invite_form: InviteForm | None = None,
    invited: members.Invited | None = None,
    status: int = 200,
) -> HttpResponse:
    """The overview; `invited` shows a one-time password: views that pass it are `never_cache`."""
    role = access.require(request.user, workspace.pk, Role.VIEWER)
    context = {
        "workspace": workspace,
        "role": role,
        "manages": role.allows(Role.ADMIN),
        "overview": overview.of(workspace),
        "memberships": Membership.objects.filter(workspace=workspace)
        .select_related("user")
        .order_by("user__email"),
        "roles": Role.choices,
        "invite_form": invite_form or InviteForm(prefix="invite"),
        "invited": invited,
        "webhooks_possible": webhooks.possible(),
        "endpoint": webhooks.endpoint_of(workspace),
        "last_delivery_at": webhooks.last_delivery_at(workspace),
    }
    return render(request, "workspaces_app/overview.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def workspace_settings(request: SignedIn, slug: str) -> HttpResponse:
    workspace = access.workspace(request.user, slug, needs=Role.ADMIN)
    form = WorkspaceForm(request.POST if request.method == "POST" else None, instance=workspace)
    if request.method == "POST" and form.is_valid():
        changed = _save_settings(request, form)
        messages.success(request, _("The workspace is saved."))
        return redirect(changed)
    # The form wrote into its instance: the heading keeps the name that is stored.
    stored = Workspace.objects.get(pk=workspace.pk)
    context = {"workspace": stored, "form": form}
    return render(request, "workspaces_app/settings.html", context, status=422 if form.is_bound else 200)


def _save_settings(request: SignedIn, form: WorkspaceForm) -> Workspace:
    changed = form.save(commit=False)
    rule = form.rule()
    with transaction.atomic():
        # Only the rule's own keys: others may have changed since the form was drawn.
        stored = Workspace.objects.select_for_update().get(pk=changed.pk)
        changed.settings = {**stored.settings, **rule.as_settings()}
        changed.save(update_fields=["name", "dialect", "settings"])
        if "dialect" in form.changed_data:
            keys.read_again(changed.pk)
        audit.record(
            "workspace.changed",
            actor=request.user,
            workspace_id=changed.pk,
            about=changed,
            data={name: form.cleaned_data[name] for name in form.changed_data if name != "understood"},
            request=request,
        )
    return changed


# --- Members --------------------------------------------------------------------------------------------------------


@never_cache
@require_POST
def member_add(request: SignedIn, slug: str) -> HttpResponse:
    """Adds a person. For a new account the answer is the page itself, with the one-time password on it."""
    workspace = access.workspace(request.user, slug, needs=Role.ADMIN)
    form = InviteForm(request.POST, prefix="invite")
    if not form.is_valid():
        return _overview_page(request, workspace, invite_form=form, status=422)
    try:
        invited = members.invite(
            workspace,
            email=form.cleaned_data["email"],
            name=form.cleaned_data["name"],
            role=Role(form.cleaned_data["role"]),
            by=request.user,
            request=request,
        )
    except members.AlreadyMemberError:
        form.add_error("email", _("This person is a member already."))
        return _overview_page(request, workspace, invite_form=form, status=422)
    if invited.password is not None:
        return _overview_page(request, workspace, invited=invited)
    messages.success(request, _("%(name)s was added.") % {"name": invited.membership.user})
    return redirect(workspace)


def _membership(workspace: Workspace, membership_id: UUID) -> Membership:
    return get_object_or_404(Membership.objects.select_related("user"), pk=membership_id, workspace=workspace)


@require_POST
def member_role(request: SignedIn, slug: str, membership_id: UUID) -> HttpResponse:
    workspace = access.workspace(request.user, slug, needs=Role.ADMIN)
    membership = _membership(workspace, membership_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("There is no such role."))
        return redirect(workspace)
    role = Role(form.cleaned_data["role"])
    try:
        if members.change_role(membership, role, by=request.user, request=request):
            messages.success(
                request, _("%(name)s is now %(role)s.") % {"name": membership.user, "role": role.label}
            )
    except members.LastAdminError:
        messages.error(request, _("A workspace needs an admin. Make somebody else admin first."))
    return redirect(workspace)


@require_POST
def member_remove(request: SignedIn, slug: str, membership_id: UUID) -> HttpResponse:
    """Removes a member; anybody may leave by themselves."""
    workspace = access.workspace(request.user, slug)
    membership = _membership(workspace, membership_id)
    leaving = membership.user_id == request.user.pk
    if not leaving:
        access.require(request.user, workspace.pk, Role.ADMIN)
    try:
        members.remove(membership, by=request.user, request=request)
    except members.LastAdminError:
        messages.error(request, _("A workspace needs an admin. Make somebody else admin first."))
        return redirect(workspace)
    if leaving:
        messages.success(request, _("You have left “%(name)s”.") % {"name": workspace})
        return redirect("workspaces:list")
    messages.success(request, _("%(name)s was removed.") % {"name": membership.user})
    return redirect(workspace)


@never_cache
@require_POST
def member_password(request: SignedIn, slug: str, membership_id: UUID) -> HttpResponse:
    """A new one-time password for somebody who never signed in."""
    workspace = access.workspace(request.user, slug, needs=Role.ADMIN)
    membership = _membership(workspace, membership_id)
    try:
        password = members.renew_password(membership, by=request.user, request=request)
    except members.NotTheirsError as error:
        raise PermissionDenied(
            _("Only the operators of this installation may reset this password.")
        ) from error
    return _overview_page(request, workspace, invited=members.Invited(membership, password))


# --- The key --------------------------------------------------------------------------------------------------------


@sensitive_post_parameters("api_key")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def key(request: SignedIn, slug: str) -> HttpResponse:
    """Enters or replaces the workspace's API key. What was typed is never sent back."""
    workspace = access.workspace(request.user, slug, needs=Role.ADMIN)
    form = KeyForm(request.POST if request.method == "POST" else None)
    status = 422 if form.is_bound else 200
    if request.method == "POST" and form.is_valid():
        try:
            if _key_saved(request, workspace, form):
                return redirect(workspace)
        except keys.AddressChanged:
            workspace.refresh_from_db()
            form.add_error(
                None, _("HeyGen's address was changed meanwhile. Look at it, and enter the key again.")
            )
    context = {"workspace": workspace, "form": form}
    return render(request, "workspaces_app/key.html", context, status=status)


def _key_saved(request: SignedIn, workspace: Workspace, form: KeyForm) -> bool:
    """Tries the key and keeps it, if that is right; else the form says why not. Raises keys.AddressChanged."""
    api_key, unchecked = form.cleaned_data["api_key"], form.cleaned_data["unchecked"]
    if form.cleaned_data["address"] not in ("", workspace.base_url):
        raise keys.AddressChanged
    answer = keys.check(workspace, api_key)
    if answer.refused:
        form.add_error("api_key", answer.message)
        return False
    if not answer.asked and not unchecked:
        form.add_error(None, answer.message)
        return False
    keys.save(workspace, api_key, by=request.user, checked=answer.asked, request=request)
    messages.success(request, _("The key is saved. It ends in %(last4)s.") % {"last4": workspace.key_last4})
    if answer.message:
        messages.warning(request, answer.message)
    return True


@require_POST
def key_remove(request: SignedIn, slug: str) -> HttpResponse:
    workspace = access.workspace(request.user, slug, needs=Role.ADMIN)
    if keys.remove(workspace, by=request.user, request=request):
        messages.success(
            request, _("The key is removed. Nothing more is read from HeyGen for this workspace.")
        )
    return redirect(workspace)


@require_POST
def credit_back(request: SignedIn, slug: str) -> HttpResponse:
    """Somebody topped up the account: what costs money may be sent again."""
    workspace = access.workspace(request.user, slug, needs=Role.ADMIN)
    if keys.credit_is_back(workspace, by=request.user, request=request):
        messages.success(request, _("Thank you. What waited for credit is being sent."))
    return redirect(workspace)


@require_POST
def refresh(request: SignedIn, slug: str) -> HttpResponse:
    """Reads account and catalogue again, soon and in the background."""
    workspace = access.workspace(request.user, slug, needs=Role.CREATOR)
    overview.refresh(workspace)
    messages.info(request, _("Account and catalogue are being read again."))
    return redirect(workspace)


# --- Catalogue ------------------------------------------------------------------------------------------------------


@require_safe
def catalogue_preview(request: SignedIn, slug: str, item_id: UUID, what: str) -> HttpResponse:
    """The picture, sound or video of a catalogue item, wherever HeyGen has it now."""
    workspace = access.workspace(request.user, slug)
    item = get_object_or_404(CatalogueItem, pk=item_id, workspace=workspace)
    address = item.preview(what)
    if address is None:
        raise Http404
    response = HttpResponseRedirect(address)
    response["Cache-Control"] = "private, max-age=300"
    return response


@require_safe
def choices(request: SignedIn, slug: str, kind: str) -> HttpResponse:
    """The choices of one picker: searched, filtered, or the next of them. `?must`: none is no choice."""
    field = pickers.field_of(kind)
    if field is None:
        raise Http404
    workspace = access.workspace(request.user, slug, needs=Role.CREATOR)
    asked = pickers.Asked.of(kind, request.GET)
    drawn = pickers.picker(
        workspace,
        request.user,
        kind,
        value=request.GET.get(field, "")[:200],
        asked=asked,
        state=pickers.catalogue_state(workspace),
        must="must" in request.GET,
    )
    part = "more" if asked.start else "choices"
    return render(request, f"workspaces_app/_picker.html#{part}", {"picker": drawn, "workspace": workspace})


@require_POST
def catalogue_favourite(request: SignedIn, slug: str, item_id: UUID) -> HttpResponse:
    """Marks an item as a favourite of the team (`favourite=1`) or no longer."""
    workspace = access.workspace(request.user, slug, needs=Role.CREATOR)
    item = get_object_or_404(CatalogueItem, pk=item_id, workspace=workspace)
    CatalogueItem.objects.filter(pk=item.pk).update(favourite=request.POST.get("favourite") == "1")
    return HttpResponse(status=204) if request.headers.get("HX-Request") else redirect(workspace)


# --- Webhook --------------------------------------------------------------------------------------------------------


@require_POST
def webhook_change(request: SignedIn, slug: str, what: str) -> HttpResponse:
    """Registers, rotates or removes the workspace's webhook at HeyGen, or reads what it told us meanwhile."""
    workspace = access.workspace(request.user, slug, needs=Role.ADMIN)
    if what not in webhook_registration.ACTIONS:
        raise Http404
    done = webhook_registration.change(workspace, what, by=request.user, request=request)
    (messages.success if done.well else messages.error)(request, done.message)
    return redirect(f"{workspace.get_absolute_url()}#webhook")


# --- Audit ----------------------------------------------------------------------------------------------------------


@require_safe
def audit_trail(request: SignedIn, slug: str) -> HttpResponse:
    """Who did what here, newest first; `?before=` continues."""
    workspace = access.workspace(request.user, slug, needs=Role.ADMIN)
    entries = AuditEntry.objects.filter(workspace=workspace).for_list()
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        entries = entries.filter(pk__lt=int(before))
    page = list(entries[: AUDIT_PAGE + 1])
    context = {
        "workspace": workspace,
        "entries": [(entry, audit.in_words(entry.action)) for entry in page[:AUDIT_PAGE]],
        "older": page[AUDIT_PAGE - 1].pk if len(page) > AUDIT_PAGE else None,
    }
    return render(request, "workspaces_app/audit.html", context)
