"""Banners: what is wrong with the mirror and with the person's own keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from polling import heartbeats
from polling import keys as key_states
from polling.models import Heartbeat
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory
from tests.processes import Valkey
from workspaces_app.models import Role, User, Workspace

pytestmark = pytest.mark.django_db
Browse = Callable[[User | None], Client]


@pytest.fixture(autouse=True)
def _with_banners(settings: Settings) -> None:
    """Tests run without them elsewhere."""
    options = settings.TEMPLATES[0]["OPTIONS"]
    processors = [*options["context_processors"], "workspaces_app.context.problems"]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": {**options, "context_processors": processors}}]


def banners(client: Client) -> list[tuple[str, str]]:
    return [(each.tone, each.message) for each in client.get("/workspaces/").context["problems"]]


def test_missing_worker_and_beat_are_said(valkey: Valkey, browse: Browse) -> None:
    assert banners(browse(UserFactory())) == [
        ("warning", "No worker is running. What you see is not being renewed, and buttons wait."),
        ("warning", "The clock process (beat) is not running. What you see may not be renewed."),
    ]


def test_refused_key_is_said_to_its_members_alone(valkey: Valkey, stranger: User, browse: Browse) -> None:
    workspace: Workspace = WorkspaceFactory(name="Studio", key="sk_key_of_the_studio_1")
    key_states.close(workspace.key_fingerprint, seconds=None, reason="unauthorized")
    member = MembershipFactory(workspace=workspace).user
    refused = "HeyGen refuses the workspace's API key. An administrator of the workspace must replace it."
    assert ("error", refused) in banners(browse(member))
    assert refused not in str(banners(browse(stranger)))
    MembershipFactory(user=member)
    assert ("error", f"Studio: {refused}") in banners(browse(member))


def test_every_page_says_when_heygen_last_answered_the_one_that_waits_longest(
    valkey: Valkey, browse: Browse
) -> None:
    member: User = UserFactory()
    assert "HeyGen last answered" not in browse(member).get("/workspaces/").content.decode()
    for minutes in (3, 8):
        key = f"sk_key_number_{minutes}_of_ours"
        workspace = MembershipFactory(user=member, role=Role.CREATOR, workspace__key=key).workspace
        heartbeats.write(heartbeats.ANSWERED + workspace.key_fingerprint)
        Heartbeat.objects.filter(name__endswith=workspace.key_fingerprint).update(
            seen_at=timezone.now() - timedelta(minutes=minutes)
        )
    heartbeats.write(heartbeats.ANSWERED + "somebody else's")

    for address in ("/", "/sessions/", "/library/", "/live/", "/workspaces/", "/sessions/new/", "/account/"):
        page = browse(member).get(address).content.decode()
        assert re.findall(r"HeyGen last answered <time[^>]*>([^<]*)</time>", page) == ["8 min. ago"], address
    told = browse(member).get("/needs-you/count/").json()["answered_at"]
    assert timezone.now() - datetime.fromisoformat(told) > timedelta(minutes=7)


def test_signed_out_pages_show_none(valkey: Valkey) -> None:
    assert list(Client().get("/sign-in/").context["problems"]) == []


def test_health_is_asked_once_in_a_while(valkey: Valkey, browse: Browse, django_assert_num_queries) -> None:
    client = browse(UserFactory())
    client.get("/workspaces/")
    # Session, user, memberships, and the workspaces whose keys count.
    with django_assert_num_queries(4):
        client.get("/workspaces/")
