"""Rules of the engine, each of which can be undone in the real processes of an installation.

`tests.nursery` calls `change` in each process that it forks, where `CHANGES` is in the installation's environment.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import rules_of_polls, rules_of_presses, rules_of_the_mirror, stops
from tests.nursery import CHANGED_BY

RULES = {
    rule.name: rule for rule in (*rules_of_presses.RULES, *rules_of_polls.RULES, *rules_of_the_mirror.RULES)
}

# What to put into an installation's environment.
CHANGES = {CHANGED_BY: __name__}


def change(folder: Path, undone: str) -> None:
    """Undoes a rule in this process ("": none), and lets it be stopped where a test asks it to."""
    if undone:
        RULES[undone].undo(pytest.MonkeyPatch())
    stops.install(folder)
