"""A page that is open: it follows a session's event stream, and finds its way back whenever that ends."""

from __future__ import annotations

import contextlib
import http.client
import threading
from uuid import UUID

from django.conf import settings
from django.test import Client

from tests.installation import Installation
from workspaces_app.models import User


class Follower:
    """`shown` is the newest version that the page has drawn, None before the first. `overheard` counts lines with a word
    that is not for this person (`foreign`), `streams` how often it was let in, `refusals` how often not."""

    def __init__(self, dailies: Installation, person: User, session_id: UUID, *, foreign: str = "") -> None:
        self.session_id = session_id
        self.shown: int | None = None
        self.overheard = 0
        self.streams = self.refusals = 0
        self._foreign = foreign.encode()
        self._dailies = dailies
        door = Client()
        door.force_login(person)
        cookie = door.cookies[settings.SESSION_COOKIE_NAME]
        self._headers = {"Cookie": f"{cookie.key}={cookie.value}"}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follower-{session_id}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(3)

    def leave(self) -> None:
        """As `stop`, without waiting for the stream to end."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            # The web process is gone or refuses: a page tries again.
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._read()
            self._stopped.wait(0.5)

    def _read(self) -> None:
        since = "" if self.shown is None else f"?since={self.shown}"
        # A page that hears nothing for 45 s reconnects; in a drill of a minute that is too long.
        stream = http.client.HTTPConnection("127.0.0.1", self._dailies.port, timeout=25)
        try:
            stream.request("GET", f"/stream/session/{self.session_id}/{since}", headers=self._headers)
            answer = stream.getresponse()
            if answer.status != 200:
                self.refusals += 1
                return
            self.streams += 1
            while not self._stopped.is_set() and (line := answer.readline()):
                if line.startswith(b"id: "):
                    self.shown = int(line[4:])
                elif self._foreign and self._foreign in line:
                    self.overheard += 1
        finally:
            stream.close()
