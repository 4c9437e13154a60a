"""Brings database, static files and accounts to the state that this version needs, and prints how to sign in.

`python -m config.prepare` is safe to run at any time and does nothing where nothing changed; with `static` it only
collects the static files, which takes no database.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import django
from django.core.exceptions import ImproperlyConfigured


def prepare(others_may_start: Callable[[], None] = lambda: None) -> str:
    """Does what is to be done; what people need to sign in for the first time, or "".

    Calls `others_may_start` as soon as other processes find what they need: at the first start and after an upgrade
    at the end, otherwise before it looks at the accounts.
    """
    django.setup()

    from django.conf import settings
    from django.core.management import call_command

    changes = migrations_missing()
    if changes:
        call_command("migrate", verbosity=0, interactive=False)
    if not settings.DEBUG:
        collect_static(settings.STATIC_ROOT)
    if not changes:
        others_may_start()
    printed = io.StringIO()
    call_command("bootstrap", stdout=printed)
    if changes:
        others_may_start()
    return printed.getvalue().strip()


def migrations_missing() -> bool:
    """Asked first, because `migrate` looks at every permission and content type even when it has nothing to do."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def collect_static(root: Path) -> None:
    """Collects, hashes and compresses static files, unless `root` holds the outcome for the same files already."""
    from django.contrib.staticfiles import finders
    from django.core.management import call_command

    digest = hashlib.sha256()
    for finder in finders.get_finders():
        for path, storage in finder.list([]):
            digest.update(f"{path}\n".encode() + Path(storage.path(path)).read_bytes())
    stamp = root.with_name(f"{root.name}.stamp")
    if stamp.exists() and stamp.read_text(encoding="ascii") == digest.hexdigest():
        return
    with stamp.open("a+", encoding="ascii") as file:
        # Two starts from one folder, with data of their own: the second finds the work done.
        fcntl.flock(file, fcntl.LOCK_EX)
        if stamp.read_text(encoding="ascii") != digest.hexdigest():
            call_command("collectstatic", verbosity=0, interactive=False, clear=True)
            stamp.write_text(digest.hexdigest(), encoding="ascii")


def report(writer: Connection) -> None:
    """Prepares in a fork of the supervisor's, and sends it two words: when others may start, and the result."""
    os.setsid()
    writer.send(prepare(lambda: writer.send("")))


def main(arguments: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from config import settings  # noqa: F401  # a wrong variable is one line, not a traceback
    except ImproperlyConfigured as exc:
        sys.exit(f"Dailies cannot start: {exc}")
    if arguments == ["static"]:
        from django.conf import settings as chosen

        django.setup()
        collect_static(chosen.STATIC_ROOT)
    else:
        sys.stdout.write(prepare() + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
