"""The people side of Dailies: who signs in, which HeyGen account they share, and who may do what."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WorkspacesConfig(AppConfig):
    name = "workspaces_app"
    verbose_name = _("People and workspaces")
    default_auto_field = "django.db.models.BigAutoField"
