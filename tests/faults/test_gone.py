"""What HeyGen has no more: sessions that were deleted there, and links that have expired."""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.utils import timezone

from polling.models import PollState
from sessions_app.models import MediaFile, MediaState
from tests.processes import wait_until
from tests.studio import Studio

pytestmark = [pytest.mark.faults, pytest.mark.usually("sqlite"), pytest.mark.lasts(70)]

MEDIA = "/media*"


def test_a_session_that_was_deleted_there_is_asked_for_three_times_and_then_left_alone(studio: Studio):
    session = studio.create("A film about owls [scenario: stuck-thinking]")
    other = studio.create("A film about bees [scenario: stuck-thinking]")
    for each in (session, other):
        studio.until(each, "message_count > 0")
    said = studio.stored_log(session)
    control = studio.simulator.control

    def asked(remote_id: str) -> list[float]:
        template = "/v3/video-agents/{session_id}"
        calls = control.calls(template=template, since=deleted_at, last=10_000)["calls"]
        return [call["at"] for call in calls if call["path"].endswith(f"/{remote_id}")]

    deleted_at = timezone.now().timestamp()
    control.messages(session.remote_id, {"gone": True})
    studio.until(session, "gone_at is not None", seconds=60)

    denied = asked(session.remote_id)
    assert len(denied) == 3
    assert (denied[1] - denied[0] >= 4, denied[2] - denied[1] >= 25) == (True, True)
    # While the one beside it goes on being read, nobody asks for it; the first of a few late looks is in ten minutes.
    more = len(asked(other.remote_id)) + 2
    wait_until(lambda: len(asked(other.remote_id)) >= more, seconds=60, what="the other one is read")
    assert asked(session.remote_id) == denied
    assert studio.stored_log(session) == said
    row = PollState.objects.get(kind="session", object_id=session.pk)
    assert row.next_poll_at is None or row.next_poll_at > timezone.now() + timedelta(minutes=9)


def test_files_whose_links_have_expired_are_asked_for_anew_and_copied(studio: Studio):
    control = studio.simulator.control
    control.settings(link_seconds=2)
    control.fault("status", MEDIA, status=503, count=None)
    session = studio.create("A film about a lighthouse [scenario: no-question]")
    studio.storyboard(session)
    files = MediaFile.objects.filter(resource__session=session)
    first = dict(files.values_list("pk", "remote_url"))
    assert first
    assert not files.exclude(state=MediaState.WANTED).exists()

    last = max(int(parse_qs(urlsplit(url).query)["Expires"][0]) for url in first.values())
    wait_until(lambda: time.time() > last + 1, what="the links have expired")
    control.clear_faults()
    assert {requests.get(url, timeout=5).status_code for url in first.values()} == {403}
    control.settings(link_seconds=3600)
    # A link of the last minute would not be asked for anew: these are of two minutes ago.
    files.update(linked_at=timezone.now() - timedelta(minutes=2))

    wait_until(lambda: not files.exclude(state=MediaState.STORED).exists(), seconds=60, what="all are copied")
    assert all(url != first.get(pk) for pk, url in files.values_list("pk", "remote_url"))
