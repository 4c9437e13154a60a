"""The main job through the real processes, undisturbed: what the fault tests disturb."""

from __future__ import annotations

import pytest

from commands import tokens
from sessions_app import actions, approving
from sessions_app.models import MediaFile, MediaState
from tests.processes import wait_until
from tests.studio import Studio

# On PostgreSQL it is done through the commands of the compose file.
pytestmark = [pytest.mark.faults, pytest.mark.usually("sqlite")]


def test_a_session_runs_from_prompt_to_film(studio: Studio):
    session = studio.create("A thirty second film about our bakery")
    studio.until(session, "status == 'waiting_for_input'")

    actions.send(session, text="Warm and friendly", token=tokens.new(), by=studio.person)
    studio.until(session, "status == 'reviewing'")
    revision = studio.storyboard(session)
    assert len(revision.resources) >= 3

    approving.approve(session, revision=revision.position, token=tokens.new(), by=studio.person)
    studio.until(session, "status == 'completed'", seconds=60)
    wait_until(lambda: session.videos.filter(group="done").exists(), seconds=30, what="the video is there")
    wait_until(
        lambda: not MediaFile.objects.exclude(state=MediaState.STORED).exists(),
        seconds=30,
        what="all files are copied",
    )

    assert studio.stored_log(session) == studio.remote_log(session)
    assert len(studio.simulator.control.ledger()["accepted"]) == 3
