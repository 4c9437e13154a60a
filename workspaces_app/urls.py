"""Pages of the workspaces."""

from django.urls import path

from workspaces_app import views

app_name = "workspaces"
urlpatterns = [
    path("", views.workspace_list, name="list"),
    path("<slug:slug>/", views.workspace_overview, name="overview"),
    path("<slug:slug>/settings/", views.workspace_settings, name="settings"),
    path("<slug:slug>/members/add/", views.member_add, name="member-add"),
    path("<slug:slug>/members/<uuid:membership_id>/role/", views.member_role, name="member-role"),
    path("<slug:slug>/members/<uuid:membership_id>/remove/", views.member_remove, name="member-remove"),
    path("<slug:slug>/members/<uuid:membership_id>/password/", views.member_password, name="member-password"),
    path("<slug:slug>/key/", views.key, name="key"),
    path("<slug:slug>/key/remove/", views.key_remove, name="key-remove"),
    path("<slug:slug>/key/credit-back/", views.credit_back, name="credit-back"),
    path("<slug:slug>/refresh/", views.refresh, name="refresh"),
    path("<slug:slug>/choices/<slug:kind>/", views.choices, name="choices"),
    path(
        "<slug:slug>/catalogue/<uuid:item_id>/favourite/",
        views.catalogue_favourite,
        name="catalogue-favourite",
    ),
    path(
        "<slug:slug>/catalogue/<uuid:item_id>/<slug:what>/", views.catalogue_preview, name="catalogue-preview"
    ),
    path("<slug:slug>/webhook/<slug:what>/", views.webhook_change, name="webhook-change"),
    path("<slug:slug>/audit/", views.audit_trail, name="audit"),
]
