"""How a resource looks: its name, its sign, and which of its files is shown large."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from sessions_app.models import MediaFile, MediaRole, Resource
from sessions_app.tiles import Tile, tile
from tests.factories import MediaFileFactory, MembershipFactory, ResourceFactory

pytestmark = pytest.mark.django_db


def stored(resource: Resource, role: MediaRole, content_type: str) -> MediaFile:
    file: MediaFile = MediaFileFactory(
        resource=resource, role=role, state="stored", content_type=content_type, path=f"{resource.pk}-{role}"
    )
    return file


def of(kind: str, **metadata: Any) -> Tile:
    return tile(ResourceFactory(type=kind, metadata=metadata), [])


def test_a_draft_is_a_text_that_is_shown_by_its_picture():
    resource = ResourceFactory(type="draft", metadata={})
    files = [
        stored(resource, MediaRole.MAIN, "text/plain"),
        stored(resource, MediaRole.THUMBNAIL, "image/jpeg"),
    ]
    shown = tile(resource, files)
    assert shown.large == shown.picture == f"/files/{files[1].pk}/"
    assert shown.file == f"/files/{files[0].pk}/"


@pytest.mark.parametrize(("kind", "content_type"), [("image", "image/png"), ("video", "video/mp4")])
def test_pictures_and_films_are_shown_themselves(kind: str, content_type: str):
    resource = ResourceFactory(type=kind, metadata={})
    main = stored(resource, MediaRole.MAIN, content_type)
    shown = tile(resource, [main, stored(resource, MediaRole.THUMBNAIL, "image/jpeg")])
    assert shown.large == shown.file == f"/files/{main.pk}/"


def test_its_own_name_counts_and_its_type_has_a_word():
    named, unnamed, unheard_of = of("avatar", name="Dana in grey"), of("image"), of("hologram")
    assert (named.name, named.named, named.type, named.icon) == ("Dana in grey", True, "Avatar", "user")
    assert (unnamed.name, unnamed.named, unnamed.icon) == ("Picture", False, "image")
    assert (unheard_of.name, unheard_of.named, unheard_of.icon) == ("hologram", False, "file")


def test_what_nobody_foresaw_is_told_in_heygens_own_words():
    plan = of("blueprint", title="Plan", scenes=4, tone="calm", empty=None, deep={"a": [1]}, long="x" * 500)
    assert plan.facts == f'scenes: 4 · tone: calm · deep: {{"a": [1]}} · long: {"x" * 200}'
    assert of("blueprint").facts == ""
    assert of("voice", voice_id="v_1", language="English").facts == "language: English · voice_id: v_1"
    assert len(of("blueprint", **{str(n): n for n in range(100)}).facts.split(" · ")) == 12


def test_it_stands_below_what_has_no_picture_and_in_the_large_view_of_what_has_one():
    plan = ResourceFactory(type="blueprint", metadata={"tone": "<b>calm"})
    picture = ResourceFactory(type="image", metadata={"width": 640}, session=plan.session)
    stored(picture, MediaRole.MAIN, "image/png")
    client = Client()
    client.force_login(MembershipFactory(workspace=plan.workspace).user)

    page = client.get(plan.session.get_absolute_url()).content.decode()
    assert page.count(">tone: &lt;b&gt;calm<") == 1
    assert page.count('data-info="width: 640"') == 1
    assert "width: 640" in client.get("/library/").content.decode()
