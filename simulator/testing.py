"""Start the real simulator from a test and talk to its control API.

with running(speed=50) as simulator:
    client = Client(simulator.url, simulator.key)
    simulator.control.advance(30)
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from .config import DEFAULT_KEY

ROOT = Path(__file__).resolve().parent.parent


class Control:
    """The control API of one running simulator. Every call raises on an answer other than 2xx."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def close(self) -> None:
        self._session.close()

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        response = self._session.request(method, f"{self.url}/_control/{path}", timeout=60, **arguments)
        if not response.ok:
            raise RuntimeError(f"{method} {path}: {response.status_code} {response.text[:500]}")
        return response.json()

    def fault(
        self, kind: str, path: str = "*", *, method: str = "*", count: int | None = 1, **details: Any
    ) -> Any:
        """Let a fault strike the next `count` matching calls (None = until cleared); see README.md for kinds."""
        return self.call(
            "POST", "faults", json={"kind": kind, "path": path, "method": method, "count": count, **details}
        )

    def faults(self) -> Any:
        return self.call("GET", "faults")["faults"]

    def clear_faults(self) -> None:
        self.call("DELETE", "faults")

    def calls(self, **query: Any) -> Any:
        """Counters and the newest calls; query: since, key, template, last."""
        return self.call("GET", "calls", params=query)

    def clear_calls(self) -> None:
        self.call("DELETE", "calls")

    def ledger(self) -> Any:
        """`accepted` (every accepted paid call), `charges`, `total_usd`."""
        return self.call("GET", "ledger")

    def clock(self) -> Any:
        return self.call("GET", "clock")

    def advance(self, seconds: float) -> None:
        self.call("POST", "clock", json={"advance": seconds})

    def set_speed(self, speed: float) -> None:
        self.call("POST", "clock", json={"speed": speed})

    def freeze(self) -> None:
        self.call("POST", "clock", json={"frozen": True})

    def thaw(self) -> None:
        self.call("POST", "clock", json={"frozen": False})

    def settings(self, **values: Any) -> Any:
        """Change switches of the simulator; without values only read them."""
        return self.call("POST", "settings", json=values) if values else self.call("GET", "settings")

    def account(self, key: str = DEFAULT_KEY, **values: Any) -> Any:
        """Change switches of an account (made if the key is new); without values only read them."""
        return self.call("POST", "accounts", json={"key": key, **values})

    def scenarios(self, *scenarios: dict[str, Any]) -> Any:
        return self.call("POST", "scenarios", json={"scenarios": list(scenarios)})

    def sessions(self) -> Any:
        return self.call("GET", "sessions")["sessions"]

    def make_sessions(self, count: int, **body: Any) -> Any:
        """Many sessions at once, past the ceilings; returns their ids."""
        return self.call("POST", "sessions", json={"count": count, **body})["session_ids"]

    def session(self, session_id: str) -> Any:
        """The truth about one session: all messages oldest first, resources, videos, inputs."""
        return self.call("GET", f"sessions/{session_id}")

    def messages(self, session_id: str, *steps: dict[str, Any]) -> Any:
        """Let steps of the scenario-file form happen in a session, from now on."""
        return self.call("POST", f"sessions/{session_id}/steps", json={"steps": list(steps)})

    def streams(self) -> Any:
        return self.call("GET", "streams")["streams"]

    def stream(self, stream_id: str) -> Any:
        return self.call("GET", f"streams/{stream_id}")

    def deliveries(self) -> Any:
        return self.call("GET", "deliveries")["deliveries"]

    def emit(self, event_type: str, event_data: dict[str, Any], **details: Any) -> Any:
        """Send a webhook event to every endpoint of the account that wants it."""
        return self.call(
            "POST", "events", json={"event_type": event_type, "event_data": event_data, **details}
        )

    def reset(self) -> None:
        """Forget everything: sessions, streams, faults, counters, ledger, settings."""
        self.call("POST", "reset")


@dataclass(slots=True)
class Running:
    """A running simulator. `process` may be killed by a test; `restart` starts it again on the same data."""

    url: str
    key: str
    control: Control
    process: subprocess.Popen[str]
    command: list[str]
    data_dir: Path

    def headers(self, key: str | None = None) -> dict[str, str]:
        return {"x-api-key": key or self.key}

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(10)

    def restart(self) -> None:
        """The same simulator again, on the same port and data."""
        end(self.process)
        port = self.url.rpartition(":")[2]
        command = list(self.command)
        command[command.index("--port") + 1] = port
        self.process = launch(command)
        wait_until_ready(self.process)


@contextlib.contextmanager
def running(
    *,
    speed: float = 50.0,
    seed: int = 0,
    keys: Sequence[str] = (DEFAULT_KEY,),
    dialects: str = "both",
    data_dir: Path | None = None,
    scenarios: Path | None = None,
    arguments: Sequence[str] = (),
) -> Iterator[Running]:
    """A simulator in a process of its own on a free port of 127.0.0.1; it ends with the block."""
    with contextlib.ExitStack() as stack:
        folder = data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="simulator-")))
        command = [
            sys.executable,
            "-m",
            "simulator",
            "--port",
            "0",
            "--die-with-stdin",
            "--allow-http-webhooks",
        ]
        command += [
            "--data-dir",
            str(folder),
            "--speed",
            str(speed),
            "--seed",
            str(seed),
            "--dialects",
            dialects,
        ]
        for key in keys:
            command += ["--key", key]
        if scenarios is not None:
            command += ["--scenarios", str(scenarios)]
        process = launch([*command, *arguments])
        try:
            url = wait_until_ready(process)
            found = Running(url, keys[0], Control(url), process, [*command, *arguments], folder)
            stack.callback(lambda: end(found.process))
            stack.callback(found.control.close)
        except BaseException:
            end(process)
            raise
        yield found


def launch(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603


def wait_until_ready(process: subprocess.Popen[str]) -> str:
    """Its address, as the one line that it prints says."""
    if process.stdout is None:
        raise RuntimeError("the simulator was started without a pipe")
    line = process.stdout.readline()
    if " ready at " not in line:
        raise RuntimeError(f"the simulator did not start: {line!r}, exit code {process.poll()}")
    return line.rsplit(" ", 1)[1].strip()


def end(process: subprocess.Popen[str]) -> None:
    """Stop it and close its pipes."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
