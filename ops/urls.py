"""Addresses of the operators' room. `/metrics` has no slash: scrapers ask for it so by default."""

from django.urls import path

from ops import views

app_name = "ops"
urlpatterns = [
    path("ops/", views.board, name="board"),
    path("metrics", views.scrape, name="metrics"),
]
