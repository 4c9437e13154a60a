from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "realtime_app"
    default_auto_field = "django.db.models.BigAutoField"
