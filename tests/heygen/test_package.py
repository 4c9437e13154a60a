from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from heygen.pool import VERSION

ROOT = Path(__file__).parents[2]


def test_the_user_agent_names_the_version_of_the_project() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_it_needs_neither_django_nor_the_rest_of_the_project() -> None:
    others = "polling commands timeline eventstream workspaces_app sessions_app realtime_app simulator config django"
    code = (
        "import heygen, heygen.webhooks, heygen.statuses, sys;"
        f"print([name for name in sys.modules if name.partition('.')[0] in {others.split()!r}])"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
