"""Resources, videos and their files: what a poll of each writes, and how often a broken one is asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

import heygen
from polling.kinds import Change, Changed, Failed, Pace, Unchanged
from polling.models import PollState
from sessions_app.mirror.files import FILE
from sessions_app.mirror.files import TRIES as FILE_TRIES
from sessions_app.mirror.resources import RESOURCE, TRIES
from sessions_app.mirror.videos import VIDEO
from sessions_app.models import MediaFile, Resource, Video
from tests.factories import MediaFileFactory, ResourceFactory, VideoFactory, VideoSessionFactory
from tests.fakes import FakeClient, remote_resource, remote_video
from tests.sessions_app.media_host import PNG, MediaHost, running
from tests.sessions_app.mirroring import claim_of, poll, polled, store
from timeline.models import Event

pytestmark = pytest.mark.django_db

LINK = "https://files.heygen.ai/a.png?Signature={}"
NEWS = {"url": LINK.format(1), "thumbnail_url": "https://files.heygen.ai/t.png"}


@pytest.fixture
def host(settings: Any, tmp_path: Path) -> Iterator[MediaHost]:
    with running() as host:
        settings.MEDIA_DIR = tmp_path
        settings.MEDIA_HOSTS = [host.origin]
        yield host


def links() -> dict[str, tuple[str, str]]:
    return {file.role: (file.remote_url, file.state) for file in MediaFile.objects.all()}


def aged(**fields: Any) -> None:
    """Makes the links of all files two minutes old."""
    MediaFile.objects.update(linked_at=timezone.now() - dt.timedelta(minutes=2), **fields)


def copied(file: MediaFile) -> Changed | Failed:
    """One try to copy a file, and what follows from it."""
    claim = claim_of(file, FILE)
    jobs = FILE.load([claim])
    if file.pk not in jobs:
        raise LookupError("the kind wants this file retired")
    reading = FILE.read(claim, jobs[file.pk])
    if isinstance(reading, Changed):
        store(FILE, [Change(claim, jobs[file.pk], reading.value, reading.digest, reading.group)])
    else:
        assert isinstance(reading, Failed)
    return reading


def told(file: MediaFile, reading: Failed, times: int = 1) -> None:
    assert FILE.failed is not None
    FILE.failed([(claim_of(file, FILE), reading, times)])
    file.refresh_from_db()


def woken(kind: str) -> set[Any]:
    return set(
        PollState.objects.filter(kind=kind, next_poll_at__isnull=False).values_list("object_id", flat=True)
    )


# --- resources --------------------------------------------------------------------------------------------------------


def test_a_resource_is_described_and_its_links_are_copied():
    resource = ResourceFactory(type="", read_at=None, session__version=4)
    remote = remote_resource(resource.resource_id, "draft", metadata={"caption": "Scene"}, **NEWS)

    poll(RESOURCE, resource, FakeClient(read_resource=remote))

    resource.refresh_from_db()
    assert (resource.type, resource.source, resource.name, resource.version) == (
        "draft",
        "generated",
        "Scene",
        5,
    )
    assert resource.read_at is not None
    assert links() == {"main": (NEWS["url"], "wanted"), "thumbnail": (NEWS["thumbnail_url"], "wanted")}
    assert polled("file") == set(MediaFile.objects.values_list("pk", flat=True))
    resource.session.refresh_from_db()
    assert resource.session.version == 5


def test_a_type_never_seen_before_without_any_link_is_kept_as_it_came():
    resource = ResourceFactory(type="", read_at=None)
    poll(RESOURCE, resource, FakeClient(read_resource=remote_resource(resource.resource_id, "hologram")))
    resource.refresh_from_db()
    assert (resource.type, links()) == ("hologram", {})


def test_a_fresh_link_is_stored_only_once_the_one_to_copy_from_is_old():
    resource = ResourceFactory(type="", read_at=None)
    first = poll(RESOURCE, resource, FakeClient(read_resource=remote_resource(url=LINK.format(1))))
    assert isinstance(first, Changed)
    again = FakeClient(read_resource=remote_resource(url=LINK.format(2)))

    assert isinstance(poll(RESOURCE, resource, again, digest=first.digest), Unchanged)
    assert links() == {"main": (LINK.format(1), "wanted")}

    aged()
    assert isinstance(poll(RESOURCE, resource, again, digest=first.digest), Changed)
    assert links() == {"main": (LINK.format(2), "wanted")}


@pytest.mark.parametrize("state", [{"state": "stored", "path": "ab/cd"}, {"state": "failed"}])
def test_nothing_is_fetched_anew_for_files_that_are_copied_or_given_up(state: dict[str, str]):
    resource = ResourceFactory()
    first = poll(RESOURCE, resource, FakeClient(read_resource=remote_resource(url=LINK.format(1))))
    assert isinstance(first, Changed)
    aged(**state)

    again = FakeClient(read_resource=remote_resource(url=LINK.format(2)))

    assert isinstance(poll(RESOURCE, resource, again, digest=first.digest), Unchanged)


def test_a_link_to_another_file_is_copied_again():
    resource = ResourceFactory()
    MediaFileFactory(
        resource=resource, remote_url="https://files.heygen.ai/old.png", state="stored", path="ab/cd"
    )
    poll(RESOURCE, resource, FakeClient(read_resource=remote_resource(url=LINK.format(1))))
    assert links() == {"main": (LINK.format(1), "wanted")}


def test_a_link_that_is_no_address_is_kept_as_it_came():
    resource = ResourceFactory()
    for _ in range(2):
        poll(RESOURCE, resource, FakeClient(read_resource=remote_resource(url="http://[nowhere")))
    assert links() == {"main": ("http://[nowhere", "wanted")}


def test_a_resource_that_heygen_keeps_denying_is_marked_and_left_alone():
    resource = ResourceFactory(type="", read_at=None)
    reading = poll(RESOURCE, resource, FakeClient(read_resource=heygen.NotFound("no", status=404)))
    assert isinstance(reading, Failed)
    assert RESOURCE.failed is not None

    RESOURCE.failed([(claim_of(resource, RESOURCE), reading, TRIES - 1)])
    resource.refresh_from_db()
    assert not resource.missing
    RESOURCE.failed([(claim_of(resource, RESOURCE), reading, TRIES)])
    resource.refresh_from_db()
    assert resource.missing

    denied = [Pace("working", 0, failures=count, missing=count) for count in range(1, TRIES + 1)]
    assert [RESOURCE.cadence(pace) for pace in denied] == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, None]


def test_an_outage_of_any_length_does_not_lose_a_resource():
    paces = [Pace("working", 0, failures=count) for count in (1, TRIES, TRIES + 1, 2 * TRIES + 1, 1000)]
    assert [RESOURCE.cadence(pace) for pace in paces] == [2, 600, 600, 3600, 3600]
    assert RESOURCE.cadence(Pace("done", 0)) is None


# --- videos -----------------------------------------------------------------------------------------------------------


def test_a_video_is_followed_until_its_file_is_there():
    video = VideoFactory(status="", group="working")
    remote = remote_video(video.video_id, "processing")
    reading = poll(VIDEO, video, FakeClient(read_video=remote))
    assert isinstance(reading, Changed)
    assert (reading.group, links()) == ("working", {})

    done = remote_video(video.video_id, video_url=LINK.format(1), subtitle_url=LINK.format(2), duration=12.5)
    reading = poll(VIDEO, video, FakeClient(read_video=done))

    video.refresh_from_db()
    assert isinstance(reading, Changed)
    assert (reading.group, video.status, video.group, video.duration) == ("done", "completed", "done", 12.5)
    assert set(links()) == {"video", "subtitles"}
    assert list(Event.objects.filter(object_id=video.session_id).values_list("what", flat=True)) == [
        "video.status",
        "video.status",
    ]


def test_a_video_that_is_ready_without_a_file_is_asked_for_again():
    video = VideoFactory(status="processing", group="working")
    reading = poll(VIDEO, video, FakeClient(read_video=remote_video(video.video_id, "completed")))

    video.refresh_from_db()
    assert isinstance(reading, Changed)
    assert (reading.group, video.status, video.group) == ("unknown", "completed", "done")
    paces = [Pace(reading.group, age) for age in (0, 3600, 86400, 30 * 86400)]
    assert [VIDEO.cadence(pace) is not None for pace in paces] == [True, True, True, False]


def test_a_film_that_is_to_come_is_asked_for_while_it_is_rendered():
    denied = [Pace("working", 0, failures=count, missing=count) for count in (1, 2, 3, 9, 10, 23, 24)]
    assert [VIDEO.cadence(pace) for pace in denied] == [2, 4, 8, 512, 600, 600, None]
    # One that was there and is deleted is left alone like everything that is gone.
    assert VIDEO.cadence(Pace("done", 0, failures=3, missing=3)) is None


def test_a_failed_video_says_why():
    video = VideoFactory(status="processing", group="working")
    remote = remote_video(video.video_id, "failed", failure_code="RENDER", failure_message="Out of tape")
    poll(VIDEO, video, FakeClient(read_video=remote))
    video.refresh_from_db()
    assert (video.group, video.failure_code, video.failure_message) == ("failed", "RENDER", "Out of tape")


def test_the_first_look_at_an_old_video_does_not_make_its_session_new():
    long_ago = timezone.now() - dt.timedelta(days=300)
    video = VideoFactory(status="", session=VideoSessionFactory(active_at=long_ago))
    poll(VIDEO, video, FakeClient(read_video=remote_video(video.video_id, "processing")))
    video.session.refresh_from_db()
    assert video.session.active_at == long_ago

    poll(VIDEO, video, FakeClient(read_video=remote_video(video.video_id)))
    video.session.refresh_from_db()
    assert video.session.active_at > long_ago


def test_two_videos_of_a_session_move_its_version_once_a_batch():
    session = VideoSessionFactory(version=1)
    videos = [VideoFactory(session=session, status="") for _ in range(2)]
    changes = []
    for video in videos:
        claim = claim_of(video, VIDEO)
        changes.append(
            Change(claim, VIDEO.load([claim])[video.pk], remote_video(video.video_id), "d", "done")
        )

    store(VIDEO, changes)

    session.refresh_from_db()
    assert session.version == 2
    assert set(Video.objects.values_list("version", flat=True)) == {2}


def test_a_video_that_heygen_does_not_know_is_not_under_way_for_ever():
    coming = VideoFactory(status="", group="working", session__version=4, session__group="failed")
    finished = VideoFactory(status="completed", group="done", session__group="failed")
    failure = Failed(reason="not_found", message="", missing=True)

    assert VIDEO.failed is not None
    VIDEO.failed([(claim_of(coming, VIDEO), failure, 2)])
    coming.refresh_from_db()
    assert coming.group == "working"

    VIDEO.failed([(claim_of(video, VIDEO), failure, 3) for video in (coming, finished)])
    for video in (coming, finished):
        video.refresh_from_db()
    assert (coming.group, coming.status, coming.version) == ("failed", "not_found", 5)
    assert (finished.group, finished.status) == ("done", "completed")
    coming.session.refresh_from_db()
    assert coming.session.version == 5


def test_a_video_whose_session_is_at_work_is_only_late():
    video = VideoFactory(status="", group="working", session__group="working")
    failure = Failed(reason="not_found", message="", missing=True)
    assert VIDEO.failed is not None
    VIDEO.failed([(claim_of(video, VIDEO), failure, 23)])
    video.refresh_from_db()
    assert (video.group, video.status) == ("working", "")

    VIDEO.failed([(claim_of(video, VIDEO), failure, 24)])
    video.refresh_from_db()
    assert (video.group, video.status) == ("failed", "not_found")


def test_a_video_that_heygen_knows_after_all_is_under_way_again():
    video = VideoFactory(status="pending", group="working", session__group="failed")
    first = poll(VIDEO, video, FakeClient(read_video=remote_video(video.video_id, "pending")))
    assert isinstance(first, Changed)
    assert VIDEO.failed is not None
    VIDEO.failed([(claim_of(video, VIDEO), Failed(reason="not_found", message="", missing=True), 3)])

    client = FakeClient(read_video=remote_video(video.video_id, "pending"))
    poll(VIDEO, video, client, digest=first.digest)

    video.refresh_from_db()
    assert (video.group, video.status) == ("working", "pending")


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_is_copied_and_then_left_alone(host: MediaHost):
    file = MediaFileFactory(remote_url=host.serve("/a.png", PNG), resource__session__version=1)

    assert isinstance(copied(file), Changed)

    file.refresh_from_db()
    assert (file.state, file.size, file.content_type) == ("stored", len(PNG), "image/png")
    file.resource.session.refresh_from_db()
    assert file.resource.session.version == 2
    assert FILE.cadence(Pace("done", 0)) is None
    with pytest.raises(LookupError):
        copied(file)


def test_an_old_link_that_leads_nowhere_has_its_resource_read_again_and_a_fresh_one_has_not(host: MediaHost):
    resource = ResourceFactory()
    file = MediaFileFactory(
        resource=resource, remote_url=host.refuse("/a.png", 403), linked_at=timezone.now()
    )
    PollState.objects.create(kind="resource", object_id=resource.pk, workspace=resource.workspace)
    reading = copied(file)
    assert isinstance(reading, Failed)

    told(file, reading)
    assert (file.state, file.failure, woken("resource")) == ("wanted", "the link answered 403", set())

    aged()
    told(file, reading)
    assert woken("resource") == {resource.pk}


def test_a_file_that_is_never_there_is_given_up_and_costs_no_further_call(host: MediaHost):
    resource = ResourceFactory()
    file = MediaFileFactory(
        resource=resource, remote_url=host.refuse("/a.png", 404), linked_at=timezone.now()
    )
    PollState.objects.create(kind="resource", object_id=resource.pk, workspace=resource.workspace)
    reading = copied(file)
    assert isinstance(reading, Failed)
    aged()

    told(file, reading, FILE_TRIES)

    assert (file.state, woken("resource")) == ("failed", set())
    assert FILE.cadence(Pace("working", 0, failures=FILE_TRIES)) is None
    poll(RESOURCE, resource, FakeClient(read_resource=remote_resource(url=file.remote_url)))
    file.refresh_from_db()
    assert file.state == "failed"


def test_a_link_to_where_we_do_not_go_is_given_up_at_once(host: MediaHost):
    file = MediaFileFactory(remote_url="http://10.0.0.1/a.png")
    reading = copied(file)
    assert isinstance(reading, Failed)
    told(file, reading)
    assert (file.state, file.failure) == ("failed", "the link's host is not listed in MEDIA_HOSTS")


def test_the_pauses_between_tries_add_up_to_about_a_day():
    pauses = [FILE.cadence(Pace("working", 0, failures=count)) or 0 for count in range(1, FILE_TRIES)]
    assert pauses[:3] == [10, 20, 40]
    assert max(pauses) == 3600
    assert 20 * 3600 < sum(pauses) < 30 * 3600


def test_an_undescribed_resource_without_a_session_at_heygen_is_not_asked_for():
    resource = ResourceFactory(session__remote_id=None)
    with pytest.raises(LookupError):
        poll(RESOURCE, resource, FakeClient())
    assert Resource.objects.count() == 1
