"""The people side of Dailies: who signs in, which HeyGen account they share, and who may do what."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class WorkspacesConfig(AppConfig):
    name = "workspaces_app"
    verbose_name = _("People and workspaces")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from polling.kinds import register
        from workspaces_app import keys
        from workspaces_app.account import ACCOUNT
        from workspaces_app.catalogue import CATALOGUE
        from workspaces_app.webhook_registration import DELIVERIES

        register(ACCOUNT)
        register(CATALOGUE)
        register(DELIVERIES)
        keys.poll_each_workspace(DELIVERIES.name)


class GuardedAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our own site as the default one, so that `admin.register` works as everywhere."""

    default = False  # of this package; INSTALLED_APPS names it

    default_site = "workspaces_app.admin_site.GuardedAdminSite"
