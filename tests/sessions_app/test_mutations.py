"""Each rule of the mirror undone by a patch: the test that guards it has to fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from polling import digests
from sessions_app import transcript
from sessions_app.mirror import adoption, session_merge, sessions
from tests.mutations import Case, Undo, each, noticing
from tests.sessions_app import test_adoption, test_mirror_sessions, test_transcript
from tests.sessions_app.test_adoption import workspace  # noqa: F401, a fixture


def answers(module: Any, name: str, answer: Any) -> Undo:
    return lambda patch: patch.setattr(module, name, lambda *_, **__: answer)


def set_of_texts(patch: pytest.MonkeyPatch) -> None:
    """Messages told apart by their words alone."""
    original = transcript.join

    def join(stored: Any, window: Any, **rest: Any) -> transcript.Join:
        known = {message.content for message in stored}
        return original(stored, [*stored, *(m for m in window if m.content not in known)], **rest)

    patch.setattr(test_transcript, "join", join)


CASES: list[Case] = [
    ("alignment, not a set of texts", set_of_texts, test_transcript.test_identical_texts_are_two_messages, {}),
    ("windows are joined", answers(transcript, "_align", None), test_transcript.test_a_full_window_goes_on_at_its_overlap, {}),
    ("a hole is marked", answers(transcript, "_align", transcript._Alignment([(0, 0)])), test_transcript.test_forty_unseen_messages_leave_a_gap, {}),
    ("a lone text proves nothing", answers(transcript, "_recognisable", True), test_transcript.test_a_lone_common_text_in_a_strange_window_joins_nothing, {}),
    ("the last may be reworded", lambda patch: patch.setattr(transcript, "_same_slot", transcript._same_words), test_transcript.test_a_growing_last_message_is_edited_in_place_and_its_earlier_text_kept, {}),
    ("a signature is no news", lambda patch: patch.setattr(digests, "without_signatures", lambda text: text), test_mirror_sessions.test_the_same_answer_again_is_unchanged_and_so_is_one_with_a_new_signature, {}),
    ("an answer without messages", answers(transcript, "join", transcript.Join(vanished=(0,))), test_mirror_sessions.test_an_answer_without_messages_forgets_none, {}),
    ("a fast window is read in time", answers(sessions, "within_window", None), test_mirror_sessions.test_a_window_that_moves_fast_is_read_again_in_time, {}),
    ("an older message settles no press", lambda patch: patch.setattr(session_merge, "SEEN_SKEW", timedelta(days=100)), test_mirror_sessions.test_an_earlier_message_with_the_same_words_settles_no_later_press, {}),
    ("candidates of open creates", lambda patch: patch.setattr(adoption, "strangers", lambda items, known: [item for item in items if item.session_id not in known.remote_ids]), test_adoption.test_what_may_be_the_answer_to_an_open_create_is_left_alone_until_that_is_settled, {"state": "unknown"}),
]  # fmt: skip


@pytest.mark.django_db
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
