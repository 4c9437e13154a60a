"""How an unclear create is settled by HeyGen's list, and what becomes of a session that was adopted meanwhile."""

from __future__ import annotations

import datetime as dt
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

import heygen
from commands.kinds import Accepted, AskPerson, NotYet, Refused
from commands.models import Command
from polling.models import PollState
from sessions_app import sending
from sessions_app.mirror.sessions import SESSION
from sessions_app.models import (
    Draft,
    Message,
    ReadMark,
    Resource,
    SearchText,
    SessionTag,
    Snooze,
    Video,
    VideoSession,
)
from tests.factories import (
    MessageFactory,
    ResourceFactory,
    UserFactory,
    VideoSessionFactory,
    WorkspaceFactory,
)
from tests.fakes import (
    FakeClient,
    created_session,
    page,
    remote_message,
    remote_session,
    sent,
    session_summary,
)
from tests.sessions_app.mirroring import FakeConnection, poll
from tests.sessions_app.presses import press_in
from timeline.models import Event
from workspaces_app import webhooks

pytestmark = pytest.mark.django_db

PROMPT = "A film about a bakery"


def pressed(
    state: str = "unknown", *, seconds_ago: float = 60, prompt: str = PROMPT, **fields: Any
) -> Command:
    """A create in that state and the session that waits for it."""
    session = VideoSessionFactory(remote_id=None, status="", prompt=prompt, **fields)
    return press_in(
        session,
        state,
        sending.CREATE_KIND,
        payload={"prompt": prompt, "dialect": session.dialect, "files": []},
        attempt_at=timezone.now() - dt.timedelta(seconds=seconds_ago),
    )


def settled(command: Command, *listed: str, prompt: str = PROMPT, seconds_ago: float = 30) -> Any:
    """What settling finds when HeyGen lists these sessions (newest first), all of them begun with `prompt`."""
    created = int(timezone.now().timestamp() - seconds_ago)
    client = FakeClient(
        list_sessions=page(*[session_summary(name, created_at=created) for name in listed]),
        read_session=remote_session(messages=[remote_message(prompt, "user")]),
    )
    connection = mock.Mock(wraps=FakeConnection(client), fingerprint=command.workspace.key_fingerprint)
    with mock.patch.object(sending, "connections_for", return_value={command.workspace_id: connection}):
        return sending.settle_create(command)


def test_the_only_new_session_with_the_prompt_is_the_answer():
    outcome = settled(pressed(), "new")
    assert isinstance(outcome, Accepted)
    assert outcome.remote_ref == "new"


def test_one_with_other_words_or_from_before_the_press_is_not():
    assert settled(pressed(), "new", prompt="Something else") == NotYet()
    assert settled(pressed(), "old", seconds_ago=1000) == NotYet()


def test_one_that_is_listed_and_cannot_be_read_hides_no_other():
    command = pressed()
    now = int(timezone.now().timestamp())
    client = FakeClient(
        list_sessions=page(
            session_summary("deleted", created_at=now), session_summary("new", created_at=now)
        ),
        # From the oldest on.
        read_session=[
            remote_session("new", messages=[remote_message(PROMPT, "user")]),
            heygen.NotFound("no", status=404),
        ],
    )
    with mock.patch.object(sending, "connections_for") as connections:
        connections.return_value = {
            command.workspace_id: mock.Mock(client=lambda **_: client, fingerprint="")
        }
        outcome = sending.settle_create(command)
    assert isinstance(outcome, Accepted)
    assert outcome.remote_ref == "new"


def test_the_list_is_read_as_far_back_as_the_press():
    command = pressed()
    now = int(timezone.now().timestamp())
    pages = [
        page(session_summary("c", created_at=now), next_token="behind c"),
        page(session_summary("b", created_at=now), session_summary("a", created_at=1), next_token="behind a"),
    ]
    client = FakeClient(
        list_sessions=pages, read_session=remote_session(messages=[remote_message("No", "user")])
    )
    with mock.patch.object(sending, "connections_for") as connections:
        connections.return_value = {
            command.workspace_id: mock.Mock(client=lambda **_: client, fingerprint="")
        }
        assert sending.settle_create(command) == NotYet()
    assert [asked["token"] for asked in client.called("list_sessions")] == [None, "behind c"]


def test_the_older_dialect_has_no_list_to_look_in():
    assert settled(pressed(dialect="sessions")) == AskPerson("no_list")


def test_two_open_creates_of_one_prompt_wait_for_two_sessions():
    workspace = WorkspaceFactory()
    first = pressed(seconds_ago=90, workspace=workspace)
    second = pressed(seconds_ago=60, workspace=workspace)

    assert settled(first, "only") == NotYet()
    assert settled(first, "younger", "older").remote_ref == "older"
    assert settled(second, "younger", "older").remote_ref == "younger"


def test_one_that_a_person_sent_again_is_no_rival():
    workspace = WorkspaceFactory()
    first = pressed(workspace=workspace)
    repeat = pressed(workspace=workspace)
    Command.objects.filter(pk=repeat.pk).update(repeats=first)

    assert settled(repeat, "only").remote_ref == "only"


