"""Joins kept raw windows again with the merge of today: says which transcripts differ, and stores them on request."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from sessions_app import replay
from sessions_app.models import VideoSession


class Command(BaseCommand):
    help = "Replay the kept message windows of sessions. Without --apply it only reports."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "sessions", nargs="*", type=UUID, help="ids of sessions, as in their addresses; none: all"
        )
        parser.add_argument("--workspace", help="only of this workspace (its short name)")
        parser.add_argument("--apply", action="store_true", help="store what comes out")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = VideoSession.objects.filter(windows__isnull=False).distinct().order_by("pk")
        if options["workspace"]:
            rows = rows.filter(workspace__slug=options["workspace"])
        if options["sessions"]:
            rows = rows.filter(pk__in=options["sessions"])
        looked = different = 0
        for session in rows.iterator(chunk_size=100):
            looked += 1
            result = replay.replay(session, apply=options["apply"])
            if result is None:
                continue
            different += 1
            self.stdout.write(
                f"{session.pk}: {session.message_count} messages become {len(result.lines)},"
                f" gaps after {sorted(result.gaps) or 'none'}"
            )
        done = "stored" if options["apply"] else "found, nothing was changed"
        self.stdout.write(
            self.style.SUCCESS(f"{looked} sessions with windows, {different} differences {done}.")
        )
