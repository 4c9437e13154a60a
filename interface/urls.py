"""Addresses of the shell itself."""

from django.urls import path

from interface import views

app_name = "interface"
urlpatterns = [
    path("theme/", views.theme, name="theme"),
]