def test_workspaces_that_share_a_key_do_not_take_each_others_sessions():
    red, blue = WorkspaceFactory(key="sk_shared_by_two"), WorkspaceFactory(key="sk_shared_by_two")
    made = pressed("accepted", workspace=blue)
    VideoSession.objects.filter(pk=made.object_id).update(remote_id="blue")
    mine = pressed(workspace=red)

    assert settled(mine, "blue") == NotYet()

    pressed(workspace=blue)
    assert settled(mine, "one") == NotYet()


def test_a_session_that_was_adopted_after_the_press_may_still_be_its_answer():
    command = pressed()
    VideoSessionFactory(workspace=command.workspace, remote_id="new", prompt="")
    assert settled(command, "new").remote_ref == "new"


def test_a_session_that_was_known_before_the_press_is_not_its_answer():
    command = pressed()
    known = VideoSessionFactory(workspace=command.workspace, remote_id="known", prompt="")
    VideoSession.objects.filter(pk=known.pk).update(created_at=command.attempt_at - dt.timedelta(seconds=1))
    assert settled(command, "known") == NotYet()


def test_what_people_put_on_both_rows_of_one_session_stands_in_no_way():
    command, reader, other = pressed("accepted"), UserFactory(), UserFactory()
    mine = VideoSession.objects.get(pk=command.object_id)
    adopted = VideoSessionFactory(workspace=command.workspace, remote_id="new", prompt="")
    for session, tags in ((mine, ["Spring"]), (adopted, ["spring", "bread"])):
        ReadMark.objects.create(session=session, user=reader, position=0)
        Snooze.objects.create(session=session, user=reader, active_at=session.active_at)
        for name in tags:
            SessionTag.objects.create(session=session, workspace=session.workspace, name=name)
    ReadMark.objects.create(session=adopted, user=other, position=0)
    draft = Draft.objects.create(workspace=adopted.workspace, owner=other, like=adopted)

    sending.create_accepted(command, Accepted(remote_ref="new"))

    assert [tag.name for tag in mine.tags.all()] == ["Spring", "bread"]
    assert {mark.user for mark in mine.read_marks.all()} == {reader, other}
    assert mine.snoozes.count() == 1
    assert list(mine.drafts.all()) == [draft]


def test_what_was_adopted_meanwhile_becomes_the_session_of_the_press():
    command = pressed("accepted")
    SearchText.objects.create(session_id=command.object_id, position=-1, text="bakery")
    adopted = VideoSessionFactory(workspace=command.workspace, remote_id="new", prompt="")
    SessionTag.objects.create(session=adopted, workspace=adopted.workspace, name="spring")
    remote = remote_session(
        "new",
        title="Bread",
        messages=[remote_message(PROMPT, "user"), remote_message("Look", resource_ids=["a"])],
    )
    poll(SESSION, adopted, FakeClient(read_session=remote))
    said = press_in(adopted, "queued")

    sending.create_accepted(command, Accepted(remote_ref="new"))

    session = VideoSession.objects.get()
    assert (session.pk, session.remote_id, session.title) == (command.object_id, "new", "Bread")
    assert (session.message_count, [tag.name for tag in session.tags.all()]) == (2, ["spring"])
    assert list(Message.objects.values_list("session", "position", "content")) == [
        (session.pk, 0, PROMPT),
        (session.pk, 1, "Look"),
    ]
    assert Resource.objects.get().session_id == session.pk
    said.refresh_from_db()
    assert said.object_id == session.pk
    assert (
        PollState.objects.filter(kind="session", object_id=adopted.pk, next_poll_at__isnull=False).count()
        == 0
    )
    assert (
        PollState.objects.filter(kind="session", object_id=session.pk, next_poll_at__isnull=False).count()
        == 1
    )

    poll(SESSION, session, FakeClient(read_session=remote))
    assert Message.objects.count() == 2


def test_a_video_that_the_answer_names_is_followed_though_the_session_is_never_seen():
    command = pressed("accepted")
    accepted = Accepted(remote_ref="new", answer={"status": "generating", "video_id": "v_1"})

    for _ in range(2):
        sending.create_accepted(command, accepted)

    video = Video.objects.get()
    assert (video.session_id, video.video_id, video.workspace) == (
        command.object_id,
        "v_1",
        command.workspace,
    )
    assert PollState.objects.filter(kind="video", object_id=video.pk, next_poll_at__isnull=False).count() == 1

    session = VideoSession.objects.get()
    poll(
        SESSION, session, FakeClient(read_session=remote_session("new", status="generating", video_id="v_1"))
    )
    assert list(session.videos.all()) == [video]
    told = Event.objects.of("session", session.pk).filter(what="session.video")
    assert [(event.source, event.data) for event in told] == [("system", {"video_id": "v_1"})]


