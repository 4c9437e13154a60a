"""One process that calls HeyGen as fast as it is let: `python -m tests.faults.caller poll|page|upload WORKSPACE SECONDS`."""

from __future__ import annotations

import io
import sys
import time
from uuid import UUID

import django

django.setup()

import heygen  # noqa: E402
from polling.budget import Priority  # noqa: E402
from workspaces_app.connections import connections_for  # noqa: E402


def main(what: str, workspace_id: UUID, seconds: float) -> None:
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


if __name__ == "__main__":
    main(sys.argv[1], UUID(sys.argv[2]), float(sys.argv[3]))
