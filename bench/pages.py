"""Pages on 100,000 sessions with a million messages, against the same pages on a hundredth of that.

Each page is asked for in this process through all of Django, signed in, without a browser or network. The large and the
small set are two databases; the small one is measured in a child process of the same part, in turns with the large.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from bench.clocks import median, percentile
from bench.figures import Figure
from bench.part import Run
from bench.stage import ROOT, collect_static

# How often each page is asked for in a round.
TIMES = 8
SEED_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Page:
    name: str
    path: str
    # Milliseconds, p95; None: only the comparison with the small set counts.
    goal: float | None = None

    @property
    def searches(self) -> bool:
        """What a search has to do depends on the words, not only on how much there is: it has a bound instead."""
        return "q=" in self.path


def pages(seeded: Any, last: str) -> list[Page]:
    from bench.seed import COMMON, FREQUENT, RARE

    quiet, session = seeded.quiet.slug, seeded.long
    return [
        Page("history, first page", "/sessions/", 60),
        Page("history, by status", "/sessions/?status=failed", 60),
        Page("history, mine in one workspace", "/sessions/?person=me&workspace=studio-1", 60),
        Page("history, archived", "/sessions/?archived=on", 60),
        Page("history, last page", f"/sessions/?after={last}", 60),
        Page("session of 2,000 messages", f"/sessions/{session}/"),
        Page("its older messages", f"/sessions/{session}/messages/?before=1000"),
        Page("library, first page", "/library/"),
        Page("library, one type", "/library/?type=voice"),
        Page("inbox", "/"),
        Page("search: the commonest word", f"/sessions/?q={COMMON}", 100),
        Page("search: the commonest, in a quiet workspace", f"/sessions/?q={COMMON}&workspace={quiet}", 100),
        Page("search: a frequent word", f"/sessions/?q={FREQUENT}", 100),
        Page("search: two letters", "/sessions/?q=wo", 100),
        Page("search: three common words", f"/sessions/?q={COMMON}+film+{FREQUENT}", 100),
        Page("search: a rare word", f"/sessions/?q={RARE}", 100),
        Page("search: a common and a rare word", f"/sessions/?q={COMMON}+{RARE}", 100),
        Page("search: no such word", "/sessions/?q=qqqqqq", 100),
        Page("search: a common and no such word", f"/sessions/?q={COMMON}+qqqqqq", 100),
    ]


class Reader:
    """The person who looks: asks for pages and measures them."""

    def __init__(self, sessions: int) -> None:
        from django.conf import settings
        from django.test import Client

        from bench.seed import seed

        settings.ALLOWED_HOSTS = ["testserver"]
        begun = time.monotonic()
        self.seeded = seed(sessions)
        self.seed_seconds = time.monotonic() - begun
        # As the web process does. What the seeding left behind would be walked again and again, on the large set only.
        gc.collect()
        gc.freeze()
        self.client = Client()
        self.client.force_login(self.seeded.person)
        self.pages = pages(self.seeded, self._last_cursor())

    def _last_cursor(self) -> str:
        """Where the last page of the history begins."""
        from sessions_app.keyset import Cursor
        from sessions_app.models import VideoSession

        rows = VideoSession.objects.visible_to(self.seeded.person).filter(archived=False)
        row = rows.order_by("active_at", "id")[30]
        return str(Cursor(row.active_at, row.pk)).replace("+", "%2B")

    def queries(self, page: Page) -> int:
        """Of a page whose banners and colleagues this process was asked for less than five seconds ago."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        from sessions_app import people
        from workspaces_app import context

        people._known.cache_clear()
        context._known_of.cache_clear()
        self.client.get(page.path)
        with CaptureQueriesContext(connection) as captured:
            answer = self.client.get(page.path)
        assert answer.status_code == 200, f"{page.path}: {answer.status_code}"
        return len(captured)

    def milliseconds(self, page: Page, times: int) -> list[float]:
        found = []
        for _ in range(times):
            begun = time.perf_counter()
            self.client.get(page.path)
            found.append(1000 * (time.perf_counter() - begun))
        return found

    def view_cpu(self) -> float:
        """Milliseconds of CPU of the history's view and template, without middleware but with what it brings."""
        from django.conf import settings
        from django.test import RequestFactory
        from django.utils import translation

        from sessions_app.history_views import history
        from workspaces_app.backends import Backend

        person = Backend().get_user(self.seeded.person.pk)
        # Since its first page a browser has the cookie that the forms' token is made from.
        self.client.get("/sessions/")
        token = self.client.cookies[settings.CSRF_COOKIE_NAME].value

        def once() -> float:
            request = RequestFactory().get("/sessions/")
            request.META["CSRF_COOKIE"] = token
            request.user = person
            request.session = self.client.session
            request.htmx = False  # type: ignore[attr-defined]
            begun = time.thread_time()
            history(request)
            return 1000 * (time.thread_time() - begun)

        # As the middleware does. Without a language Django looks for one, in vain, for each word of the page.
        with translation.override("en"):
            once()
            return median(once() for _ in range(15))


