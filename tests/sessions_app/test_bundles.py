"""Many files as one zip: what is in it, for whom, and where it ends."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from django.urls import reverse

from sessions_app import bundles
from sessions_app.models import MediaFile, MediaState
from tests.factories import (
    MediaFileFactory,
    MembershipFactory,
    ResourceFactory,
    UserFactory,
    VideoFactory,
    VideoSessionFactory,
)
from workspaces_app.models import User

pytestmark = pytest.mark.django_db

ADDRESS = reverse("files:bundle")


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_DIR = tmp_path
    return tmp_path


def stored(media: Path, content: bytes, **fields: Any) -> MediaFile:
    file: MediaFile = MediaFileFactory(
        state=MediaState.STORED, path="x", size=len(content), **{"content_type": "image/png", **fields}
    )
    file.path = f"{file.pk}.bin"
    file.save()
    (media / file.path).write_bytes(content)
    return file


def member(of: Any) -> User:
    user: User = UserFactory()
    MembershipFactory(user=user, workspace=of.workspace)
    return user


def unpacked(user: User, *items: object) -> dict[str, bytes]:
    """Asked for as a browser does, through the real handler."""

    async def ask() -> bytes:
        client = AsyncClient()
        await client.aforce_login(user)
        answer = await client.get(ADDRESS, {"item": items}, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/zip"
        assert answer["Content-Disposition"].startswith("attachment;")
        assert answer["Content-Encoding"] == "identity"
        return b"".join([piece async for piece in answer.streaming_content])

    with zipfile.ZipFile(io.BytesIO(async_to_sync(ask)())) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_was_chosen_is_in_it_under_names_that_tell_what_it_is(media: Path):
    session = VideoSessionFactory(title="Bakery / Spring")
    one, two = (ResourceFactory(session=session, metadata={"name": "Window"}) for _ in range(2))
    stored(media, b"one" * 400_000, resource=one)
    stored(media, b"small", resource=one, role="thumbnail")
    stored(media, b"two", resource=two)
    film = VideoFactory(session=session, title="Film")
    stored(media, b"mp4", resource=None, video=film, role="video", content_type="video/mp4")
    stored(media, b"srt", resource=None, video=film, role="subtitles", content_type="text/plain")
    coming = ResourceFactory(session=session, metadata={"name": "Coming"})
    MediaFileFactory(resource=coming)
    found = unpacked(member(session), one.pk, two.pk, film.pk, coming.pk)
    assert found == {
        "bakery-spring/window.png": b"one" * 400_000,
        "bakery-spring/window-2.png": b"two",
        "bakery-spring/film.mp4": b"mp4",
        "bakery-spring/film.srt": b"srt",
        "not-included.txt": b"No copy of these is stored here (yet):\nbakery-spring/coming.bin\n",
    }


def test_a_copy_that_is_not_on_the_disk_is_named(media: Path):
    here = stored(media, b"here", resource=ResourceFactory(metadata={"name": "Here"}))
    lost = stored(
        media, b"", resource=ResourceFactory(session=here.resource.session, metadata={"name": "Lost"})
    )
    (media / lost.path).unlink()
    found = unpacked(member(here), here.resource_id, lost.resource_id)
    assert b"lost.png" in found.pop("not-included.txt")
    assert list(found.values()) == [b"here"]


def test_nothing_of_others_is_in_it(media: Path):
    mine, theirs = (stored(media, b"secret", resource=ResourceFactory()) for _ in range(2))
    assert len(unpacked(member(mine), mine.resource_id, theirs.resource_id)) == 1
    client = Client()
    client.force_login(member(mine))
    answer = client.get(ADDRESS, {"item": theirs.resource_id}, follow=True)
    assert "None of these has a file here." in answer.content.decode()
    assert Client().get(ADDRESS, {"item": mine.resource_id}).status_code == 302


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([], "Choose what you want to download first"),
        (["nonsense"], "nothing that can be downloaded"),
        ([f"0197{number:028x}" for number in range(101)], "At most 100 things"),
    ],
)
def test_what_cannot_be_bundled_is_said_on_the_page(items: list[str], said: str):
    client = Client()
    client.force_login(member(VideoSessionFactory()))
    answer = client.get(ADDRESS, {"item": items, "next": "/library/?type=image"}, follow=True)
    assert answer.redirect_chain == [("/library/?type=image", 302)]
    assert said in answer.content.decode()
    elsewhere = client.get(ADDRESS, {"item": items, "next": "https://evil.example/"})
    assert elsewhere["Location"] == "/library/"


def test_there_is_a_limit_to_its_size(media: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bundles, "MOST_BYTES", 3)
    file = stored(media, b"four", resource=ResourceFactory())
    with pytest.raises(bundles.TooMuch, match="more than 4 GB"):
        bundles.gather(member(file), [file.resource_id])


@pytest.mark.parametrize("items", [1, 3])
def test_it_costs_as_many_queries_for_three_as_for_one(
    items: int, media: Path, django_assert_num_queries: Any
):
    session = VideoSessionFactory()
    files = [stored(media, b"x", resource=ResourceFactory(session=session)) for _ in range(items)]
    user = member(session)
    with django_assert_num_queries(2):
        bundles.gather(user, [file.resource_id for file in files])
