from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class SessionsConfig(AppConfig):
    name = "sessions_app"
    verbose_name = _("Sessions")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from commands import kinds as commands
        from eventstream import topics
        from polling import kinds as polling
        from sessions_app import deliveries, session_page, session_streams, tallies, usage
        from sessions_app.mirror.adoption import SESSION_LIST
        from sessions_app.mirror.files import FILE
        from sessions_app.mirror.resources import RESOURCE
        from sessions_app.mirror.sessions import SESSION
        from sessions_app.mirror.videos import VIDEO
        from sessions_app.sending import CREATE, SEND, STOP
        from workspaces_app import keys, overview, webhooks

        pre_migrate.connect(tallies.step_aside, sender=self)
        post_migrate.connect(tallies.install, sender=self)
        topics.register(
            topics.Topic(
                kind=session_page.KIND,
                allowed=session_page.allowed,
                version=session_page.version,
                fragments=session_streams.fragments,
                age=session_page.age,
            )
        )
        for kind in (SESSION, RESOURCE, VIDEO, FILE, SESSION_LIST):
            polling.register(kind)
        for command_kind in (CREATE, SEND, STOP):
            commands.register(command_kind)
        keys.poll_each_workspace(SESSION_LIST.name)
        webhooks.register(deliveries.wake)
        overview.register_usage(usage.lines)
