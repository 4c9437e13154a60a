"""Pages of one's own account: sign in, sign out, profile, password."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from workspaces_app import sign_in
from workspaces_app.forms import PasswordForm, ProfileForm, SignInForm
from workspaces_app.middleware import while_password_is_due
from workspaces_app.models import User
from workspaces_app.requests import SignedIn


@sensitive_post_parameters("password")
@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_page(request: HttpRequest) -> HttpResponse:
    """Asks for e-mail address and password, then goes to `next` when it is a page of ours."""
    if request.user.is_authenticated:
        return redirect(_next_page(request))
    form = SignInForm(request.POST if request.method == "POST" else None)
    status, wait = 200, 0
    if request.method == "POST":
        status = 422
        if form.is_valid():
            found = sign_in.check(request, form.cleaned_data["email"], form.cleaned_data["password"])
            if isinstance(found, User):
                sign_in.begin(request, found)
                onward = redirect(_next_page(request))
                sign_in.remember_device(onward, request, found)
                return onward
            if isinstance(found, sign_in.Throttled):
                status, wait = 429, found.seconds
                form.add_error(
                    None,
                    ngettext(
                        "Too many tries. Try again in %(seconds)s second.",
                        "Too many tries. Try again in %(seconds)s seconds.",
                        found.seconds,
                    )
                    % {"seconds": found.seconds},
                )
            else:
                form.add_error(None, _("This e-mail address and password don't go together."))
    context = {"form": form, "next": request.POST.get("next") or request.GET.get("next", "")}
    response = render(request, "workspaces_app/sign_in.html", context, status=status)
    if wait:
        response["Retry-After"] = str(wait)
    return response


@while_password_is_due
@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Signs out here. Pressed in two tabs, the second press finds nobody and leads to the same page."""
    sign_in.end(request)
    return redirect("accounts:sign-in")


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: SignedIn) -> HttpResponse:
    user = request.user
    form = ProfileForm(
        request.POST if request.method == "POST" else None, instance=User.objects.get(pk=user.pk)
    )
    if request.method == "POST" and form.is_valid():
        changed = form.save(commit=False)
        changed.save(update_fields=["name", "time_zone", "language", "single_keys"])
        translation.activate(changed.language)
        messages.success(request, _("Your settings are saved."))
        return redirect("accounts:profile")
    status = 422 if form.is_bound else 200
    return render(request, "workspaces_app/profile.html", {"form": form}, status=status)


@require_POST
def single_keys(request: SignedIn) -> HttpResponse:
    """`on=1` lets single keys press buttons on this person's pages, anything else stops that."""
    User.objects.filter(pk=request.user.pk).update(single_keys=request.POST.get("on") == "1")
    return HttpResponse(status=204) if request.headers.get("HX-Request") else redirect("accounts:profile")


@sensitive_post_parameters("current", "password", "again")
@never_cache
@while_password_is_due
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: SignedIn) -> HttpResponse:
    user = request.user
    form = PasswordForm(
        user, partial(sign_in.confirm, request), request.POST if request.method == "POST" else None
    )
    if request.method == "POST" and form.is_valid():
        was_due = user.must_change_password
        sign_in.change_password(request, user, form.cleaned_data["password"])
        messages.success(request, _("Your new password is set. Every other sign-in of yours has ended."))
        return redirect(settings.LOGIN_REDIRECT_URL if was_due else "accounts:profile")
    status = 422 if form.is_bound else 200
    return render(request, "workspaces_app/password.html", {"form": form}, status=status)


@require_POST
def sign_out_elsewhere(request: SignedIn) -> HttpResponse:
    sign_in.end_elsewhere(request, request.user)
    messages.success(request, _("Signed out everywhere else."))
    return redirect("accounts:profile")


def _next_page(request: HttpRequest) -> str:
    """Where to go after signing in: `next` when it leads to this very site, else home."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return resolve_url(settings.LOGIN_REDIRECT_URL)
