from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    name = "workspaces_app"
    default_auto_field = "django.db.models.BigAutoField"
