"""Undoes one rule of the engine, and expects the test that guards it to notice. A test that does not notice guards nothing."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest


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
