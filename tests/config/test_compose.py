"""The compose file: valid, strict about secrets, and its exact commands run as processes of this machine."""

from __future__ import annotations

import html
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import requests
import yaml

from config.embedded import free_port
from tests.processes import Valkey, wait_until

pytestmark = pytest.mark.lasts(40)
ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = ("prepare", "web", "worker", "commands", "beat", "simulator")
FIELD_KEY = "qDgYIVz9z1hXJ8rYyQ0e0kqYyqfS1rQ0sZ0m1o9M7kE="


def test_the_schema_of_compose_files_accepts_it():
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_the_linter_of_dockerfiles_accepts_ours():
    done = subprocess.run([BIN / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_nothing_of_ours_runs_as_root_or_writes_outside_its_volume():
    user = re.findall(r"^USER (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert user == ["10001:10001"]
    for name in OURS:
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["volumes"] == ["data:/data"]


def test_ports_are_open_to_this_machine_only():
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]

    assert published == ["127.0.0.1:${PORT:-8000}:8000", "127.0.0.1:8900:8900"]


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_KEYS", "POSTGRES_PASSWORD"])
def test_it_refuses_to_start_without(name: str):
    with pytest.raises(ValueError, match=f"set {name} in .env"):
        interpolate(
            COMPOSE,
            {other: "x" for other in ("SECRET_KEY", "FIELD_KEYS", "POSTGRES_PASSWORD") if other != name},
        )


def test_every_variable_it_names_is_in_the_example():
    named = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    listed = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert named <= listed


def interpolate(value: Any, variables: dict[str, str]) -> Any:
    """`value` with its `${NAME}`, `${NAME:-default}` and `${NAME:?error}` filled in, as compose does."""

    def fill(found: re.Match[str]) -> str:
        name, operator, rest = found[1], found[2], found[3]
        if variables.get(name):
            return variables[name]
        if operator == ":?":
            raise ValueError(rest)
        return rest or ""

    if isinstance(value, dict):
        return {key: interpolate(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolate(item, variables) for item in value]
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", fill, value)
    return value


class Composed:
    """The services of the compose file as processes: what containers would isolate is moved to free ports."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self.folder = folder
        self.port, simulator_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.simulator_url = f"http://127.0.0.1:{simulator_port}"
        self.moved = {
            "http://simulator.localhost:8900": self.simulator_url,
            "postgresql://dailies:secret@postgres:5432/dailies": database_url,
            "redis://redis:6379/0": redis_url,
            "/data/simulator": str(folder / "simulator"),
            "/data": str(folder),
            "0.0.0.0": "127.0.0.1",
            "8000": str(self.port),
            "8900": str(simulator_port),
            "python": sys.executable,
        }
        variables = {"SECRET_KEY": "x" * 50, "FIELD_KEYS": FIELD_KEY, "POSTGRES_PASSWORD": "secret"}
        self.services = interpolate(COMPOSE, variables)["services"]
        # What a person writes into .env for the simulator, as the head of the compose file says.
        head = re.findall(r"^#   (\w+)=(\S+)$", (ROOT / "docker-compose.yml").read_text(), re.MULTILINE)
        self.env_file = {name: self.moved.get(value, value) for name, value in head}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.sign_in = ""

    def environment(self, name: str) -> dict[str, str]:
        own = {key: self.moved.get(value, value) for key, value in self.services[name]["environment"].items()}
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.env_file, **own}

    def command(self, words: list[str]) -> list[str]:
        # Inside of a healthcheck's code, the ports.
        return [
            self.moved.get(word) or re.sub(r"\b(8000|8900)\b", lambda port: self.moved[port[0]], word)
            for word in words
        ]

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """A service that ends by itself."""
        return self._run(name, self.services[name]["command"])

    def check(self, name: str) -> subprocess.CompletedProcess[str]:
        """The healthcheck of a service."""
        kind, *words = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        return self._run(name, words)

    def _run(self, name: str, words: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(words),
            env=self.environment(name),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.command(self.services[name]["command"]),
                env=self.environment(name),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """All services, started in the order of their dependencies."""
    server = os.environ["TEST_DATABASE_URL"]
    name = f"dailies_compose_{uuid4().hex[:8]}"
    valkey = Valkey().start()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        services = Composed(
            tmp_path_factory.mktemp("compose"), f"{server.rpartition('/')[0]}/{name}", valkey.url
        )
        try:
            services.start("simulator")
            prepared = services.run("prepare")
            assert prepared.returncode == 0, prepared.stderr
            services.sign_in = prepared.stdout
            for service in ("web", "worker", "commands", "beat"):
                services.start(service)
            wait_until(lambda: services.check("web").returncode == 0, seconds=60, what="web is healthy")
            yield services
        finally:
            services.stop()
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
            valkey.kill()


@pytest.mark.faults
@pytest.mark.postgresql
def test_the_exact_commands_run_beside_each_other(composed: Composed):
    wait_until(lambda: composed.check("worker").returncode == 0, seconds=60, what="the worker is healthy")

    assert composed.check("simulator").returncode == 0
    assert {name: process.poll() for name, process in composed.processes.items()} == dict.fromkeys(
        ("simulator", "web", "worker", "commands", "beat")
    ), {name: composed.log(name)[-500:] for name in composed.processes}


@pytest.mark.faults
@pytest.mark.postgresql
def test_a_person_signs_in(composed: Composed):
    found = re.search(r"^Sign in as (admin@\S+) with the password (\S+)$", composed.sign_in, re.MULTILINE)
    assert found is not None
    browser = requests.Session()
    page = browser.get(composed.url, timeout=20)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token is not None

    home = browser.post(
        page.url,
        data={"csrfmiddlewaretoken": token[1], "email": found[1], "password": found[2]},
        headers={"Referer": page.url},
        timeout=20,
    )

    assert home.status_code == 200
    assert home.history, "signed in and led on"
    assert browser.cookies.get("dailies_session")


@pytest.mark.faults
@pytest.mark.postgresql
def test_preparing_again_changes_nothing(composed: Composed):
    again = composed.run("prepare")

    assert (again.returncode, again.stderr) == (0, "")


def test_web_without_secrets_says_what_is_missing(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, *COMPOSE["services"]["web"]["command"][1:]],
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "SECRET_KEY": secrets.token_hex()},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (1, "Dailies cannot start: FIELD_KEYS is not set\n")


class Browser:
    """A person without JavaScript: pages, and the plain forms on them."""

    def __init__(self, composed: Composed) -> None:
        self.url = composed.url
        self.http = requests.Session()
        found = re.search(r"^Sign in as (admin@\S+) with the password (\S+)$", composed.sign_in, re.MULTILINE)
        assert found is not None
        self.page = self.read("/")
        self.post(self.page.url, email=found[1], password=found[2])

    def read(self, path: str) -> requests.Response:
        self.page = self.http.get(path if "://" in path else self.url + path, timeout=30)
        assert self.page.ok, (self.page.status_code, self.page.text[:500])
        return self.page

    def value(self, pattern: str) -> str:
        found = re.search(pattern, self.page.text)
        assert found is not None, f"{pattern} is not on {self.page.url}"
        return found[1]

    def post(self, path: str, **fields: str) -> requests.Response:
        fields["csrfmiddlewaretoken"] = self.value(r'name="csrfmiddlewaretoken" value="(\w+)"')
        address = path if "://" in path else self.url + path
        self.page = self.http.post(address, data=fields, headers={"Referer": address}, timeout=30)
        assert self.page.ok, (self.page.status_code, self.page.text[:500])
        return self.page

    def until(self, path: str, pattern: str, *, seconds: float = 90) -> str:
        """Reloads a page until the pattern is on it; gives its group."""

        def found() -> bool:
            time.sleep(0.3)  # a person's reload, not a loop on the server
            return re.search(pattern, self.read(path).text) is not None

        wait_until(found, seconds=seconds, what=f"{pattern} on {path}")
        return self.value(pattern)


@pytest.mark.faults
@pytest.mark.postgresql
def test_the_main_job_is_done_through_them(composed: Composed):
    requests.post(
        f"{composed.simulator_url}/_control/clock", json={"speed": 30}, timeout=10
    ).raise_for_status()
    person = Browser(composed)
    person.read("/sessions/new/")
    token = person.value(r'name="token" value="([\w-]+)"')
    prompt = "A film about a harbour at dawn"
    fields = {"token": token, "workspace": "studio", "prompt": prompt, "mode": "chat", "do": "start"}
    session = person.post("/sessions/new/", **fields).url

    choice = person.until(session, r'form="answer-form" name="choice" value="([^"]+)"')
    token = person.value(r'id="answer-token" value="([\w-]+)"')
    person.post(f"{session}answer/", token=token, choice=html.unescape(choice))
    revision = person.until(session, r'form="approve-form" name="revision" value="(\d+)"')
    token = person.value(r'id="approve-token" value="([\w-]+)"')
    person.post(f"{session}approve/", token=token, revision=revision)
    film = person.until(session, r'<source src="(/files/[^"]+)" type="video/mp4"')

    answer = person.http.get(composed.url + html.unescape(film), headers={"Range": "bytes=0-99"}, timeout=30)
    assert (answer.status_code, answer.headers["content-type"], len(answer.content)) == (
        206,
        "video/mp4",
        100,
    )
    ledger = requests.get(f"{composed.simulator_url}/_control/ledger", timeout=10).json()
    assert len(ledger["accepted"]) == 3
