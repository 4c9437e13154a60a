"""A commands worker of one command, to be killed: `python -m tests.commands.sender <command id> <log> <mode>`.

Its send appends a line to the log and then never ends ("hang"), or returns once a file `<log>.go` is there ("wait").
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from uuid import UUID

import django

django.setup()

from commands import delivery, kinds  # noqa: E402
from commands.kinds import Accepted  # noqa: E402
from commands.models import Command  # noqa: E402


def main(command_id: str, log: Path, mode: str) -> None:
    def send(command: Command) -> Accepted:
        with log.open("a") as lines:
            lines.write(f"{command.pk}\n")
        while mode == "hang" or not log.with_suffix(".go").exists():
            time.sleep(0.01)
        return Accepted("from the process")

    kinds.register(
        kinds.CommandKind(
            name="session.create",
            send=send,
            accepted=lambda command, outcome: None,
            refused=lambda command, outcome: None,
            settle=lambda command: kinds.NotYet(),
        )
    )
    delivery.advance(UUID(command_id))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
