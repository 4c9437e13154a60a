"""Each rule of the ledger undone by a patch: the test that guards it has to fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone

from commands import delivery, journal, ledger
from commands.kinds import CommandKind, Unclear
from commands.models import Command
from tests.commands import test_delivery, test_ledger
from tests.commands.test_delivery import hinted  # noqa: F401, a fixture
from tests.mutations import Case, Undo, each, noticing


def sends_unasked(patch: pytest.MonkeyPatch) -> None:
    """Without the one UPDATE that only one worker can win."""

    def claim(command: Command, its: CommandKind, lease_token: Any) -> bool:
        now = timezone.now()
        Command.objects.filter(pk=command.pk).update(
            state="sending",
            attempts=1,
            attempt_at=now,
            lease_token=lease_token,
            lease_until=now,
            settled_at=None,
        )
        return True

    patch.setattr(delivery, "_claim_for_sending", claim)


def sends_off_the_record(patch: pytest.MonkeyPatch) -> None:
    """The network first, the row afterwards."""
    patch.setattr(delivery, "_claim_for_sending", lambda *_: True)


def repeats_blindly(patch: pytest.MonkeyPatch) -> None:
    def lose(command: Command, code: str, message: str = "", *, fence: Q) -> bool:
        again = {"state": "queued", "due_at": timezone.now(), "lease_until": None, "lease_token": None}
        return bool(Command.objects.filter(fence, pk=command.pk).update(**again))

    patch.setattr(journal, "lose", lose)


def without_order(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(delivery, "_those_before", lambda *_: Command.objects.none())


def any_attempt_counts(patch: pytest.MonkeyPatch) -> None:
    original = journal.settle
    patch.setattr(
        journal, "settle", lambda pk, outcome, *, fence, **rest: original(pk, outcome, fence=Q(), **rest)
    )


def sweeps_living_ones(patch: pytest.MonkeyPatch) -> None:
    original = journal.lose
    patch.setattr(
        journal,
        "lose",
        lambda command, code, message="", *, fence: original(command, code, message, fence=Q()),
    )


def takes_a_429_for_unclear(patch: pytest.MonkeyPatch) -> None:
    original = journal.answer
    patch.setattr(
        journal,
        "answer",
        lambda command, outcome: original(
            command, Unclear("") if isinstance(outcome, delivery.Later) else outcome
        ),
    )


def never_asks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(journal, "ask_person", lambda *_, **__: False)


def forgets_what_follows(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(journal, "apply_again", lambda *_: False)


def repeats_what_may_have_happened(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger, "Q", lambda *_, **__: Q())


CASES: list[Case] = [
    ("one worker sends", sends_unasked, test_delivery.test_eight_workers_on_one_row_send_it_once, {}),
    ("a hint that comes again", sends_unasked, test_delivery.test_a_hint_that_comes_again_sends_nothing, {}),
    ("on record before the network", sends_off_the_record, test_delivery.test_a_command_is_on_record_as_sent_before_the_network_is_touched, {}),
    ("unknown is never repeated", repeats_blindly, test_delivery.test_an_unclear_outcome_is_a_state_and_never_sent_again, {"answer": Unclear("timed out")}),
    ("order", without_order, test_delivery.test_sends_of_one_object_go_out_one_by_one_in_order, {}),
    ("the attempt is the fence", any_attempt_counts, test_delivery.test_an_answer_of_an_attempt_that_was_followed_by_another_changes_nothing, {}),
    ("a renewed lease is left alone", sweeps_living_ones, test_delivery.test_a_sweep_that_comes_too_late_for_a_renewed_lease_changes_nothing, {}),
    ("a 429 took nothing", takes_a_429_for_unclear, test_delivery.test_what_was_not_taken_is_sent_when_heygen_allows, {}),
    ("a person is asked in the end", never_asks, test_delivery.test_what_is_not_seen_in_ten_minutes_asks_a_person, {}),
    ("what follows is repeated", forgets_what_follows, test_delivery.test_an_accepted_command_outlives_a_crash_of_what_follows, {}),
    ("sent again only when it is over", repeats_what_may_have_happened, test_ledger.test_what_may_still_happen_is_not_sent_again, {}),
]  # fmt: skip


@pytest.mark.django_db(transaction=True)
@each(CASES)
def test_without_the_rule_its_test_fails(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    undo: Undo,
    test: Callable[..., None],
    given: dict[str, Any],
) -> None:
    with noticing(request, test, **given):
        undo(monkeypatch)
