"""A viewer looks and takes notes, and nothing else: whatever they post elsewhere is refused for their role.

As in `test_strangers`, the addresses come from the URL configuration itself.
"""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from commands.models import Command
from tests.factories import MembershipFactory
from tests.test_strangers import NAMES, rows
from workspaces_app.models import Role

pytestmark = pytest.mark.django_db

# What is of the person alone, or what the team says among itself: none of it reaches HeyGen.
VIEWERS_MAY = {"sessions:read", "sessions:note", "sessions:inbox-snooze"}


@pytest.mark.parametrize(("name", "parameters"), NAMES)
def test_a_viewer_may_post_no_more_than_is_said_here(client: Client, name: str, parameters: tuple[str, ...]):
    admin = MembershipFactory(role=Role.ADMIN)
    values = rows(name, admin)
    address = reverse(name, kwargs={parameter: values[parameter] for parameter in parameters})
    client.force_login(MembershipFactory(workspace=admin.workspace, role=Role.VIEWER).user)
    presses = Command.objects.count()

    status = client.post(address, {"token": "a" * 32, "message": "Go ahead"}).status_code

    # 404: what is named is somebody else's own; 405: the address takes no posts from anybody.
    assert (status in (403, 404, 405)) is (name not in VIEWERS_MAY), status
    assert Command.objects.count() == presses


@pytest.mark.parametrize("name", ["sessions:new", "sessions:draft", "live:new"])
def test_a_viewer_starts_nothing(client: Client, name: str):
    membership = MembershipFactory(role=Role.VIEWER)
    client.force_login(membership.user)
    workspace = membership.workspace.slug
    assert client.post(reverse(name), {"workspace": workspace, "do": "start"}).status_code == 403
    assert not Command.objects.exists()
