"""The timeline for staff: to look at, never to change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from timeline import exchanges
from timeline.models import Event, Exchange

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin


class ReadOnlyAdmin(Base):
    """Lists and shows rows; adds, changes and removes none."""

    show_full_result_count = False  # counting a million rows costs more than the page
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["at", "workspace", "object_kind", "object_id", "what", "source", "actor"]
    list_filter = ["object_kind", "source", "what", "workspace"]
    list_select_related = ["workspace", "actor"]
    search_fields = ["=object_id", "what"]
    search_help_text = _("An object's id, or part of what happened.")
    ordering = ["-at", "-id"]


@admin.register(Exchange)
class ExchangeAdmin(ReadOnlyAdmin):
    list_display = [
        "at",
        "workspace",
        "object_kind",
        "object_id",
        "operation",
        "status",
        "milliseconds",
        "size",
    ]
    list_filter = ["object_kind", "status", "operation", "workspace"]
    list_select_related = ["workspace"]
    search_fields = ["=object_id", "operation"]
    search_help_text = _("An object's id, or part of the operation.")
    ordering = ["-id"]
    exclude = ["body"]
    readonly_fields = ["content"]

    @admin.display(description=_("content"))
    def content(self, exchange: Exchange) -> SafeString:
        text = json.dumps(exchanges.read(exchange), ensure_ascii=False, indent=2)
        return format_html("<pre>{}</pre>", text)
