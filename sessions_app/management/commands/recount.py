"""Counts again what the numbers beside the filters say. They are kept by triggers; this is for whoever doubts them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from sessions_app import tallies
from sessions_app.models import LibraryTally, SessionTally


class Command(BaseCommand):
    help = "Count sessions and the library's things anew, for the numbers beside their filters."

    def handle(self, *args: Any, **options: Any) -> None:
        before = self._numbers()
        tallies.recount()
        after = self._numbers()
        wrong = sum(before.get(key, 0) != after.get(key, 0) for key in before | after)
        self.stdout.write(self.style.SUCCESS(f"Counted: {len(after)} numbers, {wrong} of them were wrong."))

    @staticmethod
    def _numbers() -> dict[tuple[Any, ...], int]:
        return {
            (tally, *key): number
            for tally in (SessionTally, LibraryTally)
            for key, number in tally.objects.all_numbers(tally.KEY).items()
        }
