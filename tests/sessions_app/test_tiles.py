"""How a resource looks: its name, its sign, and which of its files is shown large."""

from __future__ import annotations

import pytest

from sessions_app.models import MediaFile, MediaRole, Resource
from sessions_app.tiles import Tile, tile
from tests.factories import MediaFileFactory, ResourceFactory

pytestmark = pytest.mark.django_db


def stored(resource: Resource, role: MediaRole, content_type: str) -> MediaFile:
    file: MediaFile = MediaFileFactory(
        resource=resource, role=role, state="stored", content_type=content_type, path=f"{resource.pk}-{role}"
    )
    return file


def of(kind: str, **metadata: str) -> Tile:
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
