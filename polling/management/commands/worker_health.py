"""The healthcheck of a worker: fails when work is due and nothing of it gets done."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from polling import watchdog


class Command(BaseCommand):
    help = "Exits with 1 when due objects of open keys are not read any more."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--lane", action="append", dest="lanes", help="Only these lanes; all when left out."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stalled = watchdog.health(options["lanes"])
        if stalled:
            raise CommandError(
                "; ".join(f"{lane}: nothing written for {s:.0f} s" for lane, s in stalled.items())
            )
        self.stdout.write("The mirror gets on.")
