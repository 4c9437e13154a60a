"""One measured figure beside its peer and its goal; a run's figures as a table, as Markdown and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
COLUMNS = ("figure", "ours", "peer", "ratio", "goal", "reached")


@dataclass(frozen=True, slots=True)
class Figure:
    """`reached` None: there is no goal, the figure is there to be looked at. `raw` are the numbers behind the words."""

    name: str
    ours: str
    peer: str = ""
    ratio: str = ""
    goal: str = ""
    reached: bool | None = None
    note: str = ""
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def cells(self) -> tuple[str, ...]:
        word = {None: "", True: "yes", False: "NO"}[self.reached]
        return (self.name, self.ours, self.peer, self.ratio, self.goal, word)


@dataclass(frozen=True, slots=True)
class Part:
    """The figures of one part of a run, measured on one database ("" where none is involved)."""

    name: str
    database: str
    figures: list[Figure]
    rounds: int
    disturbed: int
    seconds: float

    @property
    def title(self) -> str:
        return f"{self.name} ({self.database})" if self.database else self.name

    @property
    def noise(self) -> str:
        if not self.disturbed:
            return f"{self.seconds:.0f} s, the machine was quiet"
        return f"{self.seconds:.0f} s, NOISY: in {self.disturbed} of {self.rounds} rounds others used the machine"


def as_json(part: Part) -> str:
    return json.dumps(asdict(part))


def from_json(text: str) -> Part:
    found = json.loads(text)
    return Part(**{**found, "figures": [Figure(**figure) for figure in found["figures"]]})


def table(figures: Sequence[Figure]) -> str:
    """For a terminal: columns as wide as they must be."""
    rows = [COLUMNS, *(figure.cells for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def machine() -> dict[str, str]:
    """What a reader must know to judge the figures; nothing that names the machine."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in ("Django", "celery", "requests", "redis", "psycopg", "uvicorn")},
    }


def keep(name: str, parts: Sequence[Part], *, quick: bool) -> Path:
    """Writes results/<name>.md and .json; a quick run goes beside a full one, never over it."""
    RESULTS.mkdir(exist_ok=True)
    stem = f"{name}-quick" if quick else name
    about = machine()
    path = RESULTS / f"{stem}.md"
    path.write_text(_markdown(name, parts, about, quick=quick), encoding="utf-8")
    kept = {"machine": about, "quick": quick, "parts": [asdict(part) for part in parts]}
    (RESULTS / f"{stem}.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return path


def _markdown(name: str, parts: Sequence[Part], about: dict[str, str], *, quick: bool) -> str:
    lines = [
        f"# `./run bench {name}`{' --quick' if quick else ''}",
        "",
        ", ".join(f"{key} {value}" for key, value in about.items()) + ".",
        "",
        "Medians of the rounds, their range in brackets. Server, database and load share the machine.",
    ]
    for part in parts:
        lines += ["", f"## {part.title}", "", f"{part.noise}.", ""]
        lines += ["| " + " | ".join(COLUMNS) + " |", "|" + " --- |" * len(COLUMNS)]
        lines += ["| " + " | ".join(figure.cells) + " |" for figure in part.figures]
        notes = [f"- *{figure.name}*: {figure.note}" for figure in part.figures if figure.note]
        if notes:
            lines += ["", *notes]
    return "\n".join(lines) + "\n"
