"""Where HeyGen knocks: no person, no session, no CSRF token."""

from django.urls import path

from workspaces_app import webhook_views as views

app_name = "webhooks"
urlpatterns = [
    path("<slug:path_token>/", views.endpoint, name="endpoint"),
    path("callback/<str:token>/", views.callback, name="callback"),
]
