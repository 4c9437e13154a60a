"""Undoes one rule of the engine, and expects the test that guards it to notice. A test that does not notice guards nothing."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

Undo = Callable[[pytest.MonkeyPatch], None]
# What the rule is called, how it is undone, the test that guards it, and that test's parameters.
Case = tuple[str, Undo, Callable[..., None], dict[str, Any]]


def each(cases: Sequence[Case]) -> pytest.MarkDecorator:
    """Runs a test once for each case, with `undo`, `test` and `given`."""
    return pytest.mark.parametrize(
        ("undo", "test", "given"), [case[1:] for case in cases], ids=[case[0] for case in cases]
    )


@contextlib.contextmanager
def noticing(request: pytest.FixtureRequest, test: Callable[..., None], **given: Any) -> Iterator[None]:
    """The block undoes a rule; then another test is run, and this one fails when that one passes.

    The other test gets its fixtures before the block: they make the world in which the rule is undone. `given` are
    its parameters.
    """
    names = [name for name in inspect.signature(test).parameters if name not in given]
    fixtures = {name: request.getfixturevalue(name) for name in names}
    yield
    try:
        test(**fixtures, **given)
    except (AssertionError, LookupError, pytest.fail.Exception):
        return
    pytest.fail(f"{test.__name__} passes although the rule that it guards was undone")
