from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "sessions_app"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from commands import kinds as commands
        from polling import kinds as polling
        from sessions_app import deliveries
        from sessions_app.mirror.adoption import SESSION_LIST
        from sessions_app.mirror.files import FILE
        from sessions_app.mirror.resources import RESOURCE
        from sessions_app.mirror.sessions import SESSION
        from sessions_app.mirror.videos import VIDEO
        from sessions_app.sending import CREATE, SEND, STOP
        from workspaces_app import keys, webhooks

        for kind in (SESSION, RESOURCE, VIDEO, FILE, SESSION_LIST):
            polling.register(kind)
        for command_kind in (CREATE, SEND, STOP):
            commands.register(command_kind)
        keys.poll_each_workspace(SESSION_LIST.name)
        webhooks.register(deliveries.wake)
