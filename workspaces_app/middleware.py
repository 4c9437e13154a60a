"""What every request of a person passes: signed in, password not due, their time zone and language.

One sync hook just before the view, in the view's own thread: under ASGI it costs no thread hop of its own
beyond the one, and neither session nor user is touched for what never reaches a view.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme

from workspaces_app import sign_in
from workspaces_app.models import User

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def in_background(view: View) -> View:
    """Marks a view that pages call by themselves: it doesn't keep an idle session alive."""
    view.in_background = True  # type: ignore[attr-defined]
    return view


def while_password_is_due(view: View) -> View:
    """Marks a view that somebody with a one-time password may use before choosing their own."""
    view.while_password_is_due = True  # type: ignore[attr-defined]
    return view


class SignedInMiddleware(LoginRequiredMiddleware):
    """Every view needs a signed-in person unless `login_not_required` marks it."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: Any,
        view_kwargs: Any,
    ) -> HttpResponseBase | None:
        user = request.user
        if isinstance(user, User) and not getattr(view_func, "in_background", False):
            sign_in.touch(request.session)
            if request.session.is_empty():
                return send_to_sign_in(request)
        timezone.deactivate()
        if not user.is_authenticated:
            return super().process_view(request, view_func, view_args, view_kwargs)
        timezone.activate(user.zone)
        if user.language in dict(settings.LANGUAGES):
            translation.activate(user.language)
            request.LANGUAGE_CODE = user.language
        if user.must_change_password and not getattr(view_func, "while_password_is_due", False):
            return _leave_for(request, reverse("accounts:password"))
        return None

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseRedirect:
        return send_to_sign_in(request)  # type: ignore[return-value]


def send_to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page, and from there back to the page that the person was on."""
    query = urlencode({"next": _page(request)})
    return _leave_for(request, f"{reverse('accounts:sign-in')}?{query}")


def _leave_for(request: HttpRequest, url: str) -> HttpResponse:
    """A redirect; for htmx a 403 with HX-Redirect, since a followed redirect would land inside a fragment."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=403, headers={"HX-Redirect": url})
    return redirect(url)


def _page(request: HttpRequest) -> str:
    """The path of the page that the browser shows: a fragment's or a form's own address is none."""
    fragment = request.headers.get("HX-Request") == "true"
    if not fragment and request.method in ("GET", "HEAD"):
        return request.get_full_path()
    shown = (
        (request.headers.get("HX-Current-URL") if fragment else None) or request.headers.get("Referer") or "/"
    )
    if not url_has_allowed_host_and_scheme(
        shown, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return "/"
    parts = urlsplit(shown)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
