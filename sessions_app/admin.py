"""Sessions for staff: what the mirror wrote is to look at; from a row to all that belongs to it. Notes are people's own."""

from __future__ import annotations

import json
import zlib
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from polling import schedule
from sessions_app.models import (
    Approval,
    Draft,
    Gap,
    LibraryTally,
    ListPosition,
    MediaFile,
    Message,
    MessageRevision,
    Note,
    RawWindow,
    ReadMark,
    Resource,
    SearchText,
    SessionTag,
    SessionTally,
    Snooze,
    StatusSpell,
    Upload,
    Video,
    VideoSession,
)
from timeline.admin import OBJECT_ADMINS, joined, list_link, row_link
from timeline.redaction import redact
from workspaces_app import audit
from workspaces_app.admin_base import ReadOnlyAdmin, history_links
from workspaces_app.models import User

OBJECT_ADMINS.update(
    {
        "session": "sessions_app_videosession",
        "resource": "sessions_app_resource",
        "video": "sessions_app_video",
        "file": "sessions_app_mediafile",
    }
)


class OfSessionAdmin(ReadOnlyAdmin):
    """Rows that hang on a session: its name leads to it, and its id finds them."""

    list_select_related = ["session"]
    id_fields = ["session"]
    search_fields = ["=session__remote_id"]
    search_help_text = _("The session's id, here or at HeyGen.")
    readonly_fields = ["session_link"]

    @admin.display(description=_("session"))
    def session_link(self, row: Any) -> SafeString:
        return row_link("sessions_app_videosession", row.session_id, row.session)


@admin.register(VideoSession)
class VideoSessionAdmin(ReadOnlyAdmin):
    list_display = ["display_title", "workspace", "owner", "group", "status", "progress", "message_count", "active_at", "remote_id", "gone_at"]  # fmt: skip
    list_filter = [
        "group",
        "mode",
        "dialect",
        "archived",
        ("gone_at", admin.EmptyFieldListFilter),
        "workspace",
    ]
    list_select_related = ["workspace", "owner"]
    id_fields = ["id"]
    search_fields = ["=remote_id", "title"]
    search_help_text = _("A session's id, here or at HeyGen, or part of its title.")
    ordering = ["-id"]
    readonly_fields = ["related", "id", "remote_id", "created_at"]
    actions = ["poll_now"]

    @admin.display(description=_("related"))
    def related(self, session: VideoSession) -> SafeString:
        mine = {"session__id": session.pk}
        return joined(
            [
                list_link("sessions_app_message", _("messages"), **mine),
                list_link("sessions_app_gap", _("gaps"), **mine),
                list_link("sessions_app_resource", _("resources"), **mine),
                list_link("sessions_app_video", _("videos"), **mine),
                list_link("sessions_app_note", _("notes"), **mine),
                list_link("sessions_app_rawwindow", _("raw windows"), **mine),
                *history_links("session", session.pk),
            ]
        )

    @admin.action(description=_("Poll now"), permissions=["view"])
    def poll_now(self, request: HttpRequest, queryset: QuerySet[VideoSession]) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        schedule.wake("session", ids)
        actor = request.user if isinstance(request.user, User) else None
        audit.record("poll.woken", actor=actor, data={"session": [str(pk) for pk in ids]}, request=request)
        said = ngettext("%d session is polled now.", "%d sessions are polled now.", len(ids)) % len(ids)
        messages.success(request, said)


@admin.register(Message)
class MessageAdmin(OfSessionAdmin):
    list_display = ["session_link", "position", "role", "type", "beginning", "remote_created_at", "vanished", "first_seen_at"]  # fmt: skip
    list_filter = ["role", "type", "vanished"]
    id_fields = ["session", "command"]
    ordering = ["-id"]
    readonly_fields = ["session_link", "command_link", "revisions_link"]

    @admin.display(description=_("content"))
    def beginning(self, message: Message) -> str:
        return message.content[:80]

    @admin.display(description=_("command"))
    def command_link(self, message: Message) -> SafeString | None:
        pk = message.command_id
        return row_link("commands_command", pk, pk) if pk else None

    @admin.display(description=_("earlier texts"))
    def revisions_link(self, message: Message) -> SafeString:
        return list_link("sessions_app_messagerevision", _("message revisions"), message__id=message.pk)


