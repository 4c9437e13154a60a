"""What every test has: no network but loopback, and on request a real, empty Valkey."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from cachetools import TTLCache, cached
from django.conf import settings
from django.utils import timezone
from pytest_django.fixtures import Settings

from tests import migrated
from tests.contract.client_requests import client_requests_fit_the_contract  # noqa: F401, a fixture
from tests.processes import Valkey
from tests.suite import KILLS


def _is_local(address: Any) -> bool:
    """Whether a socket address stays on this machine. Names are refused: looking one up is a call to the outside."""
    if not isinstance(address, tuple):
        return True  # a unix socket's path
    host = address[0]
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("dailies")
    group.addoption("--fail-on-skip", action="store_true", help="a skipped test fails the run")
    group.addoption(
        "--fault-seconds", type=float, default=45.0, help="how long the random fault drill goes on"
    )
    group.addoption("--fault-seed", type=int, default=20_261_121, help="which random faults the drill meets")
    group.addoption(
        "--long",
        action="store_true",
        help="every test on both databases, those of minutes too, and ten times as many random cases",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what belongs to the other database: that is no skip, it runs in the other half of `./run test`.

    Without --long that goes for what is `usually` tested on the other one, too, and for what takes minutes.
    """
    stray = [item.nodeid for item in items if item.get_closest_marker("faults") and not _kills(item)]
    if stray:
        raise pytest.UsageError(f"fault tests are only looked for in {', '.join(KILLS)}: {stray}")
    other = "sqlite" if "postgresql" in settings.DATABASES["default"]["ENGINE"] else "postgresql"
    long = config.getoption("--long")

    def elsewhere(item: pytest.Item) -> bool:
        usually = item.get_closest_marker("usually")
        return bool(
            item.get_closest_marker(other)
            or (not long and usually is not None and usually.args == (other,))
            or (not long and item.get_closest_marker("long"))
        )

    left_out = [item for item in items if elsewhere(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    items.sort(key=lambda item: -_seconds(item))


def _kills(item: pytest.Item) -> bool:
    return any(item.path.is_relative_to(item.config.rootpath / folder) for folder in KILLS)


def _seconds(item: pytest.Item) -> float:
    """About how long the file of a test takes, where it is longer than others; 0 for all others, which keep their order."""
    lasts = item.get_closest_marker("lasts")
    return float(lasts.args[0]) if lasts else 0.0


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if not session.config.getoption("--fail-on-skip") or exitstatus != 0:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says why a run fails in which every test that ran has passed."""
    if config.getoption("--fail-on-skip") and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line(
            "FAILED: this run may skip no test; mark what belongs to one database", red=True
        )


@pytest.fixture(autouse=True, scope="session")
def _no_outside_network() -> Iterator[None]:
    """A test that reaches for the internet fails, instead of passing on one machine only."""
    patch = pytest.MonkeyPatch()
    for name in ("connect", "connect_ex"):
        original = getattr(socket.socket, name)

        def guarded(self: socket.socket, address: Any, original: Any = original) -> Any:
            if not _is_local(address):
                raise PermissionError(f"a test tried to reach {address}")
            return original(self, address)

        patch.setattr(socket.socket, name, guarded)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _beliefs_last_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process asks for again after some seconds is asked for anew in each test, and never in the middle of one."""
    from sessions_app import lists, people, usual
    from workspaces_app import context

    for module, name in ((usual, "_usual"), (people, "_known"), (lists, "tag_names"), (context, "_known_of")):
        asked = getattr(module, name).__wrapped__
        monkeypatch.setattr(module, name, cached(TTLCache(1024, ttl=1e9))(asked))


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets this process's clock so many seconds ahead of everybody else's, also of the database's."""
    here, unix = timezone.now, time.time

    def set_ahead(seconds: float) -> None:
        monkeypatch.setattr(timezone, "now", lambda: here() + timedelta(seconds=seconds))
        monkeypatch.setattr(time, "time", lambda: unix() + seconds)

    return set_ahead


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Every process's own SQLite file, with its name, is a copy of the migrated one where there is one."""
    database = settings.DATABASES["default"]
    if migrated.template() and database["ENGINE"] == "django.db.backends.sqlite3":
        migrated.copy_file(database["TEST"]["NAME"])


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """What was copied stays: Django would make an empty file in its place. (A PostgreSQL copies its template itself.)"""
    return bool(migrated.template()) and "sqlite" in settings.DATABASES["default"]["ENGINE"]


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    """One Valkey for the whole run (one for each worker of pytest-xdist)."""
    server = Valkey().start()
    yield server
    server.kill()


@pytest.fixture
def valkey(valkey_server: Valkey, settings: Settings) -> Valkey:
    """An empty Valkey that `settings` points to. A test may kill it: the next one finds it alive again."""
    valkey_server.clear()
    settings.REDIS_URL = settings.CELERY_BROKER_URL = valkey_server.url
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": valkey_server.url}}
    return valkey_server


@pytest.fixture
def valkey_url(valkey: Valkey) -> str:
    return valkey.url
