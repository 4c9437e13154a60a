"""Live avatars: streams that speak a script, a recording or text as it is pushed."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RealtimeConfig(AppConfig):
    name = "realtime_app"
    verbose_name = _("Live avatars")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from commands import kinds as commands
        from eventstream import topics
        from polling import kinds as polling
        from realtime_app.mirror.streams import STREAM
        from realtime_app.mirror.words import WORDS
        from realtime_app.sending import APPEND, CANCEL, CREATE
        from realtime_app.topic import TOPIC
        from realtime_app.usage import lines
        from workspaces_app.overview import register_usage

        for kind in (STREAM, WORDS):
            polling.register(kind)
        for command_kind in (CREATE, APPEND, CANCEL):
            commands.register(command_kind)
        topics.register(TOPIC)
        register_usage(lines)