def test_a_late_answer_does_not_disturb_what_a_repeat_made():
    command = pressed("accepted")
    VideoSession.objects.filter(pk=command.object_id).update(remote_id="repeat", title="Kept")
    late = VideoSessionFactory(workspace=command.workspace, remote_id="late", title="Late")
    ResourceFactory(session=late)

    sending.create_accepted(command, Accepted(remote_ref="late"))

    assert set(VideoSession.objects.values_list("remote_id", "title")) == {
        ("repeat", "Kept"),
        ("late", "Late"),
    }
    assert Resource.objects.get().session_id == late.pk


def test_no_more_creates_are_sent_than_the_account_runs_at_once(settings: Any):
    settings.CEILING_SESSIONS = 2
    workspace = WorkspaceFactory(key="sk_one_of_ours")
    command = pressed("queued", workspace=workspace)
    VideoSessionFactory(workspace=workspace, group="working")
    VideoSessionFactory(workspace=workspace, group="done")
    assert sending.ceiling(command) is None

    VideoSessionFactory(workspace=WorkspaceFactory(key="sk_one_of_ours"), group="working")
    assert sending.ceiling(command) == "ceiling"


def test_what_has_stood_still_for_hours_takes_no_place(settings: Any):
    """HeyGen leaves some sessions at "thinking" for ever: ten of them must not end all creates."""
    settings.CEILING_SESSIONS = 1
    workspace = WorkspaceFactory(key="sk_one_of_ours")
    command = pressed("queued", workspace=workspace)
    stuck = VideoSessionFactory(workspace=workspace, group="working", active_at=timezone.now())
    assert sending.ceiling(command) == "ceiling"

    long_ago = timezone.now() - dt.timedelta(days=2)
    VideoSession.objects.filter(pk=stuck.pk).update(active_at=long_ago, status_since=long_ago)
    assert sending.ceiling(command) is None


def test_one_free_place_is_taken_by_one_create_the_oldest(settings: Any):
    settings.CEILING_SESSIONS = 3
    workspace = WorkspaceFactory(key="sk_one_of_ours")
    # The same session, adopted by two workspaces that share the key, takes one place.
    for mirror in (workspace, WorkspaceFactory(key="sk_one_of_ours")):
        VideoSessionFactory(workspace=mirror, remote_id="shared", group="working")
    pressed("sending", workspace=workspace)
    first, second = pressed("queued", workspace=workspace), pressed("queued", workspace=workspace)
    assert [sending.ceiling(each) for each in (first, second)] == [None, "ceiling"]

    # One that may not go yet holds nobody up; nor does one that waits for a person's word.
    Command.objects.filter(pk=first.pk).update(not_before=timezone.now() + dt.timedelta(minutes=1))
    assert sending.ceiling(second) is None
    unknown = pressed("unknown", workspace=workspace)
    assert sending.ceiling(second) == "ceiling"
    Command.objects.filter(pk=unknown.pk).update(asks_person_since=timezone.now(), due_at=None)
    assert sending.ceiling(second) is None


def test_an_approval_that_waited_is_not_sent_for_another_storyboard():
    session = VideoSessionFactory(message_count=4, status="reviewing", group="needs_you")
    for position, name in ((1, "a"), (3, "b")):
        MessageFactory(session=session, position=position - 1, role="user", content="Please")
        MessageFactory(session=session, position=position, resource_ids=[name])
        ResourceFactory(session=session, resource_id=name, message_position=position)
    client = FakeClient(send_message=sent())
    connection = {session.workspace_id: FakeConnection(client)}

    with mock.patch.object(sending, "connections_for", return_value=connection):
        stale = sending.send_message(press_in(session, payload={"message": "Approved", "revision": 1}))
        fresh = sending.send_message(press_in(session, payload={"message": "Approved", "revision": 3}))

    assert isinstance(stale, Refused)
    assert (stale.status, stale.code) == (None, "stale_revision")
    assert isinstance(fresh, Accepted)
    assert [call.name for call in client.calls] == ["send_message"]


@pytest.mark.parametrize(
    ("public_url", "dialect", "told"),
    [
        ("https://dailies.example", "current", True),
        ("https://dailies.example", "sessions", False),
        ("http://127.0.0.1:8000", "current", False),
    ],
)
def test_heygen_is_told_where_to_call_only_if_it_can(
    settings: Any, public_url: str, dialect: str, told: bool
):
    settings.PUBLIC_URL = public_url
    command = pressed("queued", dialect=dialect)
    client = FakeClient(create_session=created_session())
    connection = mock.Mock(wraps=FakeConnection(client), fingerprint="")

    with mock.patch.object(sending, "connections_for", return_value={command.workspace_id: connection}):
        sending.send_create(command)

    (call,) = client.called("create_session")
    address = call["wanted"].callback_url or ""
    assert address.startswith("https://dailies.example/webhooks/callback/") is told
    if told:
        opened = webhooks.opened_callback(address.rstrip("/").rpartition("/")[2])
        assert opened == (command.workspace_id, "session", command.object_id)
