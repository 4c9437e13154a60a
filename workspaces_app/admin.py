"""People and workspaces for the operators. No page of it shows a key, or takes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from eventstream import sessions as streams
from workspaces_app import audit, keys, members
from workspaces_app.admin_base import ReadOnlyAdmin
from workspaces_app.models import (
    AccountSnapshot,
    AuditEntry,
    CatalogueItem,
    CatalogueRead,
    Membership,
    RecentItem,
    SignInBucket,
    User,
    WebhookDelivery,
    WebhookEndpoint,
    Workspace,
)

if TYPE_CHECKING:
    UserModelAdmin = admin.ModelAdmin[User]
    WorkspaceModelAdmin = admin.ModelAdmin[Workspace]
    Inline = admin.TabularInline[Membership, Any]
else:
    UserModelAdmin = WorkspaceModelAdmin = admin.ModelAdmin
    Inline = admin.TabularInline

# Rights here are roles in workspaces, and `is_staff`.
admin.site.unregister(Group)


class MembershipInline(Inline):
    model = Membership
    extra = 0
    autocomplete_fields = ["user", "workspace"]


@admin.register(User)
class UserAdmin(UserModelAdmin):
    list_display = ["email", "name", "is_active", "is_staff", "must_change_password", "last_login"]
    list_filter = ["is_active", "is_staff", "must_change_password"]
    search_fields = ["email", "name"]
    fields = [
        "email",
        "name",
        "is_active",
        "is_staff",
        "is_superuser",
        "time_zone",
        "language",
        "last_login",
        "date_joined",
    ]
    readonly_fields = ["last_login", "date_joined"]
    inlines = [MembershipInline]
    actions = ["give_one_time_password", "sign_out_everywhere"]

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Never: switching off keeps what the person made and did."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool) -> None:
        """A new account gets a one-time password, shown once in the message above the page."""
        if not change:
            password = members.one_time_password()
            obj.set_password(password)
            obj.must_change_password = True
            self._show(request, obj, password)
        super().save_model(request, obj, form, change)
        streams.ended_for(obj.pk)

    @admin.action(description=gettext_lazy("Give a one-time password"))
    def give_one_time_password(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            password = members.one_time_password()
            user.set_password(password)
            user.must_change_password = True
            user.save(update_fields=["password", "must_change_password"])
            audit.record("password.renewed", actor=_operator(request), about=user, request=request)
            streams.ended_for(user.pk)
            self._show(request, user, password)

    @admin.action(description=gettext_lazy("Sign out everywhere"))
    def sign_out_everywhere(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            user.sign_in_epoch += 1
            user.save(update_fields=["sign_in_epoch"])
            audit.record("sign-out.everywhere", actor=_operator(request), about=user, request=request)
            streams.ended_for(user.pk)

    def _show(self, request: HttpRequest, user: User, password: str) -> None:
        text = _("One-time password for %(email)s, shown only now: %(password)s")
        messages.warning(request, text % {"email": user.email, "password": password})


def _operator(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


@admin.register(Workspace)
class WorkspaceAdmin(WorkspaceModelAdmin):
    list_display = ["name", "slug", "base_url", "dialect", "key_fingerprint", "created_at"]
    search_fields = ["name", "slug", "=key_fingerprint"]
    fields = ["name", "slug", "base_url", "dialect", "settings", "key_fingerprint", "created_at"]
    readonly_fields = ["key_fingerprint", "created_at"]
    prepopulated_fields = {"slug": ["name"]}
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    inlines = [MembershipInline]

    def has_delete_permission(self, request: HttpRequest, obj: Workspace | None = None) -> bool:
        """Never: a workspace is the team's history."""
        return False

    def save_model(
        self, request: HttpRequest, obj: Workspace, form: forms.ModelForm[Workspace], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if (
            change
            and "base_url" in form.changed_data
            and keys.remove(obj, by=_operator(request), request=request)
        ):
            # Whoever enters a key sees where it goes; nobody else may send it to another place.
            messages.warning(
                request,
                _(
                    "The API key was for the old address and was forgotten. An administrator of the workspace enters it again."
                ),
            )
        if "dialect" in form.changed_data:
            keys.read_again(obj.pk)


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["user", "workspace", "role", "created_at"]
    list_filter = ["role", "workspace"]
    list_select_related = ["user", "workspace"]
    search_fields = ["user__email", "workspace__name"]
    autocomplete_fields = ["user", "workspace"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor_email", "action", "workspace", "object_kind", "object_id", "address"]
    list_filter = ["action", "workspace"]
    list_select_related = ["workspace"]
    search_fields = ["actor_email", "action", "=object_id"]
    date_hierarchy = "at"
    ordering = ["-id"]


@admin.register(CatalogueItem)
class CatalogueItemAdmin(ReadOnlyAdmin):
    list_display = ["name", "kind", "workspace", "ownership", "remote_id", "favourite", "gone"]
    list_filter = ["kind", "ownership", "gone", "workspace"]
    list_select_related = ["workspace"]
    search_fields = ["name", "=remote_id"]


@admin.register(CatalogueRead)
class CatalogueReadAdmin(ReadOnlyAdmin):
    list_display = ["workspace", "part", "number", "finished_at", "problems"]


@admin.register(AccountSnapshot)
class AccountSnapshotAdmin(ReadOnlyAdmin):
    list_display = ["workspace", "email", "balance_words", "changed_at"]
    list_select_related = ["workspace"]


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    list_display = ["workspace", "remote_id", "status", "created_at"]
    list_select_related = ["workspace"]
    # The address is half of the secret.
    exclude = ["path_token", "encrypted_secret", "url"]


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "workspace", "event_type", "source", "matched", "key"]
    list_filter = ["source", "matched", "event_type", "workspace"]
    list_select_related = ["workspace"]
    ordering = ["-id"]


@admin.register(RecentItem)
class RecentItemAdmin(ReadOnlyAdmin):
    list_display = ["user", "item", "used_at"]
    list_select_related = ["user", "item"]
    search_fields = ["user__email", "item__name"]
    ordering = ["-id"]


@admin.register(SignInBucket)
class SignInBucketAdmin(ReadOnlyAdmin):
    """Keyed hashes: they tell nobody which addresses were tried, only how many."""

    list_display = ["key", "spent_until"]
    search_fields = ["=key"]
    ordering = ["-spent_until"]
