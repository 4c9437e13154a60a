"""Signing in and out, and a person's own settings."""

from django.urls import path

from workspaces_app import accounts_views as views

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.sign_in_page, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("account/", views.profile, name="profile"),
    path("account/single-keys/", views.single_keys, name="single-keys"),
    path("account/password/", views.password, name="password"),
    path("account/sign-out-elsewhere/", views.sign_out_elsewhere, name="sign-out-elsewhere"),
]
