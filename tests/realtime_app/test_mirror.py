from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from polling import schedule
from polling.models import PollState
from realtime_app.mirror.streams import ADDRESS_SECONDS
from realtime_app.models import Stream, StreamGroup, StreamKind, Word
from tests.realtime_app.conftest import Studio
from timeline.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


def spoken(stream: Stream) -> list[tuple[int, str]]:
    return list(Word.objects.filter(stream=stream).order_by("index").values_list("index", "word"))


def test_a_stream_is_followed_from_its_start_to_its_end(studio: Studio) -> None:
    stream = studio.start("Good morning.")
    assert (stream.stream_id, stream.group) == (None, StreamGroup.PENDING)

    studio.deliver()
    stream = studio.poll(stream)
    assert (stream.status, stream.group, stream.hls_url, stream.started_at) == (
        "pending",
        StreamGroup.PENDING,
        "",
        None,
    )

    studio.simulator.control.advance(30)
    stream = studio.poll(stream)
    address = f"{studio.simulator.url}/live/{stream.stream_id}/index.m3u8"
    assert (stream.status, stream.group, stream.hls_url.partition("?")[0]) == (
        "streaming",
        StreamGroup.STREAMING,
        address,
    )
    assert stream.started_at is not None
    assert stream.ended_at is None

    studio.simulator.control.advance(60)
    ended = studio.poll(stream)
    assert (ended.status, ended.group, ended.end_reason) == (
        "completed",
        StreamGroup.COMPLETED,
        "idle_timeout",
    )
    # A player goes on with the address that it has.
    assert ended.hls_url == stream.hls_url
    assert ended.ended_at is not None
    assert PollState.objects.get(kind="stream", object_id=stream.pk).next_poll_at is None
    changes = Event.objects.filter(object_id=stream.pk, what="stream.status").order_by("id")
    assert [event.data["to"] for event in changes] == ["pending", "streaming", "completed"]


def test_polls_of_an_unchanged_stream_write_nothing_but_their_schedule(studio: Studio) -> None:
    stream = studio.playing()
    again = studio.poll(stream)
    assert again.version == stream.version
    assert Event.objects.filter(object_id=stream.pk, what="stream.status").count() == 1


def test_a_fresh_address_replaces_an_old_one_though_nothing_else_changed(studio: Studio) -> None:
    stream = studio.playing()
    Stream.objects.filter(pk=stream.pk).update(
        hls_url="https://files.heygen.ai/old.m3u8?sig=1",
        hls_read_at=timezone.now() - dt.timedelta(seconds=2 * ADDRESS_SECONDS),
    )
    assert studio.poll(stream).hls_url.startswith(studio.simulator.url)


def test_a_status_never_seen_before_is_kept_as_it_came(studio: Studio) -> None:
    stream = studio.playing()
    studio.simulator.control.fault(
        "edit", "/v3/avatar-realtime/*", method="GET", set={"data.status": "Buffering"}
    )
    stream = studio.poll(stream)
    assert (stream.status, stream.group, stream.ended_at) == ("Buffering", StreamGroup.UNKNOWN, None)


def test_a_stream_that_heygen_forgot_is_gone_after_three_answers(studio: Studio) -> None:
    stream = studio.playing()
    studio.simulator.control.fault("status", "/v3/avatar-realtime/*", method="GET", status=404, count=3)
    assert studio.poll(stream).gone_at is None
    assert studio.poll(stream).gone_at is None
    gone = studio.poll(stream)
    assert gone.gone_at is not None
    assert gone.group == StreamGroup.STREAMING
    assert gone.hls_url == stream.hls_url
    assert PollState.objects.get(kind="stream", object_id=stream.pk).next_poll_at is None


def test_a_broken_answer_changes_nothing_but_the_health_line(studio: Studio) -> None:
    stream = studio.playing()
    studio.simulator.control.fault("html", "/v3/avatar-realtime/*", method="GET")
    again = studio.poll(stream)
    assert again.version == stream.version
    freshness = schedule.freshness("stream", [stream.pk])[stream.pk]
    assert (freshness.failures, freshness.late) == (1, True)


def test_words_are_collected_once_however_often_they_are_replayed(studio: Studio) -> None:
    stream = studio.playing("One two three four five six seven eight.")
    studio.simulator.control.advance(1.0)
    stream = studio.poll(stream, "words")
    some = spoken(stream)
    assert 0 < len(some) < 9

    again = studio.poll(stream, "words")
    assert spoken(again) == some
    assert again.version == stream.version

    studio.push(stream, "Nine.")
    studio.deliver()
    studio.simulator.control.advance(60)
    studio.poll(stream)
    ended = studio.poll(stream, "words")
    assert [word for _, word in spoken(ended)] == [
        *("One", "two", "three", "four", "five", "six", "seven", "eight", "."),
        *("Nine", "."),
    ]
    assert ended.words_ended
    assert PollState.objects.get(kind="words", object_id=stream.pk).next_poll_at is None


def test_words_of_a_stream_that_was_never_seen_playing_are_fetched_at_its_end(studio: Studio) -> None:
    stream = studio.start("Good morning.", StreamKind.TTS)
    studio.deliver()
    studio.simulator.control.advance(120)
    stream = studio.poll(stream)
    assert (stream.group, stream.started_at) == (StreamGroup.COMPLETED, None)
    stream = studio.poll(stream, "words")
    assert [word for _, word in spoken(stream)] == ["Good", "morning", "."]
    assert stream.words_ended


def test_a_shorter_replay_takes_no_word_away(studio: Studio) -> None:
    stream = studio.playing("One two three.")
    Word.objects.bulk_create(
        [
            Word(stream=stream, index=index, word=f"old{index}", start=index, end=index + 1)
            for index in range(6)
        ]
    )
    studio.simulator.control.advance(1.0)
    studio.poll(stream, "words")
    found = spoken(stream)
    assert found[0] == (0, "One")
    assert found[5] == (5, "old5")
    assert [index for index, _ in found] == [0, 1, 2, 3, 4, 5]
