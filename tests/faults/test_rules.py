"""Rules of the engine, seen to hold in real processes; in `test_undone` the same scenes miss them.

Beside the processes run the real Valkey, database and simulator, the last behind the fault proxy.
"""

from __future__ import annotations

import pytest

from tests.faults import rules_of_polls, rules_of_presses, rules_of_the_mirror
from tests.faults.rule import Rule
from tests.faults.undone import CHANGES, RULES
from tests.faults.wired import Wired

pytestmark = [pytest.mark.faults, pytest.mark.usually("sqlite"), pytest.mark.lasts(75)]

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

every_group = pytest.mark.parametrize("rules", GROUPS)
changeable = pytest.mark.parametrize("wired", [pytest.param(CHANGES, id="")], indirect=True)


@changeable
@every_group
def test_each_rule_holds(wired: Wired, rules: list[Rule]):
    for scene in dict.fromkeys(rule.scene for rule in rules):
        scene(wired.renewed())
