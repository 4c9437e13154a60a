"""Processes that call HeyGen as fast as they are let, one for each word: `python -m tests.faults.caller WORKSPACE SECONDS poll …`.

The words: poll, page, upload. They are forked, so that Dailies is loaded once for all; they end with the one that forked them.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from uuid import UUID

import django

django.setup()

import heygen  # noqa: E402
from polling.budget import Priority  # noqa: E402
from workspaces_app.connections import connections_for  # noqa: E402


def call(what: str, workspace_id: UUID, seconds: float) -> None:
    end = time.monotonic() + seconds
    connection = connections_for({workspace_id})[workspace_id]
    while time.monotonic() < end:
        try:
            if what == "poll":
                connection.client(priority=Priority.BACKGROUND).list_sessions(limit=1)
            elif what == "page":
                connection.client(priority=Priority.WATCHED).list_styles(limit=1)
            else:
                client = connection.client(priority=Priority.COMMAND)
                client.upload_asset(io.BytesIO(b"%PDF-1.4\n"), "note.pdf", "application/pdf")
        except heygen.Held as held:
            time.sleep(min(held.retry_after or 0.05, 0.05))
        except heygen.ApiError:
            continue  # what is counted is what arrives at HeyGen


def main(workspace_id: UUID, seconds: float, *kinds: str) -> None:
    pids = []
    for what in kinds:
        pid = os.fork()
        if pid == 0:
            call(what, workspace_id, seconds)
            os._exit(0)
        pids.append(pid)
    signal.signal(signal.SIGTERM, lambda *_: [os.kill(pid, signal.SIGKILL) for pid in pids])
    for pid in pids:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(UUID(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:])