@admin.register(MessageRevision)
class MessageRevisionAdmin(ReadOnlyAdmin):
    list_display = ["message_link", "session_link", "content", "replaced_at"]
    list_select_related = ["message__session"]
    id_fields = ["message__session"]
    search_fields = ["=message__session__remote_id"]
    search_help_text = _("The session's id, here or at HeyGen.")
    ordering = ["-id"]
    readonly_fields = ["message_link", "session_link"]

    @admin.display(description=_("message"))
    def message_link(self, revision: MessageRevision) -> SafeString:
        return row_link("sessions_app_message", revision.message_id, revision.message)

    @admin.display(description=_("session"))
    def session_link(self, revision: MessageRevision) -> SafeString:
        session = revision.message.session
        return row_link("sessions_app_videosession", session.pk, session)


@admin.register(Gap)
class GapAdmin(OfSessionAdmin):
    list_display = ["session_link", "after_position", "seen_at"]
    list_filter = ["session__workspace"]
    ordering = ["-id"]


@admin.register(Resource)
class ResourceAdmin(OfSessionAdmin):
    list_display = ["name", "type", "source", "session_link", "workspace", "message_position", "read_at", "missing"]  # fmt: skip
    list_filter = ["type", "source", "missing", "workspace"]
    list_select_related = ["session", "workspace"]
    id_fields = ["id", "session"]
    search_fields = ["=resource_id", "=session__remote_id"]
    search_help_text = _("The id of a resource or its session, here or at HeyGen.")
    ordering = ["-id"]
    # Their signatures open the files to whoever holds them; staff have our own copies.
    exclude = ["url", "thumbnail_url", "preview_url"]
    readonly_fields = ["related", "session_link", "id", "resource_id"]

    @admin.display(description=_("related"))
    def related(self, resource: Resource) -> SafeString:
        files = list_link("sessions_app_mediafile", _("media files"), resource__id=resource.pk)
        return joined([files, *history_links("resource", resource.pk)])


@admin.register(Video)
class VideoAdmin(OfSessionAdmin):
    list_display = ["__str__", "session_link", "workspace", "group", "status", "duration", "failure_code", "read_at"]  # fmt: skip
    list_filter = ["group", "failure_code", "workspace"]
    list_select_related = ["session", "workspace"]
    id_fields = ["id", "session"]
    search_fields = ["=video_id", "=session__remote_id", "title"]
    search_help_text = _("The id of a video or its session, here or at HeyGen, or part of its title.")
    ordering = ["-id"]
    readonly_fields = ["related", "session_link", "id", "video_id"]

    @admin.display(description=_("related"))
    def related(self, video: Video) -> SafeString:
        files = list_link("sessions_app_mediafile", _("media files"), video__id=video.pk)
        return joined([files, *history_links("video", video.pk)])


@admin.register(MediaFile)
class MediaFileAdmin(ReadOnlyAdmin):
    list_display = ["id", "workspace", "role", "state", "size", "content_type", "failure", "stored_at", "owner_link"]  # fmt: skip
    list_filter = ["state", "role", "workspace"]
    list_select_related = ["workspace"]
    id_fields = ["id", "resource", "video"]
    search_fields = ["failure", "=sha256"]
    search_help_text = _("The id of a file, resource or video, part of a failure, or a checksum.")
    ordering = ["-id"]
    exclude = ["remote_url"]
    readonly_fields = ["owner_link", "related", "id"]

    @admin.display(description=_("belongs to"))
    def owner_link(self, file: MediaFile) -> SafeString:
        if file.resource_id:
            return row_link("sessions_app_resource", file.resource_id, _("resource"))
        return row_link("sessions_app_video", file.video_id, _("video"))

    @admin.display(description=_("related"))
    def related(self, file: MediaFile) -> SafeString:
        return joined(history_links("file", file.pk))


