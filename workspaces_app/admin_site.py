"""The admin of the operators: staff only, and the password is asked again after a quarter of an hour.

A session that was left open, or stolen, is not enough for the one place that sees every workspace.
"""

from __future__ import annotations

import time
from functools import update_wrapper
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from workspaces_app import audit, sign_in
from workspaces_app.forms import password_field
from workspaces_app.middleware import send_to_sign_in

CONFIRMED_AT = "admin_confirmed_at"


class ConfirmForm(forms.Form):
    password = password_field(gettext_lazy("Your password"), autocomplete="current-password")


def is_confirmed(request: HttpRequest) -> bool:
    """Whether the password was given within the last `settings.ADMIN_CONFIRM_SECONDS`."""
    confirmed_at: float = request.session.get(CONFIRMED_AT, 0.0)
    return time.time() - confirmed_at < settings.ADMIN_CONFIRM_SECONDS


class GuardedAdminSite(admin.AdminSite):
    site_header = gettext_lazy("Dailies: operators")
    site_title = gettext_lazy("Dailies")
    index_title = gettext_lazy("Everything in this installation")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [path("confirm/", self.confirm, name="confirm"), *super().get_urls()]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Every page of the admin: staff, the password given not long ago, and a note of what they looked at."""
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not self.has_permission(request):
                return self.no_permission(request)
            if not is_confirmed(request):
                wanted = request.get_full_path() if request.method == "GET" else ""
                return redirect(
                    f"{reverse('admin:confirm', current_app=self.name)}?{urlencode({'next': wanted})}"
                )
            response: HttpResponseBase = inner(request, *args, **kwargs)
            _note(request, response)
            return response

        return update_wrapper(guarded, view)

    @method_decorator(sensitive_post_parameters("password"))
    @method_decorator(never_cache)
    def confirm(self, request: HttpRequest) -> HttpResponse:
        """Asks staff for their password again, then goes on to where they wanted."""
        if not self.has_permission(request):
            return self.no_permission(request)
        form = ConfirmForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            if sign_in.confirm(request, form.cleaned_data["password"]):
                request.session[CONFIRMED_AT] = time.time()
                audit.record("admin.entered", actor=request.user, request=request)
                return redirect(self._next(request))
            form.add_error("password", _("This is not your password, or it was tried too often just now."))
        status = 422 if form.is_bound else 200
        context = {"form": form, "next": request.POST.get("next") or request.GET.get("next", "")}
        return render(request, "workspaces_app/admin_confirm.html", context, status=status)

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Signing in has one door, with its throttle: this isn't another one."""
        if self.has_permission(request):
            return redirect("admin:index")
        return self.no_permission(request)

    # Django's stubs say TemplateResponse for both, but any response will do.
    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method != "POST":
            return redirect("admin:index")
        sign_in.end(request)
        return redirect("accounts:sign-in")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("accounts:password")

    def no_permission(self, request: HttpRequest) -> HttpResponse:
        """To the sign-in page for somebody signed out; 404 for members: the admin is none of their business."""
        if not request.user.is_authenticated:
            return send_to_sign_in(request)
        return render(request, "404.html", status=404)

    def _next(self, request: HttpRequest) -> str:
        wanted = request.POST.get("next", "")
        allowed = url_has_allowed_host_and_scheme(
            wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )
        return wanted if allowed else reverse("admin:index", current_app=self.name)


# The views of a ModelAdmin are named <app>_<model>_<one of these>.
_NOTED = ("change", "add", "delete", "history", "changelist")


def _note(request: HttpRequest, response: HttpResponseBase) -> None:
    """One audit entry for each object that staff looked at, and for whatever they changed."""
    match = request.resolver_match
    if match is None or response.status_code >= 400:
        return
    model, _underscore, what = (match.url_name or "").rpartition("_")
    wrote = request.method == "POST"
    if what not in _NOTED or (what in ("changelist", "add") and not wrote):
        return
    # A form that was refused is shown again, with 200: nothing was written then.
    if wrote and response.status_code == 200:
        return
    data = {"model": model, "object": str(match.kwargs.get("object_id", "")), "page": what}
    if wrote and what == "changelist":
        data["action"] = request.POST.get("action", "")
    audit.record(
        "admin.changed" if wrote else "admin.viewed",
        actor=request.user,
        data=data,
        request=request,
    )
