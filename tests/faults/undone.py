"""Rules of the engine, each of which can be undone in every process of an installation.

`tests.nursery` calls `change` before it forks the first of them, where `undoing(rule)` is in their environment.
"""

from __future__ import annotations

import os

import pytest

from polling import budget, keys
from tests.commands.test_mutations import repeats_blindly, sends_off_the_record
from tests.mutations import Undo
from tests.nursery import CHANGED_BY
from tests.polling.test_mutations import nothing, sql, without_lease, without_sequence, without_token

RULE = "TESTS_UNDONE_RULE"

RULES: dict[str, Undo] = {
    "on record before the network": sends_off_the_record,
    "unknown is never repeated": repeats_blindly,
    "lease": sql(without_lease),
    "fence": sql(lambda known: without_token(without_sequence(known))),
    "a rest is kept": nothing(keys, "close"),
    "budget": nothing(budget, "admit"),
}


def undoing(rule: str) -> dict[str, str]:
    """What to put into an installation's environment."""
    return {CHANGED_BY: __name__, RULE: rule}


def change() -> None:
    RULES[os.environ[RULE]](pytest.MonkeyPatch())