@admin.register(RawWindow)
class RawWindowAdmin(OfSessionAdmin):
    list_display = ["id", "session_link", "seen_at"]
    ordering = ["-id"]
    heavy_fields = ["body"]
    exclude = ["body"]
    readonly_fields = ["session_link", "content"]

    @admin.display(description=_("content"))
    def content(self, window: RawWindow) -> SafeString:
        said = redact(json.loads(zlib.decompress(bytes(window.body))))
        return format_html("<pre>{}</pre>", json.dumps(said, ensure_ascii=False, indent=2))


@admin.register(Note)
class NoteAdmin(OfSessionAdmin):
    list_display = ["created_at", "session_link", "author", "__str__"]
    list_select_related = ["session", "author"]
    ordering = ["-id"]


@admin.register(SessionTag)
class SessionTagAdmin(OfSessionAdmin):
    list_display = ["name", "session_link", "workspace"]
    list_filter = ["workspace"]
    list_select_related = ["session", "workspace"]
    search_fields = ["name", "=session__remote_id"]
    ordering = ["name", "id"]


@admin.register(SessionTally)
class SessionTallyAdmin(ReadOnlyAdmin):
    """Summands, not sums: `./run manage recount` says whether they are right."""

    list_display = ["workspace_id", "archived", "group", "owner_id", "number"]
    id_fields = ["workspace_id"]
    search_fields = ["group"]
    ordering = ["-id"]


@admin.register(LibraryTally)
class LibraryTallyAdmin(ReadOnlyAdmin):
    list_display = ["workspace_id", "film", "type", "source", "owner_id", "number"]
    id_fields = ["workspace_id"]
    search_fields = ["type"]
    ordering = ["-id"]


@admin.register(ReadMark)
class ReadMarkAdmin(OfSessionAdmin):
    list_display = ["at", "session_link", "user", "position"]
    list_select_related = ["session", "user"]
    ordering = ["-id"]


@admin.register(Approval)
class ApprovalAdmin(OfSessionAdmin):
    list_display = ["at", "session_link", "position", "by"]
    list_select_related = ["session", "by"]
    ordering = ["-id"]


@admin.register(Snooze)
class SnoozeAdmin(OfSessionAdmin):
    list_display = ["session_link", "user", "until"]
    list_select_related = ["session", "user"]
    ordering = ["-id"]


@admin.register(StatusSpell)
class StatusSpellAdmin(ReadOnlyAdmin):
    list_display = ["ended_at", "workspace", "status", "seconds"]
    list_filter = ["status", "workspace"]
    list_select_related = ["workspace"]
    id_fields = ["workspace"]
    search_fields = ["=status"]
    ordering = ["-id"]


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "filename", "workspace", "owner", "content_type", "size", "asset_id"]
    list_filter = ["content_type", "workspace"]
    list_select_related = ["workspace", "owner"]
    id_fields = ["id"]
    search_fields = ["filename", "=asset_id"]
    search_help_text = _("The id of an upload or its asset, or part of its name.")
    ordering = ["-id"]
    readonly_fields = ["id", "created_at"]


@admin.register(Draft)
class DraftAdmin(ReadOnlyAdmin):
    list_display = ["saved_at", "owner", "workspace", "like", "version"]
    list_filter = ["workspace"]
    list_select_related = ["workspace", "owner", "like"]
    id_fields = ["id"]
    search_fields = ["owner__email"]
    search_help_text = _("The id of a draft, or part of its owner's address.")
    ordering = ["-id"]
    readonly_fields = ["id"]


@admin.register(ListPosition)
class ListPositionAdmin(ReadOnlyAdmin):
    list_display = ["workspace", "adopted", "newest_read_at", "cursor", "import_cursor"]
    list_select_related = ["workspace"]
    id_fields = ["workspace"]
    search_fields = ["workspace__name"]


@admin.register(SearchText)
class SearchTextAdmin(OfSessionAdmin):
    list_display = ["session_link", "position", "beginning"]
    ordering = ["-id"]

    @admin.display(description=_("text"))
    def beginning(self, row: SearchText) -> str:
        return row.text[:120]
