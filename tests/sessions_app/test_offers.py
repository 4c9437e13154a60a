"""Voices and avatars have no links of their own: what the catalogue knows of them is shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from sessions_app import offers
from tests.factories import (
    CatalogueItemFactory,
    MembershipFactory,
    MessageFactory,
    ResourceFactory,
    VideoSessionFactory,
    WorkspaceFactory,
)
from workspaces_app.models import CatalogueItem

pytestmark = pytest.mark.django_db


def voice(workspace: Any, **data: str) -> CatalogueItem:
    item: CatalogueItem = CatalogueItemFactory(workspace=workspace, kind="voice", remote_id="v1", data=data)
    return item


def test_a_voice_can_be_heard_and_an_avatar_seen_in_conversation_material_and_library():
    session = VideoSessionFactory(message_count=1)
    heard = voice(session.workspace, preview_audio_url="https://files.example/v1.mp3")
    seen = CatalogueItemFactory(
        workspace=session.workspace,
        kind="look",
        remote_id="a1",
        data={"preview_image_url": "https://files.example/a1.jpg"},
    )
    ResourceFactory(
        session=session, resource_id="r1", type="voice", metadata={"voice_id": "v1", "name": "Aria"}
    )
    ResourceFactory(session=session, resource_id="r2", type="avatar", metadata={"avatar_id": "a1"})
    MessageFactory(session=session, position=0, role="model", resource_ids=["r1", "r2"])
    person = MembershipFactory(workspace=session.workspace).user
    client = Client()
    client.force_login(person)
    around = f"/workspaces/{session.workspace.slug}/catalogue/"
    sound, picture = f'src="{around}{heard.pk}/sound/"', f'src="{around}{seen.pk}/picture/"'

    page = client.get(session.get_absolute_url()).content.decode()
    assert page.count(f'<audio controls preload="none" {sound}') == 1
    assert page.count(sound) == 2
    assert page.count(picture) == 2
    library = client.get("/library/").content.decode()
    assert sound in library
    assert picture in library


@pytest.mark.parametrize("metadata", [{}, {"voice_id": 7}, {"voice_id": "v2"}, {"avatar_id": "v1"}, []])
def test_metadata_that_names_no_voice_of_the_catalogue_has_none(metadata: Any):
    session = VideoSessionFactory()
    voice(session.workspace, preview_audio_url="https://files.example/v1.mp3")
    assert offers.of([ResourceFactory(session=session, type="voice", metadata=metadata)]) == {}


def test_another_workspaces_catalogue_says_nothing():
    session = VideoSessionFactory()
    voice(WorkspaceFactory(), preview_audio_url="https://files.example/v1.mp3")
    assert offers.of([ResourceFactory(session=session, type="voice", metadata={"voice_id": "v1"})]) == {}


def test_they_cost_one_query_together_and_pictures_none(django_assert_num_queries: Any):
    session = VideoSessionFactory()
    voice(session.workspace)
    voices = [ResourceFactory(session=session, type="voice", metadata={"voice_id": "v1"}) for _ in range(3)]
    with django_assert_num_queries(1):
        assert len({item.workspace.slug for item in offers.of(voices).values()}) == 1
    with django_assert_num_queries(0):
        assert offers.of([ResourceFactory.build(session=session, type="image")]) == {}
