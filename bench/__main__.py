"""`./run bench mirror|live|pages [--quick] [--database SQLite|PostgreSQL] [--part NAME] [--million]`."""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import replace

from bench import figures
from bench.stage import BrokeOff, staged

BOTH = ("SQLite", "PostgreSQL")
# Parts of each measurement, and the databases that make a difference to them.
PARTS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "mirror": (
        ("mirror.lives", ("",)),
        ("mirror.throughput", BOTH),
        ("mirror.tls", ("SQLite",)),
        ("mirror.writes", BOTH),
        ("mirror.hot", BOTH),
        ("mirror.budget", BOTH),
        ("mirror.storm", BOTH),
        ("mirror.press", BOTH),
        ("mirror.memory", ("SQLite",)),
    ),
    "live": (("live", BOTH), ("arrival", BOTH)),
    "pages": (("pages", BOTH), ("opening", ("SQLite",))),
}
# A quick run shows that all of it works and about where it stands; it proves no figure.
QUICK = {
    "mirror": ("mirror.lives", "mirror.throughput", "mirror.writes", "mirror.press"),
    "live": ("live",),
    "pages": ("pages", "opening"),
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("what", choices=sorted(PARTS))
    parser.add_argument("--quick", action="store_true", help="less than a minute, on SQLite alone")
    parser.add_argument("--database", choices=BOTH, action="append")
    parser.add_argument("--part", action="append", help="only this part of the measurement; nothing is kept")
    parser.add_argument("--million", action="store_true", help="a million polls for the growth of memory")
    options = parser.parse_args(arguments)
    # Servers end with the run, also when it is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    names = [name for name, _databases in PARTS[options.what]]
    if unknown := [part for part in options.part or () if not {part, f"{options.what}.{part}"} & set(names)]:
        parser.error(f"{options.what} has no part {', '.join(unknown)}; it has {', '.join(names)}")
    databases = tuple(options.database or (BOTH[:1] if options.quick else BOTH))
    wanted = [
        name for part in options.part or () for name in (part, f"{options.what}.{part}") if name in names
    ]
    found: list[figures.Part] = []
    broken: list[str] = []
    with staged(quick=options.quick, million=options.million) as stage:
        for part, where in PARTS[options.what]:
            if wanted and part not in wanted:
                continue
            if options.quick and not wanted and part not in QUICK[options.what]:
                continue
            for database in where:
                if database and database not in databases:
                    continue
                try:
                    measured = replace(stage.run(part, database or "SQLite"), database=database)
                except BrokeOff as problem:
                    # The others are worth having all the same.
                    broken.append(str(problem))
                    print(problem, flush=True)
                    continue
                print(
                    f"\n{measured.title}: {measured.noise}\n{figures.table(measured.figures)}\n", flush=True
                )
                found.append(measured)
                if not wanted:
                    kept = figures.keep(options.what, found, quick=options.quick)
                    print(f"Kept in bench/results/{kept.name}", flush=True)
    missed = [figure.name for part in found for figure in part.figures if figure.reached is False]
    if missed:
        print("Short of its goal: " + "; ".join(missed))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
