"""The same rules under ASGI, and what the middleware sets for a request."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.test import AsyncClient, Client
from django.urls import URLResolver, get_resolver, path
from django.utils import timezone, translation
from pytest_django.fixtures import Settings

from tests.factories import UserFactory
from workspaces_app.middleware import in_background
from workspaces_app.sign_in import SEEN_AT

pytestmark = pytest.mark.django_db(transaction=True)


def seen(request: HttpRequest) -> JsonResponse:
    return JsonResponse(
        {"zone": timezone.get_current_timezone_name(), "language": translation.get_language()}
    )


@login_not_required
def seen_by_all(request: HttpRequest) -> JsonResponse:
    return seen(request)


@in_background
def count(request: HttpRequest) -> JsonResponse:
    return JsonResponse({})


urlpatterns = [
    path("seen/", seen),
    path("count/", count),
    path("open/", seen_by_all),
    *get_resolver("config.urls").url_patterns,
]


@pytest.fixture(autouse=True)
def _own_urls(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__


def under_asgi(client: AsyncClient, url: str, **extra: Any) -> Any:
    return async_to_sync(client.get)(url, **extra)


def test_person_brings_time_zone_and_language(settings: Settings) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    amy = UserFactory(time_zone="Asia/Tokyo", language="de")
    for client, get in ((Client(), Client.get), (AsyncClient(), under_asgi)):
        client.force_login(amy)
        assert get(client, "/seen/").json() == {"zone": "Asia/Tokyo", "language": "de"}  # type: ignore[operator]


def test_next_request_of_somebody_else_does_not_inherit_them() -> None:
    amy = Client()
    amy.force_login(UserFactory(time_zone="Asia/Tokyo"))
    amy.get("/seen/")
    assert Client().get("/open/").json()["zone"] == "UTC"


@pytest.mark.parametrize("zone", ["", "../../etc/passwd"])
def test_nothing_or_nonsense_in_the_row_is_no_error(zone: str) -> None:
    client = Client()
    client.force_login(UserFactory(time_zone=zone, language="xx"))
    assert client.get("/seen/").json() == {"zone": "UTC", "language": "en"}


def test_asgi_asks_for_sign_in_as_well() -> None:
    assert under_asgi(AsyncClient(), "/seen/")["Location"] == "/sign-in/?next=%2Fseen%2F"
    fragment = under_asgi(AsyncClient(), "/seen/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (403, "/sign-in/?next=%2F")


def test_what_pages_ask_by_themselves_keeps_nobody_signed_in() -> None:
    client = Client()
    client.force_login(UserFactory())
    client.get("/count/")
    assert SEEN_AT not in client.session
    client.get("/seen/")
    assert SEEN_AT in client.session


def test_open_views_are_these_and_no_others() -> None:
    """A list to be read by whoever opens another one."""

    def open_views(patterns: list[Any], prefix: str = "") -> set[str]:
        found: set[str] = set()
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                found |= open_views(pattern.url_patterns, prefix + str(pattern.pattern))
            elif not getattr(pattern.callback, "login_required", True):
                found.add(prefix + str(pattern.pattern))
        return found

    assert open_views(get_resolver("config.urls").url_patterns) == {
        "admin/login/",
        "metrics",  # for staff, or whoever has METRICS_TOKEN
        "readyz",
        "sign-in/",
        "sign-out/",
        "theme/",
        "webhooks/<slug:path_token>/",
        "webhooks/callback/<str:token>/",
    }
