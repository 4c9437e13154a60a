"""Brings in every session that HeyGen still lists, page by page, with progress; safe to kill and to repeat."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

import heygen
from polling import clock
from polling.budget import Priority
from polling.conf import figure
from sessions_app.mirror.adoption import PAGE, adopt, known_of, strangers
from sessions_app.models import ListPosition
from workspaces_app.connections import connections_for
from workspaces_app.models import Workspace


class Command(BaseCommand):
    help = "Adopt all sessions of a workspace's HeyGen account; their messages follow by the usual polling."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workspace", help="the workspace's short name, as in its address")
        parser.add_argument("--restart", action="store_true", help="begin at the newest page again")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = Workspace.objects.filter(slug=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"there is no workspace {options['workspace']!r}")
        connection = connections_for({workspace.pk})[workspace.pk]
        if connection.key is None:
            raise CommandError("this workspace has no API key that can be used")
        if connection.dialect != heygen.Dialect.CURRENT:
            raise CommandError("the old dialect has no list of sessions to import from")
        client = connection.client(priority=Priority.BACKGROUND, dialect=connection.dialect)
        position, _ = ListPosition.objects.get_or_create(workspace=workspace)
        # Its own mark: the minute-by-minute adoption uses `cursor`.
        cursor = "" if options["restart"] else position.import_cursor
        if cursor:
            self.stdout.write("Going on where the last import stopped.")
        seen = made = 0
        # An import takes a fifth of the key's budget, however much is free: people and polls come first.
        pause = 1 / (0.2 * figure("POLL_REQUESTS_PER_SECOND"))
        while True:
            begun = time.monotonic()
            page = self._page(client, cursor, pause)
            with transaction.atomic():
                now = clock.now()
                known = known_of(workspace.pk, [item.session_id for item in page.items])
                made += adopt(
                    strangers(page.items, known),
                    workspace_id=workspace.pk,
                    fingerprint=connection.fingerprint,
                    dialect=connection.dialect,
                    now=now,
                )
                # In the same transaction: a kill repeats this page or none.
                ListPosition.objects.filter(workspace=workspace).update(import_cursor=page.next_token or "")
            seen += len(page.items)
            self.stdout.write(f"{seen} listed, {made} new")
            self.stdout.flush()
            if not page.next_token or page.next_token == cursor:
                break
            cursor = page.next_token
            time.sleep(max(0.0, begun + pause - time.monotonic()))
        self.stdout.write(self.style.SUCCESS(f"Done: {seen} listed, {made} new."))

    def _page(self, client: heygen.Client, cursor: str, pause: float) -> heygen.Page[heygen.SessionSummary]:
        """One page, as soon as budget and key allow; a refused call ends the import with HeyGen's words."""
        while True:
            try:
                return client.list_sessions(limit=PAGE, token=cursor or None)
            except (
                heygen.Held,
                heygen.RateLimited,
                heygen.NotSent,
                heygen.NoAnswer,
                heygen.ServerError,
            ) as error:
                wait = error.retry_after or pause
                self.stdout.write(f"Waiting {wait:.1f} s: {error}")
                self.stdout.flush()
                time.sleep(wait)
            except heygen.ApiError as error:
                raise CommandError(str(error)) from None
