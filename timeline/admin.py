"""The timeline for staff: to look at, never to change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from timeline import exchanges
from timeline.models import Event, Exchange

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin

# Which admin shows the object of a kind: apps add theirs, as "<app>_<model>".
OBJECT_ADMINS: dict[str, str] = {}


def list_link(model: str, words: object, **filters: object) -> SafeString:
    """A link to the list of a model ("<app>_<model>"), narrowed by exact values of its own columns."""
    query = urlencode({f"{name}__exact": str(value) for name, value in filters.items()})
    return format_html('<a href="{}?{}">{}</a>', reverse(f"admin:{model}_changelist"), query, words)


def row_link(model: str, pk: object, words: object) -> SafeString:
    """A link to one row of a model ("<app>_<model>")."""
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{model}_change", args=[pk]), words)


def object_link(kind: str, object_id: UUID) -> SafeString:
    """An object's id, as a link where its kind has an admin."""
    model = OBJECT_ADMINS.get(kind)
    return row_link(model, object_id, object_id) if model else format_html("{}", object_id)


def joined(links: Sequence[SafeString]) -> SafeString:
    return format_html_join(" · ", "{}", ((link,) for link in links))


class ReadOnlyAdmin(Base):
    """Lists and shows rows; adds, changes and removes none."""

    show_full_result_count = False  # counting a million rows costs more than the page
    list_per_page = 50
    # What a search for a whole UUID looks at, by index: comparing ids as text would read every row.
    id_fields: Sequence[str] = ()
    # Columns that a list never shows and that are too large to read for it.
    heavy_fields: Sequence[str] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and (match.url_name or "").endswith("_changelist")
        return rows.defer(*self.heavy_fields) if is_list and self.heavy_fields else rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        if not self.id_fields:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(Q.create([(field, wanted) for field in self.id_fields], connector=Q.OR)), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OfObjectAdmin(ReadOnlyAdmin):
    """Rows that name an object by kind and id: the id leads to it."""

    id_fields = ["object_id"]

    @admin.display(description=_("object id"), ordering="object_id")
    def object_link(self, row: Any) -> SafeString:
        return object_link(row.object_kind, row.object_id)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["object_link", *super().get_readonly_fields(request, obj)]


@admin.register(Event)
class EventAdmin(OfObjectAdmin):
    list_display = ["at", "workspace", "object_kind", "object_link", "what", "source", "actor"]
    list_filter = ["object_kind", "source", "what", "workspace"]
    list_select_related = ["workspace", "actor"]
    search_fields = ["what"]
    search_help_text = _("An object's id, or part of what happened.")
    date_hierarchy = "at"
    ordering = ["-at", "-id"]


@admin.register(Exchange)
class ExchangeAdmin(OfObjectAdmin):
    list_display = [
        "at",
        "workspace",
        "object_kind",
        "object_link",
        "operation",
        "status",
        "milliseconds",
        "size",
    ]
    list_filter = ["object_kind", "status", "operation", "workspace"]
    list_select_related = ["workspace"]
    search_fields = ["operation"]
    search_help_text = _("An object's id, or part of the operation.")
    ordering = ["-id"]
    heavy_fields = ["body"]
    exclude = ["body"]
    readonly_fields = ["content"]

    @admin.display(description=_("content"))
    def content(self, exchange: Exchange) -> SafeString:
        text = json.dumps(exchanges.read(exchange), ensure_ascii=False, indent=2)
        return format_html("<pre>{}</pre>", text)
