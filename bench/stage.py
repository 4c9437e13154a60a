"""What a run stands on: throw-away databases and a Valkey, and each part in a process with an environment of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from playwright.sync_api import Browser, Playwright

from bench import figures
from tests.processes import Postgres, Valkey

ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY = "only-for-measurements-" + "0a1b2c3d4e5f" * 4
FIELD_KEYS = "qDgYIVz9z1hXJ8rYyQ0e0kqYyqfS1rQ0sZ0m1o9M7kE="


class BrokeOff(Exception):
    """A part could not be measured."""


@dataclass
class Stage:
    """Servers of one run. `run` measures a part on a fresh, migrated database."""

    folder: Path
    quick: bool
    valkey: Valkey
    million: bool = False
    postgres: Postgres | None = None
    _templates: dict[str, str] = field(default_factory=dict)
    _number: int = 0

    def run(self, name: str, database: str) -> figures.Part:
        """Runs `bench.part <name>`; its figures. Raises BrokeOff."""
        self._number += 1
        self.valkey.flush()
        answer = self.folder / f"part-{self._number}.json"
        print(f"… {name} ({database})", flush=True)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "bench.part",
                name,
                database,
                str(answer),
                *(["--quick"] if self.quick else []),
                *(["--million"] if self.million else []),
            ],
            cwd=ROOT,
            env=self.environment(self._fresh(database)),
        )
        if done.returncode or not answer.exists():
            raise BrokeOff(f"{name} on {database} broke off; see above")
        return figures.from_json(answer.read_text())

    def environment(self, database_url: str) -> dict[str, str]:
        """The product's settings, without what the machine of a developer sets."""
        example = (ROOT / ".env.example").read_text(encoding="utf-8")
        known = set(re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE))
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in known and not name.endswith("_FILE")
        }
        data = self.folder / f"data-{self._number}"
        data.mkdir(exist_ok=True)
        return {
            **kept,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(data),
            "SECRET_KEY": SECRET_KEY,
            "FIELD_KEYS": FIELD_KEYS,
            "DATABASE_URL": database_url,
            "REDIS_URL": self.valkey.url,
            "HEYGEN_API_KEY": "",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore",
        }

    def _fresh(self, database: str) -> str:
        """The address of a migrated, empty database: a copy of one that was migrated once."""
        if database == "SQLite":
            if database not in self._templates:
                self._templates[database] = str(self.folder / "template.sqlite3")
                self._migrate(f"sqlite:///{self._templates[database]}")
            path = self.folder / f"{self._number}.sqlite3"
            shutil.copyfile(self._templates[database], path)
            return f"sqlite:///{path}"
        if self.postgres is None:
            self.postgres = Postgres().start()
        if database not in self._templates:
            self._templates[database] = "migrated"
            self._create("migrated", "template0")
            self._migrate(self._address("migrated"))
        self._create(f"bench{self._number}", "migrated")
        return self._address(f"bench{self._number}")

    def _address(self, name: str) -> str:
        assert self.postgres is not None
        return f"{self.postgres.url.rpartition('/')[0]}/{name}"

    def _create(self, name: str, template: str) -> None:
        assert self.postgres is not None
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())

    def _migrate(self, url: str) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity=0"],
            cwd=ROOT,
            env=self.environment(url),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"the database of the measurement could not be made:\n{done.stderr}")
        if url.startswith("sqlite"):
            # One file: what is copied must not lack its log.
            import sqlite3

            with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextlib.contextmanager
def staged(*, quick: bool, million: bool = False) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="dailies-bench-", ignore_cleanup_errors=True) as folder:
        stage = Stage(Path(folder), quick, Valkey().start(), million)
        try:
            yield stage
        finally:
            stage.valkey.kill()
            if stage.postgres is not None:
                stage.postgres.stop()


# --- processes of a part --------------------------------------------------------------------------------------------


def collect_static() -> None:
    """Pages name their files by what `collectstatic` left."""
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"], cwd=ROOT, check=True
    )


def launched(playwright: Playwright, path: str) -> Browser:
    """A Chromium without anything in its cache."""
    return playwright.chromium.launch(
        executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else []
    )


class Processes:
    """Long-running processes of one part, in its environment; all end with the block."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="processes-", dir=os.environ["DATA_DIR"]))
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(*self._running)

    def start(self, *command: str, **variables: object) -> subprocess.Popen[bytes]:
        """Starts `python -m …`; what it prints goes to a file in the run's own folder."""
        log = self._folder / f"{len(self._running)}-{command[0]}.log"
        environment: Mapping[str, str] = {
            **os.environ,
            **{name: str(value) for name, value in variables.items()},
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(process)
        return process

    def end(self, *processes: subprocess.Popen[bytes], seconds: float = 15) -> None:
        """SIGTERM, and SIGKILL for what is still there after some seconds."""
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process in self._running:
                self._running.remove(process)
