"""A press reaches HeyGen once, whatever happens to its answer."""

from __future__ import annotations

import pytest

from commands import tokens
from commands.models import Command
from sessions_app.models import VideoSession
from tests.processes import wait_until
from tests.studio import Studio

pytestmark = pytest.mark.faults


@pytest.mark.usually("sqlite")
def test_the_same_form_posted_twice_makes_one_session(studio: Studio):
    token = tokens.new()

    first = studio.create("A film about bees", token=token)
    second = studio.create("A film about bees", token=token)
    studio.until(first, "remote_id is not None")

    assert first.pk == second.pk
    assert [call["body"]["prompt"] for call in studio.accepted()] == ["A film about bees"]


@pytest.mark.usually("postgresql")
def test_a_create_whose_answer_was_cut_off_is_found_in_the_list(studio: Studio):
    studio.simulator.control.fault("drop", "/v3/video-agents", method="POST", after=True)

    session = studio.create("A film about owls")
    studio.until(session, "remote_id is not None", seconds=40)

    command = Command.objects.get()
    assert (command.state, command.settled_by, command.remote_ref) == ("accepted", "list", session.remote_id)
    assert (VideoSession.objects.count(), session.owner) == (1, studio.person)
    assert len(studio.accepted()) == 1


@pytest.mark.usually("postgresql")
def test_a_sender_killed_before_the_answer_sends_nothing_twice(studio: Studio):
    studio.simulator.control.fault("slow", "/v3/video-agents", method="POST", seconds=8, after=True)

    session = studio.create("A film about foxes")
    wait_until(lambda: len(studio.accepted()) == 1, what="HeyGen accepted the create")
    studio.dailies.kill("commands")
    studio.dailies.start("commands")

    studio.until(session, "remote_id is not None", seconds=60)
    assert len(studio.accepted()) == 1
    assert VideoSession.objects.count() == 1


@pytest.mark.usually("sqlite")
def test_a_refusal_names_its_field_and_keeps_what_was_typed(studio: Studio):
    studio.simulator.control.fault(
        "status",
        "/v3/video-agents",
        method="POST",
        status=400,
        code="invalid_parameter",
        message="There is no such style.",
        param="style_id",
    )

    session = studio.create("A film with a style that is not there")
    wait_until(lambda: Command.objects.get().state == "refused", seconds=20, what="the create is refused")

    error = Command.objects.get().error
    session.refresh_from_db()
    assert (error["param"], error["message"]) == ("style_id", "There is no such style.")
    assert (session.prompt, session.group, session.remote_id) == (
        "A film with a style that is not there",
        "failed",
        None,
    )
    assert studio.accepted() == []
