"""Where each address leads. `/stream/`, `/static/` and `/healthz` are answered before Django: see `config.asgi`."""

from django.contrib import admin
from django.urls import include, path

from config.health import readyz

urlpatterns = [
    path("readyz", readyz),
    path("admin/", admin.site.urls),
    path("", include("interface.urls")),
    path("", include("workspaces_app.accounts_urls")),
    path("workspaces/", include("workspaces_app.urls")),
    path("", include("sessions_app.urls")),
    path("files/", include("sessions_app.file_urls")),
    path("live/", include("realtime_app.urls")),
    path("webhooks/", include("workspaces_app.webhook_urls")),
    path("", include("ops.urls")),
]
