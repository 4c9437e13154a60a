"""The shell around every page: navigation, theme, live regions, and what a strict content policy asks of it."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from interface.context import navigation, place_of, shell
from tests.factories import MembershipFactory, UserFactory
from tests.markup import inline_code
from workspaces_app.models import Role

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))


@pytest.mark.django_db
def test_the_navigation_marks_where_one_is(client: Client):
    client.force_login(UserFactory())
    for address, place in (("/sessions/", "Sessions"), ("/library/", "Library"), ("/", "Inbox")):
        html = client.get(address).content.decode()
        marked = re.findall(r'aria-current="page">\s*<svg.*?</svg><span>([^<]+)</span>', html)
        assert marked == [place]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", "sessions:inbox"),
        ("/sessions/new/", "sessions:history"),
        ("/library/", "sessions:library"),
        ("/nowhere/", ""),
    ],
)
def test_an_address_belongs_to_a_place(path: str, place: str):
    assert place_of(path) == place


def test_only_staff_is_led_to_ops():
    names = [{link.place.url_name for link in navigation(staff=staff)} for staff in (True, False)]
    assert names[0] - names[1] == {"ops:board"}


@pytest.mark.parametrize(
    ("cookie", "theme"), [("dark", "dark"), ("light", "light"), ('"><script>', ""), ("", "")]
)
def test_the_theme_comes_from_the_cookie_or_the_system(cookie: str, theme: str):
    request = RequestFactory().get("/")
    request.COOKIES["dailies_theme"] = cookie
    assert shell(request)["theme"] == theme


def test_the_theme_is_remembered_and_leads_back(client: Client):
    response = client.post("/theme/", {"theme": "dark", "next": "/library/?type=image"})
    assert (response.status_code, response["Location"]) == (302, "/library/?type=image")
    assert response.cookies["dailies_theme"].value == "dark"


def test_as_the_system_forgets_the_cookie(client: Client):
    response = client.post("/theme/", {"theme": "system"})
    assert response.cookies["dailies_theme"]["max-age"] == 0


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_the_theme_leads_nobody_away(client: Client, address: str):
    assert client.post("/theme/", {"theme": "dark", "next": address})["Location"] == "/"


def test_the_theme_is_a_post(client: Client):
    assert client.get("/theme/").status_code == 405


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_no_template_has_an_inline_script_or_style(path):
    assert inline_code(re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", path.read_text(), flags=re.DOTALL)) == []


def test_the_guard_against_inline_code_works():
    assert sorted(inline_code('<p style="x" onclick="y"><script>z</script>')) == [
        "<script>",
        "onclick",
        "style",
    ]


def test_every_static_file_that_is_named_exists():
    named = {name for path in TEMPLATES for name in re.findall(r'{% static "([^"]+)" %}', path.read_text())}
    assert len(named) > 20
    assert [name for name in sorted(named) if finders.find(name) is None] == []


def test_a_drawing_has_a_size_of_its_own():
    """Some browsers say that one without is 0 wide, which is how pictures.js knows a picture that could not be loaded."""
    shown = {
        name
        for path in TEMPLATES
        for name in re.findall(r'<img src="{% static "([^"]+\.svg)"', path.read_text())
    }
    assert shown
    for name in shown:
        drawing = (settings.BASE_DIR / "static" / name).read_text()
        assert re.match(r'<svg [^>]*width="\d+" height="\d+"', drawing), name


def test_modules_import_only_modules_that_exist():
    folder = settings.BASE_DIR / "static" / "js"
    missing = [
        f"{path.name}: {name}"
        for path in folder.glob("*.js")
        for name in re.findall(r'(?:from|import) "\./([^"]+)"', path.read_text())
        if not (folder / name).is_file()
    ]
    assert missing == []


@pytest.mark.django_db
def test_a_page_has_one_polite_and_one_assertive_live_region(client: Client):
    client.force_login(UserFactory())
    html = client.get("/").content.decode()
    assert re.findall(r'aria-live="(\w+)"', html) == ["polite", "assertive"]
    assert len(re.findall(r'role="status"', html)) == 1
    assert len(re.findall(r'role="alert"', html)) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_error_pages_work_without_a_request(status: int):
    html = render_to_string(f"{status}.html")
    assert f'<p class="error-code">{status}</p>' in html
    assert 'href="/"' in html


def test_a_refusal_gives_its_reason():
    html = render_to_string("403.html", {"exception": "This needs the role “Approver” & more"})
    assert "<p data-reason>This needs the role “Approver” &amp; more</p>" in html
    assert "data-reason" not in render_to_string("403.html", {"exception": ""})


@pytest.mark.django_db
@pytest.mark.parametrize(("role", "offered"), [(Role.VIEWER, False), (Role.CREATOR, True)])
def test_new_sessions_are_offered_to_who_may_begin_one(role: Role, offered: bool) -> None:
    client = Client()
    client.force_login(MembershipFactory(role=role).user)

    for address in ("/", "/sessions/", "/live/"):
        assert ('href="/sessions/new/"' in client.get(address).content.decode()) is offered
