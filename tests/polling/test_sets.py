"""How many objects are written in one transaction: as many as fit into the time that others may have to wait for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from polling import claims, kinds, writing
from polling.kinds import Announcement, Change, Changed
from tests.polling.things import KEY, Things


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def costing(things: Things, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets what each object takes of the time that a transaction may last."""
    clock = Clock()
    cost = 0.0
    monkeypatch.setattr(writing, "time", clock)
    kind = kinds.named("thing")

    def write(plans: Sequence[tuple[Change, Any]]) -> Sequence[Announcement]:
        clock.now += cost * writing.TRANSACTION_SECONDS[connection.vendor] * len(plans)
        return kind.write(plans)

    kinds.register(dataclasses.replace(kind, write=write))

    def set_cost(to: float) -> None:
        nonlocal cost
        cost = to

    return set_cost


def sizes(things: Things, count: int) -> list[int]:
    """Of the sets in which that many objects with news are written."""
    things.add(count)
    token = uuid4()
    found = claims.claim("polls", {KEY: count}, token=token, limit=count)
    things.written.clear()
    writing.Writer(token).write(
        [writing.Read(claim, "job", Changed("1", "working", claim.sequence)) for claim in found]
    )
    return [len(ids) for ids in things.written]


def test_sets_grow_while_they_are_quick(things: Things, costing: Callable[[float], None]) -> None:
    costing(0.0001)
    assert sizes(things, 100) == [8, 16, 32, 44]
    # It is remembered, whoever writes next.
    assert sizes(things, 100) == [64, 36]
    assert sizes(things, 100) == [100]
    assert sizes(things, 3) == [3]
    assert sizes(things, 100) == [100]


def test_a_set_is_what_fits(things: Things, costing: Callable[[float], None]) -> None:
    costing(0.09)
    assert sizes(things, 30) == [8, 11, 11]


def test_objects_that_take_long_are_written_one_by_one(
    things: Things, costing: Callable[[float], None]
) -> None:
    costing(2.0)
    assert sizes(things, 12) == [8, 1, 1, 1, 1]
    costing(0.09)
    assert sizes(things, 14) == [1, 2, 4, 7]
