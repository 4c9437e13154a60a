"""Rules of the engine, seen to hold in real processes, and seen to be missed where one of them is undone.

Each undoing is a patch inside all processes of an installation; beside them run the real Valkey, database and simulator, the
last behind the fault proxy. `tests.*.test_mutations` undoes the same rules within one process, and those that cannot be seen
from outside:

a token, or a sequence, alone   each is the fence of a late answer by itself; both undone are seen here
Retry-After is the least        a pause of the object below the rest of the whole key, which is seen here
"""

from __future__ import annotations

import logging

import pytest

from tests.faults import rules_of_polls, rules_of_presses, rules_of_the_mirror
from tests.faults.rule import Missed, Rule
from tests.faults.undone import CHANGES, RULES
from tests.faults.wired import Wired

logger = logging.getLogger(__name__)

pytestmark = [pytest.mark.faults, pytest.mark.usually("sqlite"), pytest.mark.lasts(110)]

# Each group shares the starting of an installation, which takes longer than most of the scenes.
GROUPS = [
    pytest.param([rule for rule in RULES.values() if rule.quick], id="quick"),
    *(
        pytest.param([rule for rule in module.RULES if not rule.quick], id=name, marks=pytest.mark.long)
        for name, module in (
            ("presses", rules_of_presses),
            ("polls", rules_of_polls),
            ("mirror", rules_of_the_mirror),
        )
    ),
]

TRIES = 3

every_group = pytest.mark.parametrize("rules", GROUPS)
changeable = pytest.mark.parametrize("wired", [pytest.param(CHANGES, id="")], indirect=True)


@changeable
@every_group
def test_each_rule_holds(wired: Wired, rules: list[Rule]):
    for scene in dict.fromkeys(rule.scene for rule in rules):
        scene(wired.renewed())


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
