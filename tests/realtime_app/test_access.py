"""Every address of the live pages, for somebody of another team, for a viewer, and with the wrong method."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from commands.models import Command, State
from realtime_app import topic
from realtime_app.models import Stream
from realtime_app.urls import urlpatterns
from tests.factories import StreamFactory
from workspaces_app.models import Role, User, Workspace

Browse = Callable[[User], Client]

READS = {"detail", "playlist"}
POSTS = {"push": {"text": "Hi"}, "cancel": {}, "send-again": {}, "decide": {"happened": "no"}}


@pytest.fixture
def stream(workspace: Workspace) -> Stream:
    return StreamFactory(workspace=workspace, hls_url="https://files.heygen.ai/a/index.m3u8")


@pytest.fixture
def command(stream: Stream, creator: User) -> Command:
    return Command.objects.create(
        kind="stream.create",
        object_id=stream.pk,
        workspace=stream.workspace,
        token="o" * 32,
        by=creator,
        state=State.REFUSED,
        settled_at=stream.created_at,
        settled_by="answer",
        applied_at=stream.created_at,
    )


def address(name: str, stream: Stream, command: Command) -> str:
    arguments = [stream.pk, command.pk] if name in ("send-again", "decide") else [stream.pk]
    return reverse(f"live:{name}", args=arguments)


def test_the_lists_above_name_every_address_of_a_stream() -> None:
    of_a_stream = {pattern.name for pattern in urlpatterns if "<uuid:pk>" in str(pattern.pattern)}
    assert of_a_stream == READS | POSTS.keys()


@pytest.mark.parametrize("name", sorted(READS))
def test_a_stranger_finds_nothing_and_a_viewer_reads(
    name: str, stream: Stream, command: Command, stranger: User, viewer: User, browse: Browse
) -> None:
    url = address(name, stream, command)
    assert browse(stranger).get(url).status_code == 404
    assert browse(viewer).get(url).status_code in (200, 302)
    assert browse(viewer).post(url).status_code == 405


@pytest.mark.parametrize("name", sorted(POSTS))
def test_pressing_needs_a_creator(
    name: str, stream: Stream, command: Command, stranger: User, viewer: User, creator: User, browse: Browse
) -> None:
    url = address(name, stream, command)
    assert browse(stranger).post(url, POSTS[name]).status_code == 404
    assert browse(viewer).post(url, POSTS[name]).status_code == 403
    assert browse(creator).get(url).status_code == 405
    assert Command.objects.count() == 1


def test_a_press_of_another_stream_is_not_found(
    stream: Stream, command: Command, creator: User, browse: Browse
) -> None:
    other = StreamFactory(workspace=stream.workspace)
    assert browse(creator).post(address("send-again", other, command)).status_code == 404


def test_signed_out_people_are_sent_to_sign_in(stream: Stream, command: Command) -> None:
    for name in sorted(READS):
        answer = Client().get(address(name, stream, command))
        assert (answer.status_code, "sign-in" in answer["Location"]) == (302, True)


def test_a_new_stream_needs_a_creator_of_its_workspace(
    workspace: Workspace, viewer: User, creator: User, stranger: User, browse: Browse
) -> None:
    new = f"{reverse('live:new')}?workspace={workspace.slug}"
    assert browse(creator).get(new).status_code == 200
    assert browse(viewer).get(new).status_code == 403
    assert browse(stranger).get(new).status_code == 404


def test_the_list_has_no_stream_of_another_team(
    stream: Stream, stranger: User, viewer: User, browse: Browse
) -> None:
    assert stream.title in browse(viewer).get(reverse("live:list")).text
    assert stream.title not in browse(stranger).get(reverse("live:list")).text


def test_events_reach_members_only(
    stream: Stream, viewer: User, stranger: User, member: Callable[[Role], User]
) -> None:
    switched_off = member(Role.ADMIN)
    switched_off.is_active = False
    switched_off.save()
    asked = [(user.pk, stream.pk) for user in (viewer, stranger, switched_off)]
    assert topic.allowed([*asked, (viewer.pk, stream.workspace_id)]) == {(viewer.pk, stream.pk)}
