"""The main job through the real processes, undisturbed: what the fault tests disturb."""

from __future__ import annotations

import pytest

from commands import tokens
from commands.models import Command
from sessions_app import actions, approving
from sessions_app.models import MediaFile, MediaState, VideoSession
from tests.processes import wait_until
from tests.studio import Studio

# On PostgreSQL it is done through the commands of the compose file.
pytestmark = [pytest.mark.faults, pytest.mark.usually("sqlite"), pytest.mark.lasts(45)]


def approved_to_the_end(studio: Studio, session: VideoSession, position: int) -> None:
    """The storyboard is approved, the film and all other files are kept, and nothing of the conversation is lost."""
    approving.approve(session, revision=position, token=tokens.new(), by=studio.person)
    studio.until(session, "status == 'completed'", seconds=60)
    wait_until(lambda: session.videos.filter(group="done").exists(), seconds=30, what="the video is there")
    wait_until(
        lambda: not MediaFile.objects.exclude(state=MediaState.STORED).exists(),
        seconds=30,
        what="all files are copied",
    )
    assert studio.stored_log(session) == studio.remote_log(session)


def test_a_session_runs_from_prompt_to_film(studio: Studio):
    session = studio.create("A thirty second film about our bakery")
    studio.until(session, "status == 'waiting_for_input'")

    actions.send(session, text="Warm and friendly", token=tokens.new(), by=studio.person)
    studio.until(session, "status == 'reviewing'")
    revision = studio.storyboard(session)
    assert len(revision.resources) >= 3

    approved_to_the_end(studio, session, revision.position)
    assert len(studio.simulator.control.ledger()["accepted"]) == 3


def test_a_session_of_the_older_dialect_runs_from_prompt_to_film(studio: Studio):
    studio.workspace.dialect = "sessions"
    studio.workspace.save(update_fields=["dialect"])
    session = studio.create("A thirty second film about our bakery")
    studio.until(session, "status == 'reviewing'")
    first = studio.storyboard(session)

    actions.send(session, text="Make the second picture darker", token=tokens.new(), by=studio.person)
    revision = studio.storyboard(session, after=first.number)
    studio.until(session, "status == 'reviewing'")
    approved_to_the_end(studio, session, revision.position)
    bodies = [entry["body"] for entry in studio.accepted()]
    assert [(body.get("message"), body["auto_proceed"]) for body in bodies] == [
        (None, False),
        ("Make the second picture darker", False),
        (approving.APPROVAL, True),
    ]
    calls = studio.simulator.control.calls(last=100_000)["calls"]
    asked = {call["path"] for call in calls if call["path"].startswith("/v3/video-agents")}
    assert {path for path in asked if not path.startswith("/v3/video-agents/sessions")} <= {
        "/v3/video-agents/styles"
    }


def test_what_the_older_dialect_took_without_an_answer_is_asked_of_a_person_at_once(studio: Studio):
    studio.workspace.dialect = "sessions"
    studio.workspace.save(update_fields=["dialect"])
    studio.simulator.control.fault("drop", "/v3/video-agents/sessions", method="POST", after=True)
    session = studio.create("A film about moths")

    def press() -> Command:
        return Command.objects.get(object_id=session.pk)

    wait_until(lambda: press().asks_person_since is not None, seconds=10, what="a person is asked")

    (made,) = studio.accepted()
    assert actions.decide(press(), happened=True, remote_id=made["id"], by=studio.person)
    studio.until(session, "status == 'reviewing'")
    assert len(studio.accepted()) == 1
