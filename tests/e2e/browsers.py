"""Browsers of people: signed in without clicking, watched for errors, looked at by axe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, WebError

from workspaces_app.models import User

# The machine may be busy with its other half: long enough for that, short enough to notice what hangs.
PATIENCE_MS = 20_000

WIDE: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
NARROW: ViewportSize = {"width": 320, "height": 700}
WIDEST: ViewportSize = {"width": 2560, "height": 1440}

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
AXE = (Path(__file__).parent / "axe-4.14.1.min.js").read_text(encoding="utf-8")


@dataclass
class Complaints:
    """What browsers complained about: errors on the console (a violated policy is one) and exceptions of scripts.

    A test that makes the server refuse or go away expects some: `expect("403")` forgives those that contain it.
    """

    heard: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def listen_to(self, context: BrowserContext) -> None:
        context.on("console", self._on_console)
        context.on("weberror", self._on_exception)

    def expect(self, *patterns: str) -> None:
        self.expected.extend(patterns)

    @property
    def left(self) -> list[str]:
        return [text for text in self.heard if not any(re.search(known, text) for known in self.expected)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "assert"):
            self.heard.append(f"{message.text} ({message.location.get('url', '')})")

    def _on_exception(self, error: WebError) -> None:
        self.heard.append(f"exception: {error.error}")


@dataclass
class Browsers:
    """Makes browser contexts of one test, each of which is one person's browser."""

    browser: Browser
    url: str
    complaints: Complaints
    contexts: list[BrowserContext] = field(default_factory=list)

    def stranger(self, **options: Any) -> Page:
        """A browser in which nobody is signed in."""
        context = self.browser.new_context(
            **{
                "base_url": self.url,
                "viewport": WIDE,
                "locale": "en-GB",
                "timezone_id": "UTC",
                "reduced_motion": "reduce",
                **options,
            }
        )
        context.set_default_timeout(PATIENCE_MS)
        self.complaints.listen_to(context)
        self.contexts.append(context)
        return context.new_page()

    def of(self, user: User, **options: Any) -> Page:
        """A browser in which `user` is signed in."""
        page = self.stranger(**options)
        door = Client()
        door.force_login(user)
        cookie = door.cookies[settings.SESSION_COOKIE_NAME]
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.url}])
        return page

    def close(self) -> None:
        for context in self.contexts:
            context.close()


def axe_findings(page: Page, *, only: Sequence[str] = ()) -> list[str]:
    """What axe finds on the page as it stands: rule, and the first few places. `only` these rules, or all."""
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE)  # unlike a script tag, this works under a strict policy
    # A change of theme fades: half-way colours are nobody's.
    page.evaluate(
        "Promise.allSettled(document.getAnimations().filter(a => a instanceof CSSTransition).map(animation => animation.finished))"
    )
    result = page.evaluate(
        "([type, values]) => axe.run(document, {runOnly: {type, values}, resultTypes: ['violations']})",
        ["rule", list(only)] if only else ["tag", list(RULES)],
    )
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in result["violations"]
        for node in violation["nodes"][:3]
    ]


def overflow(page: Page) -> int:
    """By how many pixels the page can be scrolled sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@contextmanager
def watched_for(browser: Browser, url: str, log: Callable[[], str]) -> Iterator[Browsers]:
    """Browsers of one test; afterwards fails when one of them complained, with what the server's log says to that."""
    browsers = Browsers(browser, url, Complaints())
    try:
        yield browsers
    finally:
        browsers.close()
    assert browsers.complaints.left == [], log()[-4000:]


def playing(page: Page, selector: str, *, from_second: float = 0) -> Callable[[], bool]:
    """Whether the media element shows moving pictures: its time went on and frames were drawn."""
    return lambda: bool(
        page.evaluate(
            "([selector, from]) => { const v = document.querySelector(selector);"
            " return v && !v.paused && v.currentTime > from && v.getVideoPlaybackQuality().totalVideoFrames > 0 }",
            [selector, from_second],
        )
    )
