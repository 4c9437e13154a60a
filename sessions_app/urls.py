"""Pages of sessions. Paths end in `/`; ids are ours, never HeyGen's."""

from django.urls import path

from sessions_app import (
    command_views,
    history_views,
    inbox_views,
    library_views,
    new_session_views,
    note_views,
    session_views,
    storyboard_views,
    upload_views,
)

app_name = "sessions"
urlpatterns = [
    path("", inbox_views.inbox, name="inbox"),
    path("inbox/<uuid:pk>/", inbox_views.pane, name="inbox-pane"),
    path("inbox/<uuid:pk>/approve/", inbox_views.approve, name="inbox-approve"),
    path("inbox/<uuid:pk>/take-back/", inbox_views.take_back, name="inbox-take-back"),
    path("inbox/<uuid:pk>/reply/", inbox_views.reply, name="inbox-reply"),
    path("inbox/<uuid:pk>/snooze/", inbox_views.snooze, name="inbox-snooze"),
    path("needs-you/count/", inbox_views.needs_you_count, name="needs-you-count"),
    path("sessions/", history_views.history, name="history"),
    path("sessions/new/", new_session_views.new, name="new"),
    path("sessions/new/draft/", new_session_views.draft, name="draft"),
    path("sessions/<uuid:pk>/", session_views.detail, name="detail"),
    path("sessions/<uuid:pk>/messages/", session_views.messages, name="messages"),
    path("sessions/<uuid:pk>/send/", session_views.send, name="send"),
    path("sessions/<uuid:pk>/uploads/", upload_views.attach, name="attach"),
    path("sessions/<uuid:pk>/uploads/<uuid:upload_id>/remove/", upload_views.detach, name="detach"),
    path("sessions/<uuid:pk>/answer/", session_views.answer, name="answer"),
    path("sessions/<uuid:pk>/approve/", session_views.approve, name="approve"),
    path("sessions/<uuid:pk>/take-back/", session_views.take_back, name="take-back"),
    path("sessions/<uuid:pk>/stop/", session_views.stop, name="stop"),
    path("sessions/<uuid:pk>/notes/", note_views.note, name="note"),
    path("sessions/<uuid:pk>/notes/<uuid:note_id>/", note_views.note_edit, name="note-edit"),
    path("sessions/<uuid:pk>/notes/<uuid:note_id>/delete/", note_views.note_delete, name="note-delete"),
    path("sessions/<uuid:pk>/read/", session_views.read, name="read"),
    path(
        "sessions/<uuid:pk>/messages/<int:position>/earlier/", session_views.earlier, name="message-earlier"
    ),
    path("sessions/<uuid:pk>/tags/", session_views.tag, name="tag"),
    path("sessions/<uuid:pk>/archive/", session_views.archive, name="archive"),
    path("sessions/<uuid:pk>/storyboard/", storyboard_views.board, name="storyboard"),
    path("sessions/<uuid:pk>/storyboard/notes/", storyboard_views.notes, name="storyboard-notes"),
    path("sessions/<uuid:pk>/storyboard/changes/", storyboard_views.changes, name="storyboard-changes"),
    path("commands/<uuid:pk>/", command_views.press, name="press"),
    path("commands/<uuid:pk>/again/", command_views.again, name="press-again"),
    path("commands/<uuid:pk>/happened/", command_views.happened, name="press-happened"),
    path("commands/<uuid:pk>/did-not-happen/", command_views.did_not_happen, name="press-did-not-happen"),
    path("uploads/<slug:slug>/", upload_views.upload, name="upload"),
    path("library/", library_views.library, name="library"),
]
