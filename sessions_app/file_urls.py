"""Addresses of stored files."""

from django.urls import path

from sessions_app import file_views

app_name = "files"
urlpatterns = [
    path("bundle.zip", file_views.bundle, name="bundle"),
    path("<uuid:pk>/", file_views.file, name="file"),
    path("<uuid:pk>/captions.vtt", file_views.captions, name="captions"),
]
