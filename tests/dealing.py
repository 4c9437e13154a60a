"""How a run by file shares out its files among its processes: all at once, like cards. A plugin: `-p tests.dealing`.

pytest-xdist (`--dist loadfile`) gives a process its next file while it is still at the one before. So a long file waited
behind a long one, and at the end one process was at it alone.
"""

from __future__ import annotations

import itertools

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController


class Dealt(LoadFileScheduling):
    """One file to each in the order of the collection, the longest (`lasts`) first; from then on whoever got the shortest of
    those comes first, round by round."""

    def _reschedule(self, node: WorkerController) -> None:
        """Where some are left: at the beginning, and after a process has died, when another one takes its place."""
        hands = [
            each for each in self.nodes if each in self.registered_collections and not each.shutting_down
        ]
        for hand in itertools.cycle(hands[::-1]):
            if not self.workqueue:
                break
            self._assign_work_unit(hand)
        for hand in hands:
            hand.shutdown()  # after what it has got

    def remove_node(self, node: WorkerController) -> str | None:
        """A test that its process died of has failed, and is not tried again: the others wait behind it."""
        died_of = super().remove_node(node)
        if died_of is not None:
            self.workqueue[self._split_scope(died_of)][died_of] = True
        return died_of


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Dealt:
    return Dealt(config, log)
