"""What was written on one machine and is judged on another: the database's clock decides, whatever theirs show."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from polling import clock, schedule
from polling.models import PollState
from sessions_app import inbox, meanwhile, session_page, storyboard
from sessions_app.mirror import files
from sessions_app.mirror.media import wanting_links
from sessions_app.mirror.sessions import SESSION
from sessions_app.models import MediaFile, Message, Resource, VideoSession
from tests.factories import (
    MediaFileFactory,
    MembershipFactory,
    MessageFactory,
    ResourceFactory,
    VideoSessionFactory,
)
from tests.fakes import FakeClient, remote_message, remote_session
from tests.sessions_app.mirroring import claim_of, poll
from tests.sessions_app.presses import press_in
from timeline.models import Event
from workspaces_app import pickers
from workspaces_app.models import CatalogueRead, User

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[-600, 600], ids=["behind", "ahead"], autouse=True)
def ten_minutes_off(request: pytest.FixtureRequest, set_clock: Callable[[float], None]) -> None:
    set_clock(request.param)


@pytest.fixture
def session() -> VideoSession:
    found: VideoSession = VideoSessionFactory(status="thinking", group="working")
    VideoSession.objects.filter(pk=found.pk).update(active_at=Now(), status_since=Now())
    return found


@pytest.fixture
def person(session: VideoSession) -> User:
    user: User = MembershipFactory(workspace=session.workspace, role="approver").user
    VideoSession.objects.filter(pk=session.pk).update(owner=user)
    return user


@pytest.fixture
def visitor(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def about(moment: datetime | None) -> bool:
    """Whether it is now, by the database."""
    return moment is not None and abs(clock.now() - moment) < timedelta(seconds=30)


def test_the_age_of_what_a_page_shows(session: VideoSession):
    schedule.enroll("session", [session.pk], workspace_id=session.workspace_id, fingerprint="key")
    PollState.objects.update(polled_at=clock.later(-7))

    assert session_page.age(session.pk) == pytest.approx(7, abs=2)


def test_a_page_tells_its_browser_what_time_it_is(visitor: Client, session: VideoSession):
    page = visitor.get(session.get_absolute_url()).content.decode()

    said = re.search(r'<html[^>]* data-now="([^"]+)"', page)
    assert said is not None
    assert about(datetime.fromisoformat(said[1]))


@pytest.mark.parametrize(("old", "status"), [(240, 302), (360, 503)])
def test_a_link_is_handed_on_for_five_minutes(
    old: float, status: int, visitor: Client, session: VideoSession, settings: Settings
):
    settings.MEDIA_HOSTS = ["https://files.example"]
    resource = ResourceFactory(session=session, workspace=session.workspace)
    file = MediaFileFactory(
        resource=resource, workspace=session.workspace, state="wanted", remote_url="https://files.example/a"
    )
    MediaFile.objects.filter(pk=file.pk).update(linked_at=clock.later(-old))

    assert visitor.get(reverse("files:file", args=[file.pk])).status_code == status


@pytest.mark.parametrize(("old", "wanted"), [(30, False), (90, True)])
def test_a_link_is_asked_for_anew_after_a_minute(old: float, wanted: bool, session: VideoSession):
    resource = ResourceFactory(session=session, workspace=session.workspace)
    file = MediaFileFactory(resource=resource, workspace=session.workspace, state="wanted")
    MediaFile.objects.filter(pk=file.pk).update(linked_at=clock.later(-old))

    assert wanting_links("resource", [resource.pk]) == ({resource.pk} if wanted else set())
    assert bool(files.load([claim_of(file, files.FILE)])[file.pk].link_is_old) is wanted


@pytest.mark.parametrize(("old", "counts"), [(30, True), (90, False)])
def test_what_was_announced_a_moment_ago_counts_as_a_storyboard(
    old: float, counts: bool, session: VideoSession
):
    message = MessageFactory(session=session, position=0, resource_ids=["r1"])
    ResourceFactory(
        session=session, workspace=session.workspace, resource_id="r1", type="", read_at=None,
        message_position=message.position,
    )  # fmt: skip
    Resource.objects.update(first_seen_at=clock.later(-old))

    assert (storyboard.newest(session) is not None) is counts


@pytest.mark.parametrize(("old", "counts"), [(60, True), (180, False)])
def test_an_answer_is_under_way_for_two_minutes(old: float, counts: bool, session: VideoSession):
    press = press_in(session, "accepted")
    type(press).objects.filter(pk=press.pk).update(settled_at=clock.later(-old))

    assert meanwhile.under_way().exists() is counts


@pytest.mark.parametrize(("old", "waits"), [(60, False), (1800, True)])
def test_what_is_stuck(old: float, waits: bool, session: VideoSession, person: User):
    VideoSession.objects.update(active_at=clock.later(-old), status_since=clock.later(-old))

    assert inbox.count(person) == int(waits)


@pytest.mark.parametrize(("minutes", "hidden"), [(5, True), (-5, False)])
def test_a_snooze_ends_with_its_time(minutes: int, hidden: bool, session: VideoSession, person: User):
    VideoSession.objects.update(group="needs_you", status="waiting_for_input")
    session.refresh_from_db()
    inbox.snooze(session, by=person, until=clock.now() + timedelta(minutes=minutes))

    assert inbox.count(person) == int(not hidden)


def test_a_snooze_for_an_hour_is_one(visitor: Client, session: VideoSession, person: User):
    visitor.post(reverse("sessions:inbox-snooze", args=[session.pk]), {"until": "hour"})

    until = person.snoozes.get().until
    assert until is not None
    assert about(until - timedelta(hours=1))


def test_a_stretch_without_news_is_told_once(session: VideoSession):
    claim = replace(claim_of(session, SESSION), age=16 * 60.0)
    SESSION.stuck([claim])
    SESSION.stuck([claim])

    assert Event.objects.filter(what="session.stuck").count() == 1
    assert about(Event.objects.get(what="session.stuck").at)


def test_our_own_words_are_found_in_the_conversation(session: VideoSession):
    """The press was sent a moment ago by the clock of all, and the poll that sees it runs where the clock is off."""
    press = press_in(session, "accepted")
    type(press).objects.filter(pk=press.pk).update(attempt_at=Now())
    said = remote_message("Make it blue", "user", created_at=int(clock.now().timestamp()))

    poll(SESSION, session, FakeClient(read_session=remote_session(messages=[said])))

    message = Message.objects.get(session=session)
    assert message.command == press
    assert about(message.first_seen_at)


def test_words_from_before_the_press_are_not_taken_for_it(session: VideoSession):
    said = remote_message("Make it blue", "user", created_at=None)
    poll(SESSION, session, FakeClient(read_session=remote_session(messages=[said])))
    press = press_in(session, "accepted")
    type(press).objects.filter(pk=press.pk).update(attempt_at=clock.later(60))

    poll(SESSION, session, FakeClient(read_session=remote_session(messages=[said], title="Another")))

    assert Message.objects.get(session=session).command is None


def test_what_the_mirror_writes_is_dated_by_the_database(session: VideoSession):
    said = remote_message("Look", resource_ids=["r1"])
    poll(SESSION, session, FakeClient(read_session=remote_session(status="reviewing", messages=[said])))

    session.refresh_from_db()
    assert about(session.active_at)
    assert about(session.status_since)
    assert about(Resource.objects.get().first_seen_at)
    assert about(session.windows.get().seen_at)


def test_a_catalogue_is_late_after_two_of_its_intervals(session: VideoSession):
    read = CatalogueRead.objects.create(workspace=session.workspace)
    for intervals, late in ((1.9, False), (2.1, True)):
        CatalogueRead.objects.filter(pk=read.pk).update(
            finished_at=clock.later(-intervals * pickers.EVERY_SECONDS)
        )
        assert pickers.catalogue_state(session.workspace).late is late
