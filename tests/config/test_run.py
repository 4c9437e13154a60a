"""`./run` itself: what it prints, what it starts, and how it all ends."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import requests

from tests.processes import wait_until

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120  # beside other tests, on a slow machine
pytestmark = pytest.mark.lasts(42)
PROCESSES = ("dailies-web", "dailies-worker", "dailies-command", "dailies-beat")


def two_free_ports() -> int:
    """The first of two free ports in a row: the pages', and the simulator's behind it."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", port + 1))
                return port


def parent_of(pid: int) -> int:
    return int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])


class Run:
    """A started `./run` with a data directory of its own."""

    def __init__(self, data_dir: Path, **variables: str) -> None:
        self.data_dir = data_dir
        self.port = two_free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self.variables = {"DATA_DIR": str(data_dir), "PORT": str(self.port), **variables}
        self.environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **self.variables}
        self.output = data_dir.with_name(f"{data_dir.name}.out")
        self.process = self.execute()

    def execute(self) -> subprocess.Popen[str]:
        with self.output.open("w") as output:
            return subprocess.Popen(
                [sys.executable, str(ROOT / "run")],
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def printed(self) -> str:
        return self.output.read_text()

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.printed()
            return "Stop: Ctrl-C" in self.printed()

        wait_until(ready, seconds=START_SECONDS, what="./run is ready")

    def processes(self) -> dict[int, str]:
        """Everything that runs with this data directory, and its children: pid and name."""
        found, parents = {}, {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                pid, name = int(folder.name), (folder / "comm").read_text().strip()
                parents[pid] = (parent_of(pid), name)
                if f"DATA_DIR={self.data_dir}\0".encode() in (folder / "environ").read_bytes():
                    found[pid] = name
        # Valkey writes its title over its environment.
        return found | {pid: name for pid, (parent, name) in parents.items() if parent in found}

    def named(self, name: str) -> int:
        """The pid of the only process of that name; 0 while there is none."""
        pids = [pid for pid, found in self.processes().items() if found == name]
        return pids[0] if len(pids) == 1 else 0

    def answers(self, path: str = "/readyz") -> bool:
        try:
            return requests.get(self.url + path, timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def stop(self) -> float:
        """Presses Ctrl-C; seconds until it is over."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        return time.monotonic() - started

    def clean_up(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        wait_until(lambda: not self.processes(), seconds=20, what="all processes are gone")


@contextlib.contextmanager
def empty_database() -> Iterator[dict[str, str]]:
    """DATABASE_URL of an empty database, where this half of the suite is PostgreSQL's; otherwise SQLite as usual."""
    server = os.environ.get("TEST_DATABASE_URL")
    if not server:
        yield {}
        return
    name = f"dailies_run_{uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield {"DATABASE_URL": f"{server.rpartition('/')[0]}/{name}"}
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Run]:
    """A ready Dailies with its own data and database; nothing of it is left afterwards."""
    with empty_database() as database:
        run = Run(folder / "data", **database)
        try:
            run.wait_until_ready()
            yield run
        finally:
            run.clean_up()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with started(tmp_path_factory.mktemp("run")) as run:
        yield run


# --- What one gets ------------------------------------------------------------------------------------------------


@pytest.mark.faults
@pytest.mark.usually("sqlite")
def test_prints_where_it_is_and_how_to_sign_in(running: Run):
    printed = running.printed()

    assert f"Dailies is ready: {running.url}" in printed
    assert "HeyGen is simulated" in printed
    assert re.findall(r"^Sign in as (\w+)@dailies.example with the password \S+$", printed, re.MULTILINE) == [
        "admin",
        "approver",
        "creator",
        "viewer",
    ]


@pytest.mark.faults
@pytest.mark.usually("sqlite")
def test_serves_pages_and_files_with_their_headers(running: Run):
    page = requests.get(running.url, timeout=10)
    style = re.search(r'href="(/static/[^"]+\.css)"', page.text)
    assert style is not None
    css = requests.get(running.url + style[1], timeout=10)

    assert page.status_code == 200
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert f"http://127.0.0.1:{running.port + 1}" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert css.status_code == 200
    assert "immutable" in css.headers["Cache-Control"]
    assert css.headers["Content-Encoding"] in ("gzip", "br", "zstd")
    assert css.headers["X-Content-Type-Options"] == "nosniff"
    assert requests.get(f"{running.url}/healthz", timeout=5).text == "ok"
    assert requests.get(f"{running.url}/readyz", timeout=5).text == "ok"


@pytest.mark.faults
@pytest.mark.usually("sqlite")
def test_secrets_are_made_for_their_owner_only(running: Run):
    folder = running.data_dir / "secrets"

    assert {file.name: oct(file.stat().st_mode & 0o777) for file in folder.iterdir()} == dict.fromkeys(
        ("SECRET_KEY", "FIELD_KEYS", "VALKEY_PASSWORD", "valkey.conf"), "0o600"
    )
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (running.data_dir / "running.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.faults
@pytest.mark.usually("sqlite")
def test_no_secret_stands_in_a_command_line_or_a_log(running: Run):
    secrets = [
        file.read_bytes() for file in (running.data_dir / "secrets").iterdir() if file.suffix != ".conf"
    ]
    shown = b"".join((Path("/proc") / str(pid) / "cmdline").read_bytes() for pid in running.processes())
    logged = b"".join(file.read_bytes() for file in (running.data_dir / "logs").iterdir())

    assert len(secrets) == 3
    assert not any(secret in shown or secret in logged for secret in secrets)


@pytest.mark.faults
@pytest.mark.usually("sqlite")
def test_manage_speaks_to_the_running_one(running: Run):
    code = (
        "from django.conf import settings; print(settings.REDIS_URL.rpartition(':')[2], settings.SIMULATED)"
    )

    done = subprocess.run(
        [sys.executable, str(ROOT / "run"), "manage", "shell", "--no-imports", "-c", code],
        env=running.environment,
        capture_output=True,
        text=True,
    )

    port = re.search(
        r"^port (\d+)$", (running.data_dir / "secrets" / "valkey.conf").read_text(), re.MULTILINE
    )
    assert port is not None
    assert done.stdout.strip() == f"{port[1]}/0 True", done.stderr


@pytest.mark.faults
@pytest.mark.usually("sqlite")
def test_a_second_one_says_that_one_is_running(running: Run):
    second = subprocess.run(
        [sys.executable, str(ROOT / "run")], env=running.environment, capture_output=True, text=True
    )

    assert second.returncode == 1
    assert second.stderr == f"Dailies is running already, at {running.url}. Stop it there with Ctrl-C.\n"
    assert running.answers()


# --- Death --------------------------------------------------------------------------------------------------------


@pytest.mark.faults
@pytest.mark.usually("sqlite")
@pytest.mark.parametrize("name", [*PROCESSES, "valkey-server"])
def test_what_is_killed_comes_back(running: Run, name: str):
    wait_until(lambda: running.named(name), seconds=20)
    killed = running.named(name)

    os.kill(killed, signal.SIGKILL)

    wait_until(lambda: running.named(name) not in (0, killed), seconds=20, what=f"{name} is back")
    wait_until(running.answers, seconds=20, what="pages are served")


@pytest.mark.faults
@pytest.mark.usually("sqlite")
def test_a_killed_wrapper_leaves_no_second_valkey(running: Run):
    valkey = running.named("valkey-server")

    os.kill(parent_of(valkey), signal.SIGKILL)

    wait_until(lambda: running.named("valkey-server") not in (0, valkey), seconds=20, what="one new Valkey")


@pytest.mark.faults
@pytest.mark.usually("sqlite")
def test_people_wait_while_the_web_server_is_killed_and_nobody_is_refused(running: Run):
    wait_until(lambda: running.named("dailies-web"), seconds=20)
    os.kill(running.named("dailies-web"), signal.SIGKILL)

    # The connection is accepted by the kernel at once, and answered by the successor.
    assert requests.get(f"{running.url}/healthz", timeout=20).text == "ok"


@pytest.mark.faults
@pytest.mark.usually("sqlite")
def test_killing_the_fork_server_harms_nothing(running: Run):
    web = running.named("dailies-web")

    os.kill(parent_of(web), signal.SIGKILL)

    for name in PROCESSES:
        wait_until(lambda name=name: running.named(name), seconds=40, what=f"one {name}")
    wait_until(running.answers, seconds=20, what="pages are served")


@pytest.mark.faults
@pytest.mark.usually("sqlite")
def test_ctrl_c_ends_all_within_two_seconds_and_the_next_start_finds_everything(tmp_path: Path):
    with started(tmp_path) as run:
        sign_ins = re.findall(r"^Sign in as .*$", run.printed(), re.MULTILINE)

        seconds = run.stop()

        assert (run.process.returncode, seconds < 2) == (0, True), f"{seconds:.1f} s"
        wait_until(lambda: not run.processes(), seconds=3, what="nothing is left")

        run.process = run.execute()
        run.wait_until_ready()
        assert len(sign_ins) == 4
        assert re.findall(r"^Sign in as .*$", run.printed(), re.MULTILINE) == sign_ins


@pytest.mark.faults
@pytest.mark.usually("sqlite")
def test_nothing_outlives_a_killed_supervisor(tmp_path: Path):
    with started(tmp_path) as run:
        assert set(PROCESSES) <= set(run.processes().values())

        run.process.kill()
        run.process.wait()

        wait_until(lambda: not run.processes(), seconds=5, what="nothing is left")


# --- One clear line -----------------------------------------------------------------------------------------------


def start_fails(**variables: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **variables}
    done = subprocess.run(
        [sys.executable, str(ROOT / "run")], env=environment, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1, done.stdout
    assert done.stdout == ""
    return done.stderr


def test_a_taken_port_is_one_line(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        said = start_fails(DATA_DIR=str(tmp_path), PORT=str(port))

    assert (
        said
        == f"Dailies cannot start: cannot listen on 127.0.0.1 port {port}: it is taken; set PORT (or BIND)\n"
    )


def test_a_data_directory_that_cannot_be_is_one_line(tmp_path: Path):
    (tmp_path / "file").touch()

    said = start_fails(DATA_DIR=str(tmp_path / "file"))

    assert said == f"Dailies cannot start: DATA_DIR: {str(tmp_path / 'file')!r} cannot be made: File exists\n"


def test_a_bad_variable_is_one_line(tmp_path: Path):
    said = start_fails(DATA_DIR=str(tmp_path), PORT=str(two_free_ports()), HEYGEN_DIALECT="newest")

    assert said == "Dailies cannot start: HEYGEN_DIALECT='newest': write one of current, sessions\n"


@pytest.fixture
def script():
    """The script as a module."""
    loader = SourceFileLoader("run_script", str(ROOT / "run"))
    spec = spec_from_loader("run_script", loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


def test_a_python_that_is_too_old_is_one_line(script, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))

    with pytest.raises(SystemExit) as left:
        script.main([])

    assert left.value.code == f"Dailies needs Python 3.11 or newer; this is 3.9.2 ({sys.executable})"


def test_an_unknown_command_shows_the_known_ones(script):
    with pytest.raises(SystemExit) as left:
        script.main(["tests"])

    assert str(left.value.code).startswith("./run: there is no 'tests'")
    assert all(f"./run {name}" in script.HELP for name in script.COMMANDS if name != "start")


def test_the_env_file_fills_in_what_the_environment_lacks(
    script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / ".env").write_text("# comment\nPORT=8123\n\nPUBLIC_URL='https://a.example'\nDEBUG=True\n")
    monkeypatch.setattr(script, "ROOT", tmp_path)
    environment = {"DEBUG": "False"}
    monkeypatch.setattr(script.os, "environ", environment)

    script.read_env_file()

    assert environment == {"PORT": "8123", "PUBLIC_URL": "https://a.example", "DEBUG": "False"}


def test_a_broken_env_file_is_one_line(script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / ".env").write_text("PORT=1\nexport X\n")
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(script.os, "environ", {})

    with pytest.raises(SystemExit) as left:
        script.read_env_file()

    assert left.value.code == "Dailies cannot start: .env, line 2: write NAME=value"
