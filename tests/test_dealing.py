"""Whole runs of pytest with `tests.dealing`, of two processes and four files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.installation import ROOT

OPTIONS = "-v -n 2 --dist loadfile --no-loadscope-reorder -p xdist -p tests.dealing -c /dev/null"
FILES = ("test_a.py", "test_b.py", "test_c.py", "test_d.py")


def files_of_processes(folder: Path) -> set[tuple[str, ...]]:
    """Runs what is in `folder`; the files of each process, in their order."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS.split(), str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
    )
    found: dict[str, list[str]] = {}
    for process, name in re.findall(r"^\[(gw\d)\].*?(test_\w\.py)", done.stdout, re.MULTILINE):
        found.setdefault(process, []).append(name)
    assert found, done.stdout + done.stderr
    return {tuple(names) for names in found.values()}


def test_who_began_with_a_shorter_file_gets_the_longer_of_the_next(tmp_path: Path):
    for name in FILES:
        (tmp_path / name).write_text("def test(): pass\n")

    assert files_of_processes(tmp_path) == {("test_a.py", "test_d.py"), ("test_b.py", "test_c.py")}


def test_what_a_process_that_died_had_got_is_done_by_another(tmp_path: Path):
    for name in FILES:
        (tmp_path / name).write_text("def test(): pass\n")
    (tmp_path / "test_a.py").write_text("import os\n\ndef test(): os._exit(1)\n")

    assert files_of_processes(tmp_path) == {("test_a.py",), ("test_b.py", "test_c.py"), ("test_d.py",)}
