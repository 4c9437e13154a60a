from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Makes Dailies' Celery application the current one in every process, so that tasks find their broker."""

    name = "config"

    def ready(self) -> None:
        from config import celery  # noqa: F401
