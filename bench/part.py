"""Measures one part in this process: `python -m bench.part mirror.throughput SQLite answer.json`."""

from __future__ import annotations

import argparse
import importlib
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench import figures
from bench.clocks import Calibration


@dataclass
class Run:
    """What a part gets: how thorough it has to be, and where it marks its rounds."""

    quick: bool
    database: str
    # As many polls as the goal of memory speaks of.
    million: bool = False
    calibration: Calibration = field(default_factory=Calibration)

    @property
    def rounds(self) -> range:
        return range(1 if self.quick else 5)

    def either(self, quick: float, full: float) -> float:
        return quick if self.quick else full

    def mark(self) -> None:
        """Before every round."""
        self.calibration.mark()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("database")
    parser.add_argument("answer", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--million", action="store_true")
    options = parser.parse_args()

    import django

    django.setup()
    logging.getLogger().setLevel(logging.WARNING)
    # A line for each change would be measured as well; the processes that we start write theirs.
    logging.getLogger("polling").setLevel(logging.WARNING)
    logging.getLogger("kombu").setLevel(logging.ERROR)

    run = Run(options.quick, options.database, options.million)
    module = importlib.import_module(f"bench.{options.name}")
    begun = time.monotonic()
    found = module.measure(run)
    options.answer.write_text(
        figures.as_json(
            figures.Part(
                name=options.name.partition(".")[2] or options.name,
                database=options.database,
                figures=found,
                rounds=len(run.calibration.seconds),
                disturbed=run.calibration.disturbed,
                seconds=time.monotonic() - begun,
            )
        )
    )


if __name__ == "__main__":
    main()
