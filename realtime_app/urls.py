"""Addresses of live streams."""

from django.urls import path

from realtime_app import views

app_name = "live"
urlpatterns = [
    path("", views.stream_list, name="list"),
    path("new/", views.new, name="new"),
    path("<uuid:pk>/", views.detail, name="detail"),
    path("<uuid:pk>/playlist.m3u8", views.playlist, name="playlist"),
    path("<uuid:pk>/text/", views.push, name="push"),
    path("<uuid:pk>/stop/", views.cancel, name="cancel"),
    path("<uuid:pk>/presses/<uuid:command_id>/again/", views.send_again, name="send-again"),
    path("<uuid:pk>/presses/<uuid:command_id>/decide/", views.decide, name="decide"),
]
