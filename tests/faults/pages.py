"""A signed-in person at the pages of an installation, without a browser."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.test import Client

from polling import health
from tests.studio import Studio
from workspaces_app.models import User


class Page:
    """A signed-in person's requests."""

    def __init__(self, studio: Studio, person: User) -> None:
        door = Client()
        door.force_login(person)
        cookie = door.cookies[settings.SESSION_COOKIE_NAME]
        self.http = requests.Session()
        self.http.cookies.set(cookie.key, cookie.value)
        self.url = studio.dailies.url
        self.workspace = studio.workspace.slug

    def read(self, path: str) -> str:
        answer = self.http.get(self.url + path, timeout=10)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def says(self) -> set[str]:
        """The codes of the banners that are on the page."""
        text = unescape(self.read("/"))
        return {code for code in health.TEXTS if health.Problem(code).text in text}

    def start(self, prompt: str) -> str:
        """Fills in and sends the form for a new session; the path of its page."""
        answer = self.send_form(self.fill_in(prompt))
        assert answer.status_code == 200, answer.text[:500]
        return urlsplit(answer.url).path

    def press(self, path: str) -> None:
        """Presses a button that needs nothing but itself."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]*)"', self.read("/sessions/new/"))
        assert token is not None
        referer = {"Referer": f"{self.url}/sessions/new/"}
        answer = self.http.post(
            self.url + path, data={"csrfmiddlewaretoken": token[1]}, headers=referer, timeout=10
        )
        assert answer.status_code == 200, (path, answer.status_code)

    def fill_in(self, prompt: str) -> dict[str, str]:
        """The form for a new session as it would be sent."""
        form = self.read("/sessions/new/")
        hidden = {
            name: unescape(re.search(rf'name="{name}" value="([^"]*)"', form)[1])  # type: ignore[index]
            for name in ("csrfmiddlewaretoken", "token")
        }
        return {**hidden, "workspace": self.workspace, "prompt": prompt, "mode": "chat", "do": "start"}

    def send_form(self, filled_in: dict[str, str]) -> requests.Response:
        address = f"{self.url}/sessions/new/"
        return self.http.post(address, data=filled_in, headers={"Referer": address}, timeout=30)
