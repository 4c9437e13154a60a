"""`./run manage …`: Django's own commands, in the same world as the Dailies that runs here.

What `./run` decided when it started (where its Valkey and its simulator listen) counts, unless the environment says
otherwise.
"""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from config import embedded


def main(arguments: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        data_dir = embedded.data_dir()
        embedded.make_secrets(data_dir / "secrets")
        for name, value in embedded.running_environment(data_dir).items():
            if not os.environ.get(name):
                os.environ[name] = value
        from config import settings  # noqa: F401  # a wrong variable is one line, not a traceback
    except ImproperlyConfigured as exc:
        sys.exit(f"Dailies cannot start: {exc}")
    execute_from_command_line(["./run manage", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
