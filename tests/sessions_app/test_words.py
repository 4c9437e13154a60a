"""What codes are called; what nobody foresaw is shown as it came."""

from __future__ import annotations

import pytest
from django.utils import timezone

from sessions_app import words
from sessions_app.models import VideoSession
from timeline.models import Event


@pytest.mark.parametrize(
    ("fields", "group", "word"),
    [
        ({"status": "thinking", "group": "working"}, "working", "Thinking"),
        ({"status": "processing", "group": "working"}, "working", "Thinking"),
        ({"status": "GENERATING", "group": "working"}, "working", "Rendering"),
        ({"status": "waiting_for_input", "group": "needs_you"}, "needs_you", "Has a question"),
        ({"status": "reviewing", "group": "needs_you"}, "needs_you", "Storyboard to review"),
        ({"status": "completed", "group": "done"}, "done", "Done"),
        ({"status": "failed", "group": "failed"}, "failed", "Failed"),
        ({"status": "dreaming", "group": "unknown"}, "unknown", "dreaming"),
        ({"status": "", "group": "working"}, "working", "Starting"),
        ({"status": "", "group": "failed"}, "failed", "Not started"),
        ({"status": "completed", "group": "done", "gone_at": timezone.now()}, "gone", "Gone at HeyGen"),
    ],
)
def test_statuses(fields: dict[str, object], group: str, word: str):
    shown = words.status_of(VideoSession(**fields))
    assert (shown.group, shown.word) == (group, word)
    assert shown.sentence


@pytest.mark.parametrize(
    ("what", "data", "sentence"),
    [
        (
            "session.status",
            {"from": "thinking", "to": "reviewing"},
            "From “Thinking” to “Storyboard to review”",
        ),
        ("session.status", {"from": "", "to": "dreaming"}, "Now “dreaming”"),
        ("session.messages", {"count": 1}, "One new message"),
        ("session.messages", {"count": 3}, "3 new messages"),
        ("session.gap", {"after_position": 4}, "Messages may have passed unseen"),
        ("command.accepted", {"kind": "session.send"}, "HeyGen took a message"),
        ("command.accepted", {"kind": "unheard.of"}, "command.accepted"),
        ("something.new", {}, "something.new"),
        ("session.status", "not a mapping", "Now “”"),
    ],
)
def test_events(what: str, data: object, sentence: str):
    assert words.event_sentence(Event(what=what, data=data)) == sentence
