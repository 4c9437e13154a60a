"""The engine's own rows for staff: schedules, closed keys, signs of life; and what an operator may do about them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from polling import keys, schedule
from polling.clock import now
from polling.models import Heartbeat, KeyEntry, KeyState, PollState
from timeline.admin import OfObjectAdmin, ReadOnlyAdmin, list_link, object_link
from workspaces_app import audit
from workspaces_app.models import User


def _actor(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


class FailingFilter(admin.SimpleListFilter):
    title = _("last read")
    parameter_name = "failing"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, Any]]:
        return [("yes", _("Failed")), ("no", _("Answered"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PollState]) -> QuerySet[PollState]:
        match self.value():
            case "yes":
                return queryset.filter(failures__gt=0)
            case "no":
                return queryset.filter(failures=0)
            case _:
                return queryset


class NextPollFilter(admin.SimpleListFilter):
    title = _("next poll")
    parameter_name = "next"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, Any]]:
        return [("due", _("Due")), ("later", _("Later")), ("never", _("Never"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PollState]) -> QuerySet[PollState]:
        match self.value():
            case "due":
                return queryset.filter(next_poll_at__lte=now())
            case "later":
                return queryset.filter(next_poll_at__gt=now())
            case "never":
                return queryset.filter(next_poll_at__isnull=True)
            case _:
                return queryset


@admin.register(PollState)
class PollStateAdmin(OfObjectAdmin):
    list_display = ["kind", "object_link", "workspace", "group", "rank", "next_poll_at", "polled_at", "changed_at", "failures", "reason", "message"]  # fmt: skip
    list_filter = [FailingFilter, NextPollFilter, "kind", "lane", "group", "rank", "workspace"]
    list_select_related = ["workspace"]
    search_fields = ["=reason", "=key_fingerprint"]
    search_help_text = _("An object's id, a reason, or a key's fingerprint.")
    ordering = ["-id"]
    exclude = ["lease_token"]
    actions = ["poll_now"]

    @admin.display(description=_("object id"), ordering="object_id")
    def object_link(self, row: PollState) -> SafeString:
        return object_link(row.kind, row.object_id)

    @admin.action(description=_("Poll now"), permissions=["view"])
    def poll_now(self, request: HttpRequest, queryset: QuerySet[PollState]) -> None:
        chosen: dict[str, list[Any]] = {}
        for kind, object_id in queryset.values_list("kind", "object_id"):
            chosen.setdefault(kind, []).append(object_id)
        with transaction.atomic():
            for kind, object_ids in chosen.items():
                schedule.wake(kind, object_ids)
            woken = {kind: [str(object_id) for object_id in ids] for kind, ids in chosen.items()}
            audit.record("poll.woken", actor=_actor(request), data=woken, request=request)
        number = sum(map(len, chosen.values()))
        messages.success(
            request, ngettext("%d object is polled now.", "%d objects are polled now.", number) % number
        )


class ClosedFilter(admin.SimpleListFilter):
    title = _("now")
    parameter_name = "closed"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, Any]]:
        return [("yes", _("Closed")), ("no", _("Open again"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[KeyState]) -> QuerySet[KeyState]:
        closed = Q(needs_person=True) | Q(closed_until__gt=now())
        match self.value():
            case "yes":
                return queryset.filter(closed)
            case "no":
                return queryset.exclude(closed)
            case _:
                return queryset


@admin.register(KeyState)
class KeyStateAdmin(ReadOnlyAdmin):
    list_display = ["fingerprint", "scope", "reason", "needs_person", "closed_until", "since"]
    list_filter = [ClosedFilter, "scope", "reason", "needs_person"]
    search_fields = ["=fingerprint", "=reason"]
    search_help_text = _("A key's fingerprint, or a reason.")
    ordering = ["-since", "-id"]
    readonly_fields = ["used_by"]
    actions = ["reopen_key"]

    @admin.display(description=_("used by"))
    def used_by(self, row: KeyState) -> SafeString:
        return list_link("polling_pollstate", _("polls with this key"), key_fingerprint=row.fingerprint)

    @admin.action(description=_("Reopen key"), permissions=["view"])
    def reopen_key(self, request: HttpRequest, queryset: QuerySet[KeyState]) -> None:
        rows = list(queryset)
        with transaction.atomic():
            for row in rows:
                keys.reopen(row.fingerprint, scope="all" if row.scope == KeyState.Scope.ALL else "paid")
                data = {"fingerprint": row.fingerprint, "scope": row.scope, "reason": row.reason}
                audit.record("key.reopened", actor=_actor(request), data=data, request=request)
        messages.success(
            request,
            ngettext("%d key may be used again.", "%d keys may be used again.", len(rows)) % len(rows),
        )


@admin.register(KeyEntry)
class KeyEntryAdmin(ReadOnlyAdmin):
    list_display = ["fingerprint", "epoch"]
    search_fields = ["=fingerprint"]
    search_help_text = _("A key's fingerprint.")
    ordering = ["fingerprint"]


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ["name", "seen_at", "data"]
    search_fields = ["name"]
    ordering = ["-seen_at"]
