"""A migrated database, made once for a whole run: each process of a test run takes a copy instead of migrating its own.

`./run test` makes one of each kind and names it in TEST_DATABASE_TEMPLATE: the file of an SQLite, the name of a database on the
PostgreSQL that it lends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg

VARIABLE = "TEST_DATABASE_TEMPLATE"
NAME = "dailies_migrated"
ROOT = Path(__file__).resolve().parent.parent


def template() -> str:
    return os.environ.get(VARIABLE, "")


def make_file(folder: Path) -> str:
    path = folder / f"{NAME}.sqlite3"
    _migrate(f"sqlite:///{path}")
    return str(path)


def make_database(server_url: str) -> str:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {NAME}")
    _migrate(f"{server_url.rpartition('/')[0]}/{NAME}")
    return NAME


def copy_file(to: str) -> None:
    shutil.copyfile(template(), to)


def _migrate(url: str) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE_URL": url,
        VARIABLE: "",
    }
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
