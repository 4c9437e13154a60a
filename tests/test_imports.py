"""Imports run one way (docs/decisions/0001): what each room must not know of the others, also in its templates."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = {"workspaces_app", "sessions_app", "realtime_app", "ops", "interface"}
PRODUCT = APPS | {"config", "polling", "commands", "timeline", "eventstream", "heygen", "simulator"}
FORBIDDEN = {
    "heygen": (PRODUCT | {"django"}) - {"heygen"},
    "polling": APPS | {"heygen"},
    "commands": APPS | {"heygen"},
    "timeline": APPS | {"heygen"},
    "eventstream": APPS | {"heygen"},
    "workspaces_app": {"sessions_app", "realtime_app"},
    "sessions_app": {"realtime_app"},
    "realtime_app": {"sessions_app"},
}


def imported(room: str) -> set[str]:
    found = set()
    for file in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_room_does_not_know_what_is_above_or_beside_it(room: str):
    assert imported(room) & FORBIDDEN[room] == set()


@pytest.mark.parametrize("room", ["workspaces_app", "sessions_app", "realtime_app"])
def test_templates_of_an_app_use_their_own_and_those_below(room: str):
    used = set()
    for file in (ROOT / "templates" / room).rglob("*.html"):
        used |= set(re.findall(r"{% (?:include|extends) \"(\w+)/", file.read_text("utf-8")))
    assert used & FORBIDDEN[room] == set()
