"""Brings database, static files and accounts to the state that this version needs, and prints how to sign in.

`python -m config.prepare` is safe to run at any time and does nothing where nothing changed.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path

STAMP = "prepared"


def fingerprint(root: Path, database_url: str) -> str:
    """Changes with what `main` would have to do again: migrations, static files, packages, the database's address."""
    digest = hashlib.sha256(database_url.encode())
    digest.update((root / "requirements.txt").read_bytes())
    for migration in sorted(root.glob("*/migrations/*.py")):
        digest.update(str(migration.relative_to(root)).encode())
    for folder in sorted((root / "static", *root.glob("*/static"))):
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            status = file.stat()
            digest.update(f"{file.relative_to(root)} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()


def is_current(root: Path, data_dir: Path, static_root: Path, database: Mapping[str, object]) -> bool:
    """Whether the other processes may start at once. Cheap, and says False when in doubt.

    Asked before Django is loaded, which is most of a start. Only SQLite can be looked at without it.
    """
    if database["ENGINE"] != "django.db.backends.sqlite3" or not (static_root / "staticfiles.json").exists():
        return False
    try:
        stamp, count = (data_dir / STAMP).read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return False
    # The count notices a database that was deleted or restored from a backup behind our back.
    name = str(database["NAME"])
    return stamp == fingerprint(root, name) and count == str(applied_migrations(name))


def applied_migrations(database: str) -> int:
    """How many migrations the SQLite file has seen; -1 when it cannot be said."""
    try:
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1)
        try:
            (count,) = connection.execute("SELECT count(*) FROM django_migrations").fetchone()
        finally:
            connection.close()
    except sqlite3.Error:
        return -1
    return int(count)


def main() -> None:
    import django

    django.setup()

    from django.conf import settings
    from django.core.management import call_command

    database = settings.DATABASES["default"]
    if not is_current(settings.BASE_DIR, settings.DATA_DIR, settings.STATIC_ROOT, database):
        call_command("migrate", verbosity=0, interactive=False)
        if not settings.DEBUG:
            call_command("collectstatic", verbosity=0, interactive=False, clear=True)
        name = str(database["NAME"])
        (settings.DATA_DIR / STAMP).write_text(
            f"{fingerprint(settings.BASE_DIR, name)} {applied_migrations(name)}", encoding="utf-8"
        )
    call_command("bootstrap")


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    main()
