"""Kept raw windows, joined again."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils import timezone

import heygen
from commands import tokens
from sessions_app import approving, reading, replay, storyboard, transcript
from sessions_app.mirror.sessions import SESSION
from sessions_app.models import Approval, Message, MessageRevision, RawWindow, VideoSession
from sessions_app.replay import stored_transcript
from tests.factories import MembershipFactory, ResourceFactory, VideoSessionFactory
from tests.fakes import CREATED, FakeClient, remote_message, remote_session
from tests.sessions_app.mirroring import poll
from tests.sessions_app.presses import press_in
from timeline.events import events_of

pytestmark = pytest.mark.django_db


def say(session: VideoSession, *messages: heygen.RemoteMessage) -> None:
    poll(SESSION, session, FakeClient(read_session=remote_session(messages=messages)))
    session.refresh_from_db()


def said(session: VideoSession) -> list[tuple[int, str]]:
    return list(session.messages.order_by("position").values_list("position", "content"))


def lived() -> VideoSession:
    """A session with a reworded message, a hole, one that vanished, and a press of ours."""
    session: VideoSession = VideoSessionFactory(prompt="A film about owls")
    prompt = remote_message("A film about owls", "user", created_at=CREATED)
    say(session, prompt, remote_message("Thin", created_at=CREATED + 1))
    say(session, prompt, remote_message("Thinking", created_at=CREATED + 1))
    later = [remote_message(f"later {n}", created_at=CREATED + 10 + n) for n in range(40)]
    say(session, *later)
    say(session, *later[:5], *later[6:], remote_message("the end", created_at=CREATED + 99))
    Message.objects.filter(session=session, position=0).update(
        command=press_in(session, "accepted", "session.create")
    )
    return session


def test_what_the_mirror_stored_comes_out_again():
    session = lived()

    assert replay.replay(session, apply=False) is None
    assert replay.replay(session, apply=True) is None
    assert not events_of("session", session.pk).filter(what="session.replayed").exists()


def test_a_better_join_is_stored_with_all_that_belongs_to_it(monkeypatch: pytest.MonkeyPatch):
    """The mirror of that day joined nothing: each window went behind the last one."""
    good = lived()
    wished = stored_transcript(good)
    with monkeypatch.context() as patch:
        patch.setattr(transcript, "_align", lambda *_, **__: None)
        session = lived()
    ResourceFactory(session=session, workspace=session.workspace, resource_id="r1", message_position=77)
    assert len(said(session)) > len(said(good))
    press = session.messages.get(position=0).command

    result = replay.replay(session, apply=True)

    assert result is not None
    session.refresh_from_db()
    assert said(session) == said(good)
    assert session.message_count == len(said(good))
    again = stored_transcript(session)
    assert [line.said for line in again.lines] == [line.said for line in wished.lines]
    assert again.gaps.keys() == wished.gaps.keys()
    assert events_of("session", session.pk).filter(what="session.replayed").count() == 1
    assert session.messages.get(position=0).command == press
    assert list(
        MessageRevision.objects.filter(message__session=session).values_list("content", flat=True)
    ) == ["Thin"]
    assert {message.version for message in session.messages.all()} == {session.version}
    assert replay.replay(session, apply=True) is None


def moves(before: str, after: str) -> dict[int, int]:
    """Of transcripts in short: a small letter is a message, a capital one that shows something."""

    def transcript_of(letters: str) -> replay.Transcript:
        return replay.Transcript(
            [
                replay.Line(
                    transcript.Stored(
                        position,
                        "model",
                        "text",
                        "" if letter.isupper() else letter,
                        None,
                        (letter,) if letter.isupper() else (),
                    ),
                    first_seen_at=timezone.now(),
                )
                for position, letter in enumerate(letters)
            ]
        )

    return replay.moved(transcript_of(before), transcript_of(after))


@pytest.mark.parametrize(
    ("before", "after", "places"),
    [
        ("aBc", "aBc", {0: 0, 1: 1, 2: 2}),
        ("aBc", "axxBc", {0: 0, 1: 3, 2: 4}),
        ("aBaBc", "aBc", {1: 1, 2: 0, 3: 1, 4: 2}),
        ("aBcD", "aDB", {0: 0, 3: 1, 1: 2}),
        ("aBc", "ac", {0: 0, 2: 1}),
    ],
    ids=["same", "before it", "doubled", "crossed", "gone"],
)
def test_messages_are_found_again(before: str, after: str, places: dict[int, int]):
    assert moves(before, after) == places


def test_an_approval_stays_with_its_storyboard(monkeypatch: pytest.MonkeyPatch):
    """The replay finds a message in front of two storyboards: both move, the second to where none was."""
    session = VideoSessionFactory(prompt="A film about owls", status="reviewing", group="needs_you")
    prompt = remote_message("A film about owls", "user", created_at=CREATED)
    shown = [
        remote_message(f"Look {name}", created_at=CREATED + 10 + number, resource_ids=[name])
        for number, name in enumerate(["one", "two"])
    ]
    answer = remote_message("Another one", "user", created_at=CREATED + 10.5)
    say(session, prompt, remote_message("Hm", created_at=CREATED + 1), shown[0], answer, shown[1])
    Message.objects.filter(session=session, position=1).delete()
    for position in (2, 3, 4):
        Message.objects.filter(session=session, position=position).update(position=position - 1)
    for resource in session.resources.all():
        session.resources.filter(pk=resource.pk).update(
            message_position=F("message_position") - 1, type="image", read_at=timezone.now()
        )
    VideoSession.objects.filter(pk=session.pk).update(message_count=4)
    session.refresh_from_db()
    first, second = (MembershipFactory(workspace=session.workspace, role="approver").user for _ in range(2))
    for person, position in ((first, 1), (first, 3), (second, 3)):
        Approval.objects.create(session=session, position=position, by=person)
    press = press_in(session, "accepted", payload={"message": "Approved", "files": [], "revision": 3})
    reading.mark_read(session, first, 1)
    newest = storyboard.newest(session)
    assert newest is not None
    assert newest.position == 3

    assert replay.replay(session, apply=True) is not None

    session.refresh_from_db()
    newest = storyboard.newest(session)
    assert newest is not None
    assert newest.position == 4
    assert list(Approval.objects.order_by("id").values_list("position", "by")) == [
        (2, first.pk),
        (4, first.pk),
        (4, second.pk),
    ]
    assert session.read_marks.get().position == 2
    press.refresh_from_db()
    assert press.payload["revision"] == 4
    # What was sent once is not sent again: nor would a page of before the replay send it.
    with pytest.raises(approving.AlreadyApproved):
        approving.approve(session, revision=4, token=tokens.new(), by=second)
    with pytest.raises(approving.StaleRevision):
        approving.approve(session, revision=3, token=tokens.new(), by=second)


def test_windows_that_were_let_go_leave_what_they_brought(monkeypatch: pytest.MonkeyPatch):
    session = lived()
    before = said(session)
    session.windows.order_by("id")[0].delete()
    session.windows.order_by("id")[0].delete()

    assert replay.replay(session, apply=True) is None
    assert said(session) == before


def run(*arguments: Any, **options: Any) -> str:
    out = StringIO()
    call_command("replay_windows", *arguments, stdout=out, **options)
    return out.getvalue()


def test_the_command_reports_and_stores_only_when_told(monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        patch.setattr(transcript, "_align", lambda *_, **__: None)
        session = lived()
    wrong = said(session)

    reported = run()
    assert f"{session.pk}: {len(wrong)} messages become" in reported
    assert "1 differences found, nothing was changed" in reported
    assert said(session) == wrong

    assert "1 differences stored" in run(str(session.pk), apply=True)
    assert said(session) != wrong
    assert "0 differences" in run(workspace=session.workspace.slug)
    with pytest.raises(CommandError, match="invalid UUID value: 'nonsense'"):
        run("nonsense")


def bodies(session: VideoSession) -> Sequence[int]:
    return [len(bytes(window.body)) for window in session.windows.all()]


def test_the_kept_windows_are_bounded_in_number_and_bytes(monkeypatch: pytest.MonkeyPatch):
    session, other = VideoSessionFactory(), VideoSessionFactory()
    for owner in (session, other):
        for number in range(6):
            RawWindow.objects.create(session=owner, seen_at=owner.created_at, body=b"x" * (100 + number))
    kept = type(RawWindow.objects.all())

    monkeypatch.setattr(kept, "KEPT_EACH", 4)
    RawWindow.objects.let_go([session.pk])
    assert bodies(session) == [102, 103, 104, 105]

    monkeypatch.setattr(kept, "KEPT_BYTES", 250)
    RawWindow.objects.let_go([session.pk])
    assert bodies(session) == [104, 105]

    monkeypatch.setattr(kept, "KEPT_BYTES", 1)
    RawWindow.objects.let_go([session.pk])
    assert bodies(session) == [105]
    assert len(bodies(other)) == 6
