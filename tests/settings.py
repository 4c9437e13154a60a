"""The product's settings with what tests need: fixed secrets, a data directory of their own, no outside world.

`TEST_DATABASE_URL` picks another database than a throw-away SQLite file.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

_example = Path(__file__).resolve().parent.parent / ".env.example"

# What the machine of a developer sets must not steer a test, least of all a real key.
for _name in re.findall(r"^([A-Z_]+)=", _example.read_text(encoding="utf-8"), re.MULTILINE):
    os.environ.pop(_name, None)
    os.environ.pop(f"{_name}_FILE", None)

_data_dir = tempfile.mkdtemp(prefix="dailies-tests-")
atexit.register(shutil.rmtree, _data_dir, ignore_errors=True)

os.environ.update(
    DATA_DIR=_data_dir,
    SECRET_KEY="tests-only",
    FIELD_KEYS="qDgYIVz9z1hXJ8rYyQ0e0kqYyqfS1rQ0sZ0m1o9M7kE=",
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL", ""),
    # Port 9 is nobody's: a test that wants Redis asks for the `valkey` fixture.
    REDIS_URL="redis://127.0.0.1:9/0",
)

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, STORAGES, TEMPLATES  # noqa: E402
from tests import migrated  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file: an in-memory database cannot be shared by threads that write at once, nor by processes.
    DATABASES["default"]["TEST"] = {"NAME": os.path.join(_data_dir, "test.sqlite3")}
elif migrated.template():
    DATABASES["default"]["TEST"] = {"TEMPLATE": migrated.template()}

# No worker runs beside a test: every page would say so, after asking the database how everything is.
_options: Any = TEMPLATES[0]["OPTIONS"]
_options["context_processors"].remove("workspaces_app.context.problems")
