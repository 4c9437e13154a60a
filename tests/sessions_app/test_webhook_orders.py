"""Webhooks lost, doubled, late or out of order end in the same rows: a delivery only makes a session due.

A thousand sessions live the same life side by side (ten thousand with `--long`), each with its own random order of
deliveries and polls; the engine's batches make that affordable.
"""

from __future__ import annotations

import random
import uuid

import pytest
from django.utils import timezone

from polling.kinds import Change
from polling.models import PollState
from sessions_app import deliveries
from sessions_app.mirror.session_merge import SessionReading
from sessions_app.mirror.sessions import SESSION, Job
from sessions_app.models import Message, VideoSession
from tests.factories import WorkspaceFactory
from tests.fakes import CREATED, remote_message, remote_session
from tests.sessions_app.mirroring import FakeConnection, claim_of, store
from workspaces_app.webhooks import Delivery

pytestmark = pytest.mark.django_db

ORDERS = 1_000
BATCH = 500

SAID = [
    remote_message("A film about rain", "user"),
    remote_message("Shall it be sad?", created_at=CREATED + 10),
    remote_message("No", "user", created_at=CREATED + 20),
    remote_message("Here is the storyboard", created_at=CREATED + 30, resource_ids=["res_1"]),
    remote_message("Approved", "user", created_at=CREATED + 40),
]
# What HeyGen would answer after each step of the life.
LIFE = [
    remote_session(status="thinking", messages=SAID[:1]),
    remote_session(status="waiting_for_input", messages=SAID[:2], title="Rain"),
    remote_session(status="reviewing", messages=SAID[:4], title="Rain", progress=45),
    remote_session(status="generating", messages=SAID, title="Rain", progress=60),
    remote_session(status="completed", messages=SAID, title="Rain", progress=100, video_id="v_1"),
]


def outcome(session_ids: list[uuid.UUID]) -> set[tuple[object, ...]]:
    """What every session ended as; one element when all are the same."""
    texts: dict[uuid.UUID, list[tuple[int, str, str]]] = {pk: [] for pk in session_ids}
    for session_id, *message in (
        Message.objects.filter(session__in=session_ids)
        .order_by("position")
        .values_list("session", "position", "role", "content")
    ):
        texts[session_id].append(tuple(message))
    columns = ("pk", "status", "group", "progress", "title", "video_id", "message_count")
    return {
        (*rest, tuple(texts[pk]))
        for pk, *rest in VideoSession.objects.filter(pk__in=session_ids).values_list(*columns)
    }


def test_every_order_ends_in_the_same_rows(pytestconfig: pytest.Config):
    orders = ORDERS * (10 if pytestconfig.getoption("--long") else 1)
    chance = random.Random(20_261_121)
    workspace = WorkspaceFactory()
    now = timezone.now()
    ends: set[tuple[object, ...]] = set()
    for start in range(0, orders, BATCH):
        sessions = VideoSession.objects.bulk_create(
            VideoSession(
                workspace=workspace, remote_id=f"sess_{start + n}", prompt="", active_at=now, status_since=now
            )
            for n in range(BATCH)
        )
        PollState.objects.bulk_create(
            PollState(kind="session", object_id=session.pk, workspace=workspace) for session in sessions
        )
        seen: dict[uuid.UUID, int] = {}
        for step, remote in enumerate(LIFE):
            last = step == len(LIFE) - 1
            # Lost: nobody polls at this step. Late: the delivery of an earlier step arrives now. Doubled: twice.
            told = [session for session in sessions if last or chance.random() < 0.5]
            for session in chance.sample(told, 3):
                for _ in range(chance.choice([1, 1, 2])):
                    event = chance.choice(["video_agent.success", "video_agent.fail", "never.heard.of"])
                    assert deliveries.wake(Delivery(workspace.pk, event, session_id=session.remote_id or ""))
            chance.shuffle(told)
            job = Job(FakeConnection(None), "", "current", "", "", awaits_reaction=False)  # type: ignore[arg-type]
            videos = ("v_1",) if last else ()
            for doubled in range(chance.choice([1, 2])):
                again = told if doubled == 0 else told[: BATCH // 10]
                store(
                    SESSION,
                    [
                        Change(
                            claim_of(session, SESSION),
                            job,
                            SessionReading(remote, videos),
                            f"{step}",
                            "working",
                        )
                        for session in again
                    ],
                )
            seen.update((session.pk, step) for session in told)
        assert set(seen.values()) == {len(LIFE) - 1}
        ends |= outcome([session.pk for session in sessions])

    assert ends == {
        (
            "completed",
            "done",
            100,
            "Rain",
            "v_1",
            5,
            tuple((n, message.role, message.content) for n, message in enumerate(SAID)),
        )
    }


def test_a_delivery_about_nothing_of_ours_wakes_nothing():
    other = WorkspaceFactory()
    VideoSession.objects.create(
        workspace=other, remote_id="sess_1", active_at=timezone.now(), status_since=timezone.now()
    )

    assert not deliveries.wake(Delivery(WorkspaceFactory().pk, "video_agent.success", session_id="sess_1"))
