"""Rules of the engine, one undone after the other in real processes, and seen to be missed: by the scenes that `test_rules`
sees them hold in.

Each undoing is a patch inside all processes of an installation. `tests.*.test_mutations` undoes the same rules within one
process, and those that cannot be seen from outside:

a token, or a sequence, alone   each is the fence of a late answer by itself; both undone are seen here
Retry-After is the least        a pause of the object below the rest of the whole key, which is seen here
"""

from __future__ import annotations

import logging

import pytest

from tests.faults.rule import Missed, Rule
from tests.faults.test_rules import changeable, every_group
from tests.faults.wired import Wired

logger = logging.getLogger(__name__)

# A file apart from `test_rules`: the two take longest, and no file is shared between processes.
pytestmark = [pytest.mark.faults, pytest.mark.usually("sqlite"), pytest.mark.lasts(60)]

TRIES = 3


@changeable
@every_group
def test_each_rule_that_is_undone_is_missed(wired: Wired, rules: list[Rule]):
    assert [rule.name for rule in rules if not is_missed(rule, wired)] == []


def is_missed(rule: Rule, wired: Wired) -> bool:
    """Whether one of a few runs without the rule fails because of it: two things have to meet in time for that."""
    return any(_is_missed_at_once(rule, wired.renewed(undone=rule.name)) for _ in range(TRIES))


def _is_missed_at_once(rule: Rule, wired: Wired) -> bool:
    try:
        rule.scene(wired)
    except Missed:
        # Because of the rule, not of a process that could not even begin without it.
        return all(process.poll() is None for process in wired.dailies.processes.values())
    except AssertionError as exc:
        # Without its rule the installation did not even get to where the rule matters.
        logger.warning("%s: %s", rule.name, exc)
    return False
