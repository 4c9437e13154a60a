"""Live pages on a machine whose clock is off: the database's decides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from polling import clock, schedule
from polling.models import PollState
from realtime_app import listing, page, topic
from realtime_app.mirror import streams
from realtime_app.models import Stream, StreamGroup
from tests.factories import StreamFactory
from tests.sessions_app.mirroring import claim_of

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[-600, 600], ids=["behind", "ahead"])
def stream(request: pytest.FixtureRequest, set_clock: Callable[[float], None]) -> Stream:
    """One that has been playing for 30 seconds, and was read 7 seconds ago."""
    set_clock(request.param)
    found: Stream = StreamFactory(stream_id="s1", status="streaming", group=StreamGroup.STREAMING)
    Stream.objects.filter(pk=found.pk).update(started_at=clock.later(-30))
    schedule.enroll(streams.KIND, [found.pk], workspace_id=found.workspace_id, fingerprint="key")
    PollState.objects.update(polled_at=clock.later(-7))
    return found


def test_what_a_page_says(stream: Stream):
    assert topic.age(stream.pk) == pytest.approx(7, abs=2)
    shown = Stream.objects.for_page().get(pk=stream.pk)
    assert page.context(shown)["seconds_live"] == pytest.approx(30, abs=5)
    (row,) = listing.rows(list(Stream.objects.for_list()))
    assert row.seconds == pytest.approx(30, abs=5)


@pytest.mark.parametrize(("age", "old"), [(200, False), (400, True)])
def test_an_address_is_old_after_five_minutes(age: float, old: bool, stream: Stream):
    Stream.objects.filter(pk=stream.pk).update(hls_read_at=clock.later(-age))

    assert streams.load([claim_of(stream, streams.STREAM)])[stream.pk].address_is_old is old