def serve(sessions: int) -> None:
    """The small set, in a process of its own: reads `[number of the page, times]`, answers with milliseconds."""
    reader = Reader(sessions)
    print(json.dumps([reader.queries(page) for page in reader.pages]), flush=True)
    for line in sys.stdin:
        number, times = json.loads(line)
        print(json.dumps(reader.milliseconds(reader.pages[number], times)), flush=True)


def measure(run: Run) -> list[Figure]:
    from bench import seed

    collect_static()
    small = _small(run)
    try:
        assert small.stdin is not None
        assert small.stdout is not None
        reader = Reader(10_000 if run.quick else seed.LARGE)
        small_queries = json.loads(small.stdout.readline())
        queries = [reader.queries(page) for page in reader.pages]
        times = 5 if run.quick else TIMES
        ours: list[list[float]] = [[] for _ in reader.pages]
        theirs: list[list[float]] = [[] for _ in reader.pages]
        for _ in run.rounds:
            run.mark()
            for number, page in enumerate(reader.pages):
                small.stdin.write(json.dumps([number, times]) + "\n")
                small.stdin.flush()
                theirs[number] += json.loads(small.stdout.readline())
                ours[number] += reader.milliseconds(page, times)
        figures = [_seeding(reader.seed_seconds, reader.seeded.sessions), _cpu(reader)]
        for number, page in enumerate(reader.pages):
            figures.append(
                _figure(page, ours[number], theirs[number], queries[number], small_queries[number])
            )
        return figures
    finally:
        small.terminate()
        small.wait()


def _small(run: Run) -> subprocess.Popen[str]:
    """The same on a hundredth, on a database beside ours."""
    url = os.environ["DATABASE_URL"]
    if url.startswith("sqlite"):
        import shutil

        from django.conf import settings

        small = str(settings.DATA_DIR / "small.sqlite3")
        shutil.copyfile(url.removeprefix("sqlite:///"), small)
        address = f"sqlite:///{small}"
    else:
        import psycopg

        base, _, name = url.rpartition("/")
        with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}small TEMPLATE migrated".encode())
        address = f"{base}/{name}small"
    from bench import seed

    program = f"import django; django.setup(); from bench.pages import serve; serve({seed.SMALL})"
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": address},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _figure(page: Page, ours: list[float], theirs: list[float], queries: int, small_queries: int) -> Figure:
    late, small = percentile(ours, 0.95), percentile(theirs, 0.95)
    # Medians tell how much slower the large set is: a p95 of a shared machine tells more of the machine.
    ratio = median(ours) / median(theirs)
    bounds = ["<= 12 queries"] if page.searches else ["<= 1.3 x", "<= 12 queries, as many"]
    goal = ", ".join(bounds + ([f"p95 <= {page.goal:g} ms"] if page.goal else []))
    # Below a few milliseconds of difference nobody can tell, and neither can this clock.
    similar = ratio <= 1.3 or median(ours) - median(theirs) < 3
    return Figure(
        name=page.name,
        ours=f"p50 {median(ours):.1f}, p95 {late:.1f} ms, {queries} queries",
        peer=f"p50 {median(theirs):.1f}, p95 {small:.1f} ms, {small_queries} queries",
        ratio=f"{ratio:.2f}",
        goal=goal,
        reached=(page.searches or (similar and queries == small_queries))
        and queries <= 12
        and (page.goal is None or late <= page.goal),
        raw={"ours_ms": _rounded(ours), "peer_ms": _rounded(theirs)},
    )


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 2) for value in values]


def _seeding(seconds: float, sessions: int) -> Figure:
    return Figure(
        name=f"seeding {sessions:,} sessions",
        ours=f"{seconds:.0f} s",
        goal=f"<= {SEED_SECONDS} s",
        reached=seconds <= SEED_SECONDS,
    )


def _cpu(reader: Reader) -> Figure:
    spent = reader.view_cpu()
    return Figure(
        name="history, 50 rows: CPU in view and template",
        ours=f"{spent:.1f} ms",
        goal="<= 4 ms",
        reached=spent <= 4,
        note="The whole page with its frame, filters and counts; median of 15.",
    )
