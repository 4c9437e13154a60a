"""Live streams for staff: to look at, never to change."""

from __future__ import annotations

from django.contrib import admin

from realtime_app.models import Stream, TextDelta, Word
from timeline.admin import ReadOnlyAdmin


@admin.register(Stream)
class StreamAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "display_title", "workspace", "kind", "group", "status", "end_reason", "owner", "started_at", "ended_at", "gone_at"]  # fmt: skip
    list_filter = ["group", "kind", "end_reason", "workspace"]
    list_select_related = ["workspace", "owner"]
    search_fields = ["=id", "=stream_id", "title"]
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-id"]
    readonly_fields = ["id", "stream_id", "created_at"]


@admin.register(TextDelta)
class TextDeltaAdmin(ReadOnlyAdmin):
    list_display = ["stream", "sequence", "text", "final", "buffered_bytes", "state"]
    list_filter = ["final", "command__state", "stream__workspace"]
    list_select_related = ["stream", "command"]
    search_fields = ["=stream__id", "text"]
    ordering = ["-id"]

    @admin.display(ordering="command__state")
    def state(self, delta: TextDelta) -> str:
        return delta.command.get_state_display()


@admin.register(Word)
class WordAdmin(ReadOnlyAdmin):
    list_display = ["stream", "index", "word", "start", "end"]
    list_filter = ["stream__workspace"]
    list_select_related = ["stream"]
    search_fields = ["=stream__id", "=word"]
    ordering = ["-id"]
