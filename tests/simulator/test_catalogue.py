"""Avatars, looks, voices, styles and brand material."""

from __future__ import annotations

import io
import wave
from typing import Any

import pytest
import requests
from PIL import Image

from .conftest import Api


def everything(api: Api, path: str, limit: int = 50) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token = None
    while True:
        page = api.call("GET", path, params={"limit": limit, "token": token}).json()
        found += page["data"]
        token = page["next_token"]
        if not page["has_more"]:
            assert token is None
            return found


def test_sizes_of_the_catalogue(api: Api) -> None:
    counted = {
        path: len(everything(api, path))
        for path in (
            "/avatars",
            "/avatars/looks",
            "/voices",
            "/video-agents/styles",
            "/brand-kits",
            "/brand-glossaries",
        )
    }
    assert counted["/avatars/looks"] >= 60
    assert counted["/voices"] >= 80
    assert counted["/video-agents/styles"] >= 12
    assert (counted["/brand-kits"], counted["/brand-glossaries"]) == (3, 2)
    assert counted["/avatars"] >= 16


def test_ids_are_unique_over_pages(api: Api) -> None:
    for path, name in (("/avatars/looks", "id"), ("/voices", "voice_id")):
        ids = [item[name] for item in everything(api, path, limit=7)]
        assert len(ids) == len(set(ids))


def test_looks_belong_to_groups(api: Api) -> None:
    for group in everything(api, "/avatars"):
        looks = api.get("/avatars/looks", params={"group_id": group["id"]})
        assert len(looks) == group["looks_count"]
        assert {look["group_id"] for look in looks} == {group["id"]}
    assert api.get(f"/avatars/{group['id']}") == group
    assert api.get(f"/avatars/looks/{looks[0]['id']}") == looks[0]


def test_private_looks_in_every_state(api: Api) -> None:
    looks = api.get("/avatars/looks", params={"ownership": "private"})
    assert {look["status"] for look in looks} == {"completed", "processing", "pending_consent", "failed"}
    training = next(look for look in looks if look["status"] == "processing")
    assert (
        api.post("/video-agents", {"prompt": "a", "avatar_id": training["id"]}, status=400)["param"]
        == "avatar_id"
    )
    ready = next(look for look in looks if look["status"] == "completed")
    api.post("/video-agents", {"prompt": "a", "avatar_id": ready["id"]})


def test_filters(api: Api) -> None:
    assert {v["language"] for v in api.get("/voices", params={"language": "german"})} == {"German"}
    assert {v["gender"] for v in api.get("/voices", params={"gender": "male", "limit": 100})} == {"male"}
    assert {v["type"] for v in api.get("/voices", params={"type": "private"})} == {"private"}
    assert {v["type"] for v in api.get("/voices", params={"limit": 100})} == {"public"}
    kinds = {
        look["avatar_type"] for look in api.get("/avatars/looks", params={"avatar_type": "photo_avatar"})
    }
    assert kinds == {"photo_avatar"}
    assert all("print" in style["tags"] for style in api.get("/video-agents/styles", params={"tag": "print"}))


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("/avatars?ownership=mine", "ownership"),
        ("/voices?type=mine", "type"),
        ("/avatars/looks?avatar_type=cartoon", "avatar_type"),
    ],
)
def test_filters_with_unknown_words(api: Api, path: str, param: str) -> None:
    assert api.call("GET", path).json()["error"]["param"] == param


def test_previews(api: Api) -> None:
    look = api.get("/avatars/looks", params={"limit": 1})[0]
    with Image.open(io.BytesIO(requests.get(look["preview_image_url"], timeout=10).content)) as image:
        assert image.format == "JPEG"
    voices = everything(api, "/voices")
    assert [v["name"] for v in voices if v["preview_audio_url"].startswith("s3://")] == ["Liam"]
    sound = requests.get(voices[0]["preview_audio_url"], timeout=10).content
    with wave.open(io.BytesIO(sound)) as file:
        assert file.getnframes() / file.getframerate() == 2.5
    kit = api.get("/brand-kits")[0]
    with Image.open(io.BytesIO(requests.get(kit["logo_url"], timeout=10).content)) as image:
        assert image.format == "PNG"
    style = api.get("/video-agents/styles")[0]
    with Image.open(io.BytesIO(requests.get(style["thumbnail_url"], timeout=10).content)) as image:
        assert image.format == "JPEG"


def test_single_voice_says_complete(api: Api) -> None:
    voice = api.get("/voices", params={"limit": 1})[0]
    assert api.get(f"/voices/{voice['voice_id']}")["status"] == "complete"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/avatars/group_x", "avatar_group_not_found"),
        ("/avatars/looks/look_x", "avatar_not_found"),
        ("/voices/voice_x", "voice_not_found"),
    ],
)
def test_unknown_ids(api: Api, path: str, code: str) -> None:
    assert api.call("GET", path).json()["error"]["code"] == code
