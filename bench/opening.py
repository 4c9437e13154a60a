"""Pages in Chromium with a cold cache: when something is to be seen, what was loaded for it, what moved, what took long.

The web process is Dailies' own, on the small set of `bench.seed` with its thread of 2,000 messages. Every visit is a browser
of its own. Milliseconds are the browser's, from the start of the navigation; they depend on what else the machine does;
bytes and shifts do not.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, sync_playwright

from bench.clocks import median, percentile
from bench.figures import Figure
from bench.live import answers
from bench.mirror.whole import wait_for
from bench.part import Run
from bench.stage import Processes, collect_static, launched
from config.embedded import free_port
from tests.suite import chromium

FIRST_CONTENT_MS, COMPRESSED_KB, LONG_TASK_MS = 600, 120, 50
# A picture or a film is not needed to read the page.
NOT_COUNTED = {"Image", "Media", "EventSource"}

WATCH = """() => {
  window.seen = {shift: 0, tasks: []};
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.seen.shift += entry.value;
  }).observe({type: "layout-shift", buffered: true});
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) window.seen.tasks.push(entry.duration);
  }).observe({type: "longtask", buffered: true});
}"""
ASK = """() => ({...window.seen,
  first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN})"""


@dataclass
class Seen:
    """What the visits of one page gave; one value a visit, `tasks` all that were longer than 50 ms."""

    first: list[float] = field(default_factory=list)
    # Kilobytes by what the browser calls it: Document, Script, Font …
    loaded: list[dict[str, float]] = field(default_factory=list)
    shift: list[float] = field(default_factory=list)
    tasks: list[float] = field(default_factory=list)


def measure(run: Run) -> list[Figure]:
    from bench.seed import SMALL, seed

    path = chromium()
    if path is None:
        return [Figure(name="pages in Chromium", ours="no Chromium on this machine")]
    # Playwright runs an event loop in this thread, and Django would refuse to ask the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    seeded = seed(SMALL)
    door = Client()
    door.force_login(seeded.person)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    cookie = door.cookies[settings.SESSION_COOKIE_NAME]
    collect_static()
    pages = {
        "inbox": "/",
        "history": "/sessions/",
        "session of 2,000 messages": f"/sessions/{seeded.long}/",
        "library": "/library/",
        "new session": "/sessions/new/",
    }
    seen: dict[str, Seen] = defaultdict(Seen)
    with Processes() as processes, sync_playwright() as playwright:
        processes.start("config.process", "web", PORT=port, PUBLIC_URL=url)
        wait_for(lambda: answers(port), seconds=60, what="the web process answers")
        browser = launched(playwright, path)
        for number in range(1 + int(run.either(3, 5)) * len(run.rounds)):
            run.mark()
            for name, address in pages.items():
                # The first one warms the server's templates.
                _visit(browser, f"{url}{address}", cookie, seen[name] if number else Seen())
        browser.close()
    return [figure for name, found in seen.items() for figure in _figures(name, found)]


def _visit(browser: Browser, address: str, cookie: Any, seen: Seen) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    try:
        # For all addresses: without it the page's stream would be refused, and the page would load itself again.
        host = urlsplit(address).hostname
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "domain": host, "path": "/"}])
        page = context.new_page()
        page.add_init_script(f"({WATCH})()")
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        kinds: dict[str, str] = {}
        sizes: dict[str, float] = {}
        network.on(
            "Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]})
        )
        network.on(
            "Network.loadingFinished",
            lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}),
        )
        page.goto(address, wait_until="load")
        # What modules do after loading belongs to opening the page.
        page.wait_for_timeout(700)
        told = page.evaluate(ASK)
        seen.first.append(told["first"])
        seen.shift.append(told["shift"])
        seen.tasks += told["tasks"]
        by_kind: Counter[str] = Counter()
        for request, size in sizes.items():
            if (kind := kinds.get(request, "Image")) not in NOT_COUNTED:
                by_kind[kind] += round(size / 1024, 1)
        seen.loaded.append(dict(by_kind))
    finally:
        context.close()


def _figures(name: str, seen: Seen) -> list[Figure]:
    late = percentile(seen.first, 0.95)
    largest = max(seen.loaded, key=lambda loaded: sum(loaded.values()))
    size = sum(largest.values())
    shift = max(seen.shift)
    longest = max(seen.tasks, default=0.0)
    return [
        Figure(
            name=f"{name}: first content, cold cache, p95",
            ours=f"{late:.0f} ms (p50 {median(seen.first):.0f})",
            goal=f"<= {FIRST_CONTENT_MS} ms",
            reached=late <= FIRST_CONTENT_MS,
            raw={"milliseconds": [round(each, 1) for each in seen.first]},
        ),
        Figure(
            name=f"{name}: loaded without pictures and films, compressed",
            ours=f"{size:.0f} KB",
            goal=f"<= {COMPRESSED_KB} KB",
            reached=size <= COMPRESSED_KB,
            note=", ".join(f"{kind} {kilobytes:.0f}" for kind, kilobytes in sorted(largest.items())),
        ),
        Figure(name=f"{name}: layout shift", ours=f"{shift:.3f}", goal="0", reached=shift < 0.001),
        Figure(
            name=f"{name}: longest task of the page",
            ours=f"{longest:.0f} ms" if longest else "none over 50 ms",
            goal=f"<= {LONG_TASK_MS} ms",
            reached=longest <= LONG_TASK_MS,
            note=f"{len(seen.tasks)} long tasks in {len(seen.first)} visits.",
        ),
    ]
