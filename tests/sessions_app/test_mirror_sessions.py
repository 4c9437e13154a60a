"""What a poll of a session writes."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from unittest import mock

import pytest
from django.db.models.functions import Now
from django.utils import timezone

import heygen
from commands.models import Command
from polling import schedule
from polling.kinds import Change, Changed, Failed, Pace, Unchanged
from polling.models import PollState
from sessions_app.mirror.sessions import SESSION, on_failures
from sessions_app.models import Message, MessageRevision, Resource, VideoSession
from sessions_app.search import Hit, find
from tests.factories import UserFactory, VideoFactory, VideoSessionFactory, WorkspaceFactory
from tests.fakes import (
    CREATED,
    FakeClient,
    page,
    remote_message,
    remote_resource,
    remote_session,
    remote_video,
)
from tests.sessions_app.mirroring import claim_of, poll, polled, store
from timeline.models import Event

pytestmark = pytest.mark.django_db


def messages_of(session: VideoSession) -> list[tuple[int, str, str]]:
    return list(session.messages.order_by("position").values_list("position", "role", "content"))


def events_of(session: VideoSession) -> list[str]:
    return list(Event.objects.filter(object_id=session.pk).order_by("id").values_list("what", flat=True))


def test_a_poll_stores_what_is_new():
    session = VideoSessionFactory(status="", version=1)
    remote = remote_session(
        status="reviewing",
        progress=45,
        title="Bread",
        messages=[remote_message("A film", "user"), remote_message("Here", resource_ids=["res_1", "res_2"])],
    )

    reading = poll(SESSION, session, FakeClient(read_session=remote))

    session.refresh_from_db()
    assert isinstance(reading, Changed)
    assert reading.group == "needs_you"
    assert (session.status, session.group, session.progress, session.title) == (
        "reviewing",
        "needs_you",
        45,
        "Bread",
    )
    assert (session.message_count, session.version) == (2, 2)
    assert session.remote_created_at == dt.datetime.fromtimestamp(CREATED, dt.UTC)
    assert messages_of(session) == [(0, "user", "A film"), (1, "model", "Here")]
    assert events_of(session) == ["session.status", "session.messages"]
    resources = list(
        Resource.objects.order_by("place").values_list("resource_id", "message_position", "place")
    )
    assert resources == [("res_1", 1, 0), ("res_2", 1, 1)]
    assert polled("resource") == set(Resource.objects.values_list("pk", flat=True))


def test_the_same_answer_again_is_unchanged_and_so_is_one_with_a_new_signature():
    session = VideoSessionFactory()
    link = "See https://files.heygen.ai/a.png?Signature={}"
    first = remote_session(messages=[remote_message(link.format("one"))])
    resigned = remote_session(messages=[remote_message(link.format("two"))])

    reading = poll(SESSION, session, FakeClient(read_session=first))

    assert isinstance(reading, Changed)
    assert poll(SESSION, session, FakeClient(read_session=first), digest=reading.digest) == Unchanged(
        group="working"
    )
    assert isinstance(
        poll(SESSION, session, FakeClient(read_session=resigned), digest=reading.digest), Unchanged
    )


def test_a_status_never_seen_before_is_kept_as_it_came():
    session = VideoSessionFactory()

    poll(SESSION, session, FakeClient(read_session=remote_session(status="pondering")))

    session.refresh_from_db()
    assert (session.status, session.group) == ("pondering", "unknown")


def test_a_reworded_message_keeps_its_place_and_its_earlier_text():
    session = VideoSessionFactory()
    poll(SESSION, session, FakeClient(read_session=remote_session(messages=[remote_message("Thin")])))

    poll(SESSION, session, FakeClient(read_session=remote_session(messages=[remote_message("Thinking")])))

    assert messages_of(session) == [(0, "model", "Thinking")]
    assert list(MessageRevision.objects.values_list("content", flat=True)) == ["Thin"]
    session.refresh_from_db()
    assert Message.objects.get().version == session.version


def test_an_answer_without_messages_forgets_none():
    session = VideoSessionFactory()
    poll(SESSION, session, FakeClient(read_session=remote_session(messages=[remote_message("Hello")])))

    poll(SESSION, session, FakeClient(read_session=remote_session(status="generating", messages=[])))

    assert messages_of(session) == [(0, "model", "Hello")]
    assert not Message.objects.get().vanished


def test_forty_unseen_messages_leave_a_gap_and_an_event():
    session = VideoSessionFactory()
    poll(SESSION, session, FakeClient(read_session=remote_session(messages=[remote_message("first")])))
    window = [remote_message(f"later {n}", created_at=CREATED + n) for n in range(100, 140)]

    poll(SESSION, session, FakeClient(read_session=remote_session(messages=window)))

    assert list(session.gaps.values_list("after_position", flat=True)) == [0]
    session.refresh_from_db()
    assert session.message_count == 41
    assert "session.gap" in events_of(session)


def test_a_first_sight_of_a_long_session_from_elsewhere_has_a_gap_before_it():
    session = VideoSessionFactory(prompt="")
    window = [remote_message(f"{n}", created_at=CREATED + 100 + n) for n in range(40)]

    poll(SESSION, session, FakeClient(read_session=remote_session(messages=window)))

    assert list(session.gaps.values_list("after_position", flat=True)) == [-1]


def test_an_adopted_session_learns_its_prompt_from_the_conversation():
    session = VideoSessionFactory(prompt="")
    remote = remote_session(messages=[remote_message("A film about owls", "user"), remote_message("Gladly")])

    poll(SESSION, session, FakeClient(read_session=remote))

    session.refresh_from_db()
    assert session.prompt == "A film about owls"
    assert find("owl", [session.workspace_id])[0].session_id == session.pk


def test_what_the_agent_said_first_is_no_prompt():
    session = VideoSessionFactory(prompt="", owner=None)
    poll(
        SESSION,
        session,
        FakeClient(read_session=remote_session(messages=[remote_message("How can I help?")])),
    )
    session.refresh_from_db()
    assert session.prompt == ""


def test_an_ended_session_brings_all_its_videos():
    session = VideoSessionFactory()
    client = FakeClient(
        read_session=remote_session(status="completed", video_id="v_2"),
        list_session_videos=page(remote_video("v_2"), remote_video("v_1")),
    )

    poll(SESSION, session, client)

    assert list(session.videos.order_by("id").values_list("video_id", flat=True)) == ["v_1", "v_2"]
    assert polled("video") == set(session.videos.values_list("pk", flat=True))
    assert events_of(session) == ["session.status", "session.video", "session.video"]


def test_a_film_that_is_late_is_looked_for_when_its_session_ends():
    session = VideoSessionFactory(status="generating")
    late, there = (VideoFactory(session=session, group=group) for group in ("working", "done"))
    for video in (late, there):
        schedule.enroll("video", [video.pk], workspace_id=session.workspace_id, fingerprint="key")
    PollState.objects.update(next_poll_at=timezone.now() + dt.timedelta(minutes=10))
    client = FakeClient(
        read_session=remote_session(status="completed", video_id=late.video_id),
        list_session_videos=page(remote_video(late.video_id), remote_video(there.video_id)),
    )

    poll(SESSION, session, client)

    due = PollState.objects.filter(kind="video", next_poll_at__lte=Now())
    assert [state.object_id for state in due] == [late.pk]


def test_the_list_of_videos_is_read_to_its_end():
    session = VideoSessionFactory()
    client = FakeClient(
        read_session=remote_session(status="completed"),
        list_session_videos=[page(remote_video("v_2"), next_token="older"), page(remote_video("v_1"))],
    )

    poll(SESSION, session, client)

    assert list(session.videos.order_by("id").values_list("video_id", flat=True)) == ["v_1", "v_2"]
    assert [asked["token"] for asked in client.called("list_session_videos")] == [None, "older"]


@pytest.mark.parametrize(
    "error",
    [heygen.NotFound("no", status=404), heygen.Forbidden("no", status=403), heygen.BadPayload("HTML")],
)
def test_a_list_of_videos_that_heygen_will_not_give_says_nothing_of_the_session(error: heygen.ApiError):
    session = VideoSessionFactory()
    client = FakeClient(
        read_session=remote_session(status="completed", video_id="v_1"), list_session_videos=error
    )

    poll(SESSION, session, client)

    session.refresh_from_db()
    assert session.status == "completed"
    assert list(session.videos.values_list("video_id", flat=True)) == ["v_1"]


def test_a_session_that_was_gone_is_back_with_the_first_answer():
    session = VideoSessionFactory()
    reading = poll(SESSION, session, FakeClient(read_session=remote_session()))
    assert isinstance(reading, Changed)
    VideoSession.objects.update(gone_at=timezone.now())

    poll(SESSION, session, FakeClient(read_session=remote_session()), digest=reading.digest)

    session.refresh_from_db()
    assert session.gone_at is None


def test_the_old_dialect_has_no_list_of_videos_and_keeps_every_id_it_saw():
    session = VideoSessionFactory(dialect="sessions")

    for video_id in ("v_1", "v_2"):
        remote = remote_session(status="completed", video_id=video_id)
        poll(SESSION, session, FakeClient(dialect=heygen.Dialect.SESSIONS, read_session=remote))

    assert list(session.videos.order_by("id").values_list("video_id", flat=True)) == ["v_1", "v_2"]


def test_where_resources_are_listed_those_of_messages_that_passed_unseen_are_found():
    session = VideoSessionFactory(dialect="sessions")
    window = [remote_message(f"Message {number}") for number in range(39)]
    window.append(remote_message("Look", resource_ids=["shown"]))
    client = FakeClient(
        dialect=heygen.Dialect.SESSIONS,
        read_session=[
            remote_session(status="processing", messages=window),
            remote_session(status="reviewing", messages=window),
        ],
        list_resources=[
            page(remote_resource("shown"), remote_resource("unseen"), next_token="older"),
            page(remote_resource("older")),
        ],
    )

    poll(SESSION, session, client)
    assert client.called("list_resources") == []
    poll(SESSION, session, client)

    assert [asked["token"] for asked in client.called("list_resources")] == [None, "older"]
    found = session.resources.in_order().values_list("resource_id", "message_position")
    assert list(found) == [("shown", 39), ("unseen", None), ("older", None)]
    assert polled("resource") == set(session.resources.values_list("pk", flat=True))


@pytest.mark.parametrize("error", [heygen.NotFound("no", status=404), heygen.BadPayload("HTML")])
def test_a_list_of_resources_that_heygen_will_not_give_says_nothing_of_the_session(error: heygen.ApiError):
    session = VideoSessionFactory(dialect="sessions")
    window = [remote_message(f"Message {number}") for number in range(40)]
    client = FakeClient(
        dialect=heygen.Dialect.SESSIONS,
        read_session=remote_session(status="reviewing", messages=window),
        list_resources=error,
    )
    poll(SESSION, session, client)
    session.refresh_from_db()
    assert (session.status, session.message_count) == ("reviewing", 40)


def sent_command(session: VideoSession, text: str, state: str = "unknown") -> Command:
    now = timezone.now()
    return Command.objects.create(
        kind="session.send",
        object_id=session.pk,
        workspace=session.workspace,
        payload={"message": text},
        token=f"token-{text}-{Command.objects.count()}",
        by=UserFactory(),
        state=state,
        attempts=1,
        attempt_at=dt.datetime.fromtimestamp(CREATED, dt.UTC),
        unknown_at=now if state == "unknown" else None,
        settled_at=now if state == "accepted" else None,
        applied_at=now if state == "accepted" else None,
        settled_by="answer" if state == "accepted" else "",
        due_at=now if state == "unknown" else None,
    )


def test_a_message_in_the_window_settles_the_press_that_sent_it():
    session = VideoSessionFactory()
    command = sent_command(session, "Brighter, please")

    poll(
        SESSION,
        session,
        FakeClient(read_session=remote_session(messages=[remote_message("Brighter,  please", "user")])),
    )

    command.refresh_from_db()
    assert (command.state, command.settled_by) == ("accepted", "window")
    assert Message.objects.get().command_id == command.pk


def test_two_presses_with_the_same_text_answer_to_two_messages():
    session = VideoSessionFactory()
    first, second = sent_command(session, "yes", "accepted"), sent_command(session, "yes", "accepted")
    one = remote_session(messages=[remote_message("yes", "user")])
    two = remote_session(messages=[remote_message("yes", "user"), remote_message("yes", "user")])

    poll(SESSION, session, FakeClient(read_session=one))
    poll(SESSION, session, FakeClient(read_session=two))

    assert list(session.messages.order_by("position").values_list("command", flat=True)) == [
        first.pk,
        second.pk,
    ]


def test_a_message_answers_to_the_press_that_was_sent_again_not_to_the_lost_one():
    """A person said that the first had not arrived; one message came, of the second."""
    session = VideoSessionFactory()
    lost, again = (
        sent_command(session, "Brighter, please"),
        sent_command(session, "Brighter, please", "accepted"),
    )
    Command.objects.filter(pk=lost.pk).update(asks_person_since=timezone.now(), due_at=None)
    Command.objects.filter(pk=again.pk).update(repeats=lost)

    poll(
        SESSION,
        session,
        FakeClient(read_session=remote_session(messages=[remote_message("Brighter, please", "user")])),
    )

    assert Message.objects.get().command_id == again.pk
    lost.refresh_from_db()
    assert lost.state == "unknown"


def test_while_a_reaction_is_awaited_a_finished_session_counts_as_working():
    session = VideoSessionFactory(status="completed", group="done")
    Command.objects.filter(pk=sent_command(session, "One more", "accepted").pk).update(
        attempt_at=timezone.now()
    )
    client = FakeClient(read_session=remote_session(status="completed"), list_session_videos=page())

    reading = poll(SESSION, session, client)

    assert isinstance(reading, Changed)
    assert reading.group == "working"


def test_a_window_that_moves_fast_is_read_again_in_time():
    session = VideoSessionFactory()
    window = [remote_message(f"{n}", created_at=CREATED + n // 4) for n in range(40)]

    reading = poll(SESSION, session, FakeClient(read_session=remote_session(messages=window)))

    assert isinstance(reading, Changed)
    assert reading.within is not None
    assert reading.within < 4


@pytest.mark.parametrize(
    ("error", "reason", "missing"),
    [
        (heygen.NotFound("gone", status=404), "not_found", True),
        (heygen.ServerError("oops", status=502), "server_error", False),
        (heygen.NoAnswer("timeout"), "unreachable", False),
        (heygen.BadPayload("HTML", status=200), "bad_payload", False),
        (heygen.Unauthorized("key", status=401), "unauthorized", False),
    ],
)
def test_a_failed_read_changes_nothing_but_says_why(error, reason, missing):
    session = VideoSessionFactory(version=7)

    reading = poll(SESSION, session, FakeClient(read_session=error))

    session.refresh_from_db()
    assert isinstance(reading, Failed)
    assert (reading.reason, reading.missing, session.version) == (reason, missing, 7)


def test_the_third_404_in_a_row_marks_the_session_as_gone_and_keeps_it():
    session = VideoSessionFactory()
    failure = Failed(reason="not_found", message="", missing=True)

    on_failures([(claim_of(session, SESSION), failure, 2)])
    session.refresh_from_db()
    assert session.gone_at is None

    on_failures([(claim_of(session, SESSION), failure, 3)])
    session.refresh_from_db()
    assert session.gone_at is not None
    assert events_of(session) == ["session.gone"]


def test_a_session_whose_third_404_was_not_told_is_gone_with_the_fourth(django_capture_on_commit_callbacks):
    """The worker died between writing the schedule and telling the mirror."""
    session = VideoSessionFactory(version=7)
    failure = Failed(reason="not_found", message="", missing=True)

    with mock.patch("polling.changes._publish") as said, django_capture_on_commit_callbacks(execute=True):
        for count in (4, 5):
            on_failures([(claim_of(session, SESSION), failure, count)])

    session.refresh_from_db()
    assert session.gone_at is not None
    assert events_of(session) == ["session.gone"]
    assert [each["version"] for call in said.call_args_list for each in json.loads(call.args[0])] == [8]


def test_a_gone_session_is_looked_for_a_few_times_more_and_then_never():
    paces = [Pace("working", 0, failures=count, missing=count, jitter=1.0) for count in range(1, 9)]
    assert [SESSION.cadence(pace) for pace in paces] == [5, 30, 600, 3600, 21600, 86400, None, None]
    assert SESSION.cadence(Pace("working", 0, jitter=1.0)) == 3


def test_a_batch_of_ten_costs_as_many_queries_as_a_batch_of_one(django_assert_num_queries):
    def changes(count: int) -> list[Change]:
        found = []
        for session in VideoSessionFactory.create_batch(
            count, workspace=WorkspaceFactory(key="sk_0123456789abcdef")
        ):
            claim = claim_of(session, SESSION)
            job = SESSION.load([claim])[session.pk]
            remote = remote_session(status="generating", messages=[remote_message("Hello")])
            from sessions_app.mirror.session_merge import SessionReading

            found.append(Change(claim, job, SessionReading(remote, ()), "digest", "generating"))
        return found

    one, ten = changes(1), changes(10)
    with django_assert_num_queries(15):
        store(SESSION, one)
    with django_assert_num_queries(15):
        store(SESSION, ten)


def test_search_finds_messages_by_prefix_and_newest_first():
    session = VideoSessionFactory(prompt="A film")
    stranger = VideoSessionFactory()
    for row in (session, stranger):
        remote = remote_session(
            messages=[remote_message("Grüße aus Köln", "user"), remote_message("Koln again")]
        )
        poll(SESSION, row, FakeClient(read_session=remote))

    assert find("KÖL", [session.workspace_id]) == [Hit(session.pk, 1), Hit(session.pk, 0)]
    assert find("koln grusse", [session.workspace_id]) == [Hit(session.pk, 0)]
    assert find("köln owl", [session.workspace_id]) == []
    assert find("", [session.workspace_id]) == []
    assert find("köln", []) == []


def test_an_earlier_message_with_the_same_words_settles_no_later_press():
    session = VideoSessionFactory()
    just_now = int(timezone.now().timestamp())  # close enough in HeyGen's time to be taken for ours
    said = remote_session(messages=[remote_message("yes", "user", created_at=just_now)])
    poll(SESSION, session, FakeClient(read_session=said))
    Message.objects.update(first_seen_at=timezone.now() - dt.timedelta(seconds=60))
    command = sent_command(session, "yes")
    Command.objects.filter(pk=command.pk).update(attempt_at=timezone.now())

    poll(
        SESSION,
        session,
        FakeClient(read_session=remote_session(status="reviewing", messages=[*said.messages])),
    )

    command.refresh_from_db()
    assert (command.state, Message.objects.get().command_id) == ("unknown", None)


def test_a_session_without_news_is_told_once_in_each_stretch(django_assert_num_queries):
    session, other = VideoSessionFactory(status="thinking"), VideoSessionFactory(status="thinking")
    claims = [replace(claim_of(each, SESSION), age=16 * 60.0) for each in (session, other)]
    version = session.version

    SESSION.stuck(claims[:1])
    SESSION.stuck(claims)

    assert (events_of(session), events_of(other)) == (["session.stuck"], ["session.stuck"])
    assert Event.objects.get(object_id=session.pk).data == {"minutes": 16}
    session.refresh_from_db()
    assert (session.version, session.group) == (version + 1, "working")
    with django_assert_num_queries(1):
        SESSION.stuck(claims)
    # News came after that, and then nothing again: younger than the event is the stretch.
    SESSION.stuck([replace(claims[0], age=0.0)])
    assert events_of(session) == ["session.stuck", "session.stuck"]


def test_a_role_or_type_longer_than_its_column_is_known_again():
    session = VideoSessionFactory()
    odd = remote_message("Hello", role="r" * 80, type="t" * 80)

    for messages in ([odd], [odd, remote_message("More")]):
        poll(SESSION, session, FakeClient(read_session=remote_session(messages=messages)))

    assert [content for _, _, content in messages_of(session)] == ["Hello", "More"]
