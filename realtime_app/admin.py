"""Live streams for staff: to look at, never to change."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from realtime_app.models import Stream, TextDelta, Word
from timeline.admin import OBJECT_ADMINS, ReadOnlyAdmin, joined, list_link
from workspaces_app.admin_base import history_links

OBJECT_ADMINS["stream"] = OBJECT_ADMINS["words"] = "realtime_app_stream"


@admin.register(Stream)
class StreamAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "display_title", "workspace", "kind", "group", "status", "end_reason", "owner", "started_at", "ended_at", "gone_at"]  # fmt: skip
    list_filter = ["group", "kind", "end_reason", "workspace"]
    list_select_related = ["workspace", "owner"]
    id_fields = ["id"]
    search_fields = ["=stream_id", "title"]
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-id"]
    # Its signature opens the stream to whoever holds it.
    exclude = ["hls_url"]
    readonly_fields = ["related", "id", "stream_id", "created_at"]

    @admin.display(description=_("related"))
    def related(self, stream: Stream) -> SafeString:
        return joined(
            [
                list_link("realtime_app_textdelta", _("pushed texts"), stream__id=stream.pk),
                list_link("realtime_app_word", _("words"), stream__id=stream.pk),
                *history_links("stream", stream.pk),
            ]
        )


@admin.register(TextDelta)
class TextDeltaAdmin(ReadOnlyAdmin):
    list_display = ["stream", "sequence", "text", "final", "buffered_bytes", "state"]
    list_filter = ["final", "command__state", "stream__workspace"]
    list_select_related = ["stream", "command"]
    id_fields = ["stream", "command"]
    search_fields = ["text"]
    ordering = ["-id"]

    @admin.display(ordering="command__state")
    def state(self, delta: TextDelta) -> str:
        return delta.command.get_state_display()


@admin.register(Word)
class WordAdmin(ReadOnlyAdmin):
    list_display = ["stream", "index", "word", "start", "end"]
    list_filter = ["stream__workspace"]
    list_select_related = ["stream"]
    id_fields = ["stream"]
    search_fields = ["=word"]
    ordering = ["-id"]
