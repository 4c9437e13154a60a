"""What the mirror promises about messages, films and sessions made elsewhere, and what is seen when a rule is undone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from commands import tokens
from commands.models import Command, State
from polling import clock, digests, schedule
from polling.models import PollState
from sessions_app import actions, transcript
from sessions_app.mirror import adoption, session_merge, sessions
from sessions_app.models import VideoSession
from tests.faults.checkers import agrees
from tests.faults.rule import CREATE, READ, Rule, accepted, begun, calls, promised, reads, waiting
from tests.faults.wired import Wired
from tests.processes import wait_until
from tests.sessions_app.test_mutations import answers
from timeline.models import Event

LIST = "/v3/video-agents"


def says(wired: Wired, session: VideoSession, *texts: str) -> None:
    """The agent says so, all at once."""
    wired.simulator.control.messages(session.remote_id, *({"say": text, "role": "model"} for text in texts))


def stores(wired: Wired, session: VideoSession, text: str) -> None:
    wired.until(session, f"session.messages.filter(content={text!r}).exists()", seconds=20)


def becomes_the_same(wired: Wired, session: VideoSession) -> None:
    with promised():
        wait_until(lambda: agrees(wired, session), seconds=6, what="the transcripts agree")


# --- messages


def equal_words_are_two_messages(wired: Wired) -> None:
    session = begun(wired, "A film about echoes")
    says(wired, session, "Still at it.")
    stores(wired, session, "Still at it.")
    says(wired, session, "Still at it.", "Done.")
    stores(wired, session, "Done.")
    becomes_the_same(wired, session)


def a_full_window_goes_on(wired: Wired) -> None:
    session = begun(wired, "A film about rivers")
    says(wired, session, *(f"Wave {number}" for number in range(30)))
    stores(wired, session, "Wave 29")
    says(wired, session, *(f"Ripple {number}" for number in range(10)))
    stores(wired, session, "Ripple 9")
    becomes_the_same(wired, session)
    with promised():
        assert not session.gaps.exists()


def more_than_a_window_leaves_a_gap(wired: Wired) -> None:
    session = begun(wired, "A film about the sea")
    says(wired, session, *(f"Tide {number}" for number in range(50)))
    stores(wired, session, "Tide 49")
    becomes_the_same(wired, session)


def what_grows_is_one_message(wired: Wired) -> None:
    session = begun(wired, "A film about trees")
    wired.simulator.control.freeze()  # the last message is to be ours
    says(wired, session, "I am at the narration")
    stores(wired, session, "I am at the narration")
    wired.simulator.control.messages(session.remote_id, {"append": ", and it is done."})
    stores(wired, session, "I am at the narration, and it is done.")
    becomes_the_same(wired, session)


def an_answer_without_messages_forgets_none(wired: Wired) -> None:
    session = begun(wired, "A film about silence")
    wired.simulator.control.fault("edit", READ, method="GET", set={"data.messages": None}, count=None)
    schedule.wake("session", [session.pk])
    until = len(reads(wired, session)) + 3
    wait_until(lambda: len(reads(wired, session)) >= until, seconds=30, what="it is read three times")
    with promised():
        assert not session.messages.filter(vanished=True).exists()


def who_talks_fast_is_read_in_time(wired: Wired) -> None:
    """Ever faster, up to twenty messages a second."""
    control = wired.simulator.control
    control.set_speed(6)
    session = wired.create("A film about waterfalls [messages: 400]")
    for count, speed in ((60, 10), (100, 20)):
        wired.until(session, f"message_count >= {count}", seconds=60)
        control.set_speed(speed)
    wired.until(session, "message_count >= 250", seconds=60)
    with promised():
        assert not session.gaps.exists()
        assert wired.stored_log(session) == wired.remote_log(session)[: session.messages.count()]


# --- presses


def an_older_message_is_not_the_answer(wired: Wired) -> None:
    """Somebody wrote the same words elsewhere, long before a press of them was lost on its way."""
    session = waiting(wired, "A film about parrots")
    control, text = wired.simulator.control, "Say it once more"
    control.messages(session.remote_id, {"say": text, "role": "user", "undated": True})
    stores(wired, session, text)
    earlier = session.messages.filter(content=text)
    long_ago = timedelta(seconds=1) + session_merge.SEEN_SKEW
    wait_until(
        lambda: earlier.filter(first_seen_at__lt=clock.later(-long_ago.total_seconds())).exists(),
        seconds=20,
        what="it has been there for a while",
    )
    control.fault("drop", READ, method="POST")
    command = actions.send(session, text=text, token=tokens.new(), by=wired.person)
    wait_until(lambda: now(command).state == State.UNKNOWN, seconds=20, what="nobody knows")
    says(wired, session, "Are you there?")
    stores(wired, session, "Are you there?")
    with promised():
        wait_until(lambda: now(command).asks_person_since, seconds=25, what="a person is asked")


def now(command: Command) -> Command:
    command.refresh_from_db()
    return command


def what_is_being_made_is_not_found_elsewhere(wired: Wired) -> None:
    """The list shows it before its answer is here."""
    wired.simulator.control.fault("slow", CREATE, method="POST", seconds=3, after=True)
    session = wired.create("A film about twins")
    wait_until(lambda: accepted(wired, session), seconds=20, what="HeyGen made it")
    number = len(calls(wired, LIST, method="GET"))
    schedule.wake("session_list", [wired.workspace.pk])
    wait_until(lambda: len(calls(wired, LIST, method="GET")) > number, what="the list is read")
    wired.until(session, "remote_id is not None", seconds=20)
    with promised():
        assert not Event.objects.filter(what="session.adopted").exists()


# --- links


def a_new_signature_is_no_news(wired: Wired) -> None:
    session = wired.create("A film about seals [scenario: straight]", mode="generate")
    wired.until(session, "session.videos.filter(group='done').exists()", seconds=60)
    video = PollState.objects.filter(kind="video", object_id=session.videos.get().pk)

    def read() -> PollState:
        before = video.get()
        schedule.wake("video", [before.object_id])
        wait_until(
            lambda: video.filter(sequence__gt=before.sequence, lease_token=None).exists(),
            seconds=20,
            what="it is read",
        )
        return video.get()

    first, second = read(), read()
    with promised():
        assert (second.changed_at, second.digest) == (first.changed_at, first.digest)


# --- undone


def tells_apart_by_words(patch: pytest.MonkeyPatch) -> None:
    original = transcript.join

    def join(stored: Any, window: Any, **rest: Any) -> transcript.Join:
        known = {message.content for message in stored}
        return original(stored, [*stored, *(said for said in window if said.content not in known)], **rest)

    patch.setattr(transcript, "join", join)


def believes_silence(patch: pytest.MonkeyPatch) -> None:
    original = transcript.join

    def join(stored: Any, window: Any, **rest: Any) -> transcript.Join:
        if not window:
            return transcript.Join(vanished=tuple(message.position for message in stored))
        return original(stored, window, **rest)

    patch.setattr(transcript, "join", join)


def adopts_whatever_is_new(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        adoption,
        "strangers",
        lambda items, known: [item for item in items if item.session_id not in known.remote_ids],
    )


RULES = (
    Rule("alignment, not a set of texts", tells_apart_by_words, equal_words_are_two_messages),
    Rule("windows are joined", answers(transcript, "_align", None), a_full_window_goes_on),
    Rule("a hole is marked", answers(transcript, "_align", transcript._Alignment([(0, 0)])), more_than_a_window_leaves_a_gap),
    Rule("a lone text proves nothing", answers(transcript, "_recognisable", True), more_than_a_window_leaves_a_gap),
    Rule("the last may be reworded", lambda patch: patch.setattr(transcript, "_same_slot", transcript._same_words), what_grows_is_one_message),
    Rule("a signature is no news", lambda patch: patch.setattr(digests, "without_signatures", lambda text: text), a_new_signature_is_no_news),
    Rule("an answer without messages", believes_silence, an_answer_without_messages_forgets_none),
    Rule("a fast window is read in time", answers(sessions, "within_window", None), who_talks_fast_is_read_in_time),
    Rule("an older message settles no press", lambda patch: patch.setattr(session_merge, "SEEN_SKEW", timedelta(days=100)), an_older_message_is_not_the_answer),
    Rule("candidates of open creates", adopts_whatever_is_new, what_is_being_made_is_not_found_elsewhere),
)  # fmt: skip
