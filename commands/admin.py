"""The ledger for staff: to look at, never to change. What is to be decided is decided on the pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from commands.models import Command
from commands.querysets import CommandQuerySet
from timeline.admin import OfObjectAdmin


class NeedsFilter(admin.SimpleListFilter):
    """What is still to be done, and by whom."""

    title = _("open")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, Any]]:
        return [
            ("any", _("Not over")),
            ("person", _("Asks a person")),
            ("unapplied", _("Over, but its rows did not follow")),
            ("repeat", _("Sends another one again")),
        ]

    def queryset(self, request: HttpRequest, queryset: CommandQuerySet) -> CommandQuerySet:  # type: ignore[override]
        match self.value():
            case "any":
                return queryset.open()
            case "person":
                return queryset.asking_a_person()
            case "unapplied":
                return queryset.unapplied()
            case "repeat":
                return queryset.filter(repeats__isnull=False)
            case _:
                return queryset


@admin.register(Command)
class CommandAdmin(OfObjectAdmin):
    list_display = [
        "created_at",
        "kind",
        "state",
        "workspace",
        "by",
        "waiting_for",
        "attempts",
        "attempt_at",
        "settled_by",
        "settled_at",
        "asks_person_since",
        "object_link",
    ]
    list_filter = [NeedsFilter, "state", "kind", "settled_by", "waiting_for", "workspace"]
    list_select_related = ["workspace", "by"]
    id_fields = ["id", "object_id"]
    search_fields = ["=remote_ref"]
    search_help_text = _("The id of a command or its object, or HeyGen's id.")
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-id"]
    readonly_fields = ["id", "created_at"]
    # Who holds it is of no interest, and there is nothing to do with it.
    exclude = ["lease_token"]
