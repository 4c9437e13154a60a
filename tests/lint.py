"""Everything that can be said about the code without running it. `./run lint` is this module."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
PYTHON = sys.executable

# Django's own checks for a public installation need the settings of one.
PUBLIC = {
    "PUBLIC_URL": "https://dailies.example.com",
    "SECRET_KEY": "only-for-this-check-" + "0a1b2c3d4e5f" * 4,
}

CHECKS: tuple[tuple[str, tuple[str, ...], dict[str, str]], ...] = (
    ("ruff check", (str(BIN / "ruff"), "check"), {}),
    ("ruff format", (str(BIN / "ruff"), "format", "--check"), {}),
    ("mypy", (str(BIN / "mypy"),), {}),
    ("djlint", (str(BIN / "djlint"), "--lint", "--quiet", "."), {}),
    ("django check", (PYTHON, "manage.py", "check", "--fail-level", "WARNING"), {}),
    (
        "django check --deploy",
        (PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"),
        {"DJANGO_SETTINGS_MODULE": "config.settings", **PUBLIC},
    ),
    ("migrations", (PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"), {}),
    (
        "compose file",
        (str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"),
        {},
    ),
    ("Dockerfile", (str(BIN / "hadolint"), "Dockerfile"), {}),
)


def main() -> int:
    base = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATA_DIR": "var/lint"}
    base["FIELD_KEYS"] = "qDgYIVz9z1hXJ8rYyQ0e0kqYyqfS1rQ0sZ0m1o9M7kE="
    failed = []
    for name, command, variables in CHECKS:
        started = time.monotonic()
        done = subprocess.run(command, env={**base, **variables}, capture_output=True, text=True)
        seconds = time.monotonic() - started
        print(f"{name:<22} {'ok' if done.returncode == 0 else 'FAILED'}  [{seconds:.1f} s]", flush=True)
        if done.returncode != 0:
            failed.append(name)
            print(done.stdout + done.stderr, flush=True)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
