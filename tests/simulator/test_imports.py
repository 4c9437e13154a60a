"""The simulator is the other side of the wire: it shares no code with the product."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import simulator

ALLOWED = {"simulator", "starlette", "uvicorn", "requests", "av", "PIL"}


def test_it_imports_nothing_of_the_product() -> None:
    found = set()
    for file in Path(simulator.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module.partition(".")[0])
    assert found - set(sys.stdlib_module_names) == ALLOWED
