"""From a commit to the changed page: one Chromium page beside 499 open streams of the same session, and 5,000 streams.

The web process is Dailies' own. Commits are made here as the mirror makes them: rows, version, announcement in one
transaction. Clocks of page and process are the same machine's.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, sync_playwright

from bench.clocks import cpu_of, percentile, rss_of
from bench.figures import Figure
from bench.mirror.whole import wait_for
from bench.part import Run
from bench.stage import ROOT, Processes, collect_static, launched
from config.embedded import free_port
from eventstream.hub import STREAMS_PER_USER
from polling.changes import Announcement, announce
from sessions_app.models import Message, VideoSession
from tests.factories import MembershipFactory, UserFactory, VideoSessionFactory, WorkspaceFactory
from tests.suite import chromium
from workspaces_app.models import Role

BESIDE, MANY = 499, 5_000

# Notes when each of our messages is in the page: wall clock, milliseconds.
WATCH = """() => {
  window.arrived = {};
  new MutationObserver(changes => {
    const now = performance.timeOrigin + performance.now();
    for (const change of changes)
      for (const node of change.addedNodes)
        for (const found of (node.textContent || "").matchAll(/measured (\\d+)/g))
          window.arrived[found[1]] ??= now;
  }).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


@dataclass
class Studio:
    """The session that is watched, and whoever watches."""

    session: VideoSession
    # One for each person.
    cookies: list[str]
    position: int = 0

    @property
    def stream(self) -> str:
        return f"/stream/session/{self.session.pk}/?since={self.session.version}&variant=approver"

    def commit(self) -> tuple[int, float, float]:
        """One more message; its number, and when it was committed: wall clock and monotonic."""
        self.position += 1
        with transaction.atomic():
            VideoSession.objects.filter(pk=self.session.pk).update(
                version=F("version") + 1, message_count=F("message_count") + 1, active_at=timezone.now()
            )
            self.session.refresh_from_db(fields=["version"])
            Message.objects.create(
                session=self.session,
                position=self.position,
                role="model",
                type="text",
                content=f"The light comes from the left now: measured {self.position}",
                first_seen_at=timezone.now(),
                version=self.session.version,
            )
            announce(
                [Announcement(self.session.workspace_id, "session", self.session.pk, self.session.version)]
            )
        return self.position, time.time(), time.monotonic()


@dataclass
class Readers:
    process: subprocess.Popen[str]

    def told(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found


@contextlib.contextmanager
def readers(port: int, studio: Studio, count: int) -> Iterator[Readers]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.readers", str(port), studio.stream, str(count)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(studio.cookies) + "\n")
        process.stdin.flush()
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{count} streams could not be opened")
        yield Readers(process)
    finally:
        process.terminate()
        process.wait()


def measure(run: Run) -> list[Figure]:
    # Playwright runs an event loop in this thread, and Django would refuse to ask the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    studio = _studio()
    port = free_port()
    collect_static()
    with Processes() as processes:
        web = processes.start("config.process", "web", PORT=port, PUBLIC_URL=f"http://127.0.0.1:{port}")
        wait_for(lambda: answers(port), seconds=60, what="the web process answers")
        _warm(port, studio)
        before = rss_of(web.pid)
        with readers(port, studio, BESIDE) as beside:
            each = 1024 * (rss_of(web.pid) - before) / BESIDE
            idle = _idle(web.pid, run.either(4, 15))
            figures = [*_in_a_page(run, port, studio, beside), *_standing(each, idle)]
        if not run.quick:
            figures.append(_many(run, port, studio))
    return figures


def _studio() -> Studio:
    # Nobody types these passwords: hundreds of slow hashes would take minutes.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    workspace = WorkspaceFactory(name="Bright Studio")
    cookies = []
    # Each person may have so many streams open.
    for _ in range(-(-MANY // STREAMS_PER_USER) + 1):
        person = UserFactory()
        MembershipFactory(user=person, workspace=workspace, role=Role.APPROVER)
        door = Client()
        door.force_login(person)
        cookie = door.cookies[settings.SESSION_COOKIE_NAME]
        cookies.append(f"{cookie.key}={cookie.value}")
    return Studio(VideoSessionFactory(workspace=workspace), cookies)


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=1).ok
    except requests.RequestException:
        return False


def _warm(port: int, studio: Studio) -> None:
    """Templates are loaded and threads begun: that is no stream's own."""
    with readers(port, studio, 20) as some:
        for _ in range(3):
            studio.commit()
            time.sleep(0.3)
        some.told()
    requests.get(
        f"http://127.0.0.1:{port}{studio.session.get_absolute_url()}",
        headers={"Cookie": studio.cookies[0]},
        timeout=20,
    ).raise_for_status()


def _idle(pid: int, seconds: float) -> float:
    time.sleep(2)
    begun, used = time.monotonic(), cpu_of(pid)
    time.sleep(seconds)
    return (cpu_of(pid) - used) / (time.monotonic() - begun)


def _in_a_page(run: Run, port: int, studio: Studio, beside: Readers) -> list[Figure]:
    path = chromium()
    if path is None:
        return [Figure(name="commit to changed page", ours="no Chromium on this machine")]
    name, _, value = studio.cookies[-1].partition("=")
    commits = int(run.either(10, 20))
    waits: list[float] = []
    fanned: list[float] = []
    with sync_playwright() as playwright:
        browser = launched(playwright, path)
        page = browser.new_page(base_url=f"http://127.0.0.1:{port}")
        page.context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{port}"}])
        page.goto(studio.session.get_absolute_url())
        page.evaluate(WATCH)
        # The page's own stream is open when something arrives.
        _arrives(page, studio.commit()[0])
        for _ in run.rounds:
            run.mark()
            beside.told()
            for _ in range(commits):
                number, wall, monotonic = studio.commit()
                version = str(studio.session.version)
                waits.append(_arrives(page, number) - 1000 * wall)
                page.wait_for_timeout(150)
                fanned += [1000 * (at - monotonic) for at in beside.told()["versions"].get(version, [])]
        browser.close()
    late = percentile(waits, 0.95)
    return [
        Figure(
            name=f"commit to changed page in Chromium, beside {BESIDE} streams: p95, ms",
            ours=f"{late:.0f} (p50 {percentile(waits, 0.5):.0f})",
            goal="<= 50",
            reached=late <= 50,
            note=f"{len(waits)} commits; the streams are of the same session, so each commit goes to all of them.",
            raw={"milliseconds": [round(wait, 1) for wait in waits]},
        ),
        Figure(
            name=f"commit to each of the {BESIDE} streams: p95, ms",
            ours=f"{percentile(fanned, 0.95):.0f} (p50 {percentile(fanned, 0.5):.0f})",
            note=f"{len(fanned)} of {BESIDE * len(waits)} arrived while they were waited for.",
        ),
    ]


def _arrives(page: Page, number: int) -> float:
    """Wall clock, milliseconds."""
    page.wait_for_function("number => window.arrived[number]", arg=str(number), timeout=20_000, polling=20)
    return float(page.evaluate("number => window.arrived[number]", str(number)))


def _standing(each: float, idle: float) -> list[Figure]:
    return [
        Figure(name="memory of a stream, KiB", ours=f"{each:.1f}", goal="<= 20", reached=each <= 20),
        Figure(
            name=f"CPU of the web process with {BESIDE} idle streams, share of a core",
            ours=f"{idle:.1%}",
            goal="<= 2 %",
            reached=idle <= 0.02,
        ),
    ]


def _many(run: Run, port: int, studio: Studio) -> Figure:
    waits: list[float] = []
    with readers(port, studio, MANY) as all_of_them:
        time.sleep(2)
        for _ in range(10):
            run.mark()
            all_of_them.told()
            _, _, monotonic = studio.commit()
            version = str(studio.session.version)
            time.sleep(1.5)
            told = all_of_them.told()
            waits += [1000 * (at - monotonic) for at in told["versions"].get(version, [])]
        still_open = told["open"]
    late = percentile(waits, 0.95)
    complete = len(waits) == 10 * MANY
    return Figure(
        name=f"commit to each of {MANY:,} streams on one process: p95, ms",
        ours=f"{late:.0f} (p50 {percentile(waits, 0.5):.0f})",
        goal="<= 250, all of them",
        reached=late <= 250 and complete,
        note=f"{len(waits):,} of {10 * MANY:,} arrived; {still_open:,} streams open at the end.",
    )
