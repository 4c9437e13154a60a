"""Storyboard pictures, revisions, signed links."""

from __future__ import annotations

import io
from typing import Any

import requests
from PIL import Image

from .conftest import Api


def pictures(api: Api, session_id: str) -> list[dict[str, Any]]:
    """The image resources of the newest message that has some."""
    for message in api.read(session_id)["messages"]:
        found = [
            api.get(f"/video-agents/{session_id}/resources/{name}") for name in message["resource_ids"] or ()
        ]
        images = [resource for resource in found if resource["resource_type"] == "image"]
        if images:
            return images
    return []


def content(link: str) -> bytes:
    response = requests.get(link, timeout=30)
    assert response.status_code == 200
    return response.content


def test_a_storyboard_has_four_to_six_different_pictures(api: Api) -> None:
    session_id = api.to_storyboard()
    found = pictures(api, session_id)
    assert 4 <= len(found) <= 6
    files = [content(resource["url"]) for resource in found]
    assert len(set(files)) == len(files)
    for data in files:
        with Image.open(io.BytesIO(data)) as image:
            assert (image.format, image.size) == ("JPEG", (1280, 720))
    with Image.open(io.BytesIO(content(found[0]["thumbnail_url"]))) as image:
        assert image.size == (480, 270)


def test_portrait_orientation(api: Api) -> None:
    session_id = api.to_storyboard(orientation="portrait")
    with Image.open(io.BytesIO(content(pictures(api, session_id)[0]["url"]))) as image:
        assert image.size == (720, 1280)


def test_another_prompt_gets_other_pictures(api: Api) -> None:
    first = content(pictures(api, api.to_storyboard("About tea"))[0]["url"])
    second = content(pictures(api, api.to_storyboard("About coffee"))[0]["url"])
    assert first != second


def test_a_revision_keeps_some_and_changes_others(api: Api) -> None:
    session_id = api.to_storyboard()
    before = pictures(api, session_id)
    api.say(session_id, "Make the second picture darker")
    api.advance(60)
    after = pictures(api, session_id)
    old = [content(resource["url"]) for resource in before]
    new = [content(resource["url"]) for resource in after]
    assert [a == b for a, b in zip(old, new, strict=True)] == [place != 1 for place in range(len(old))]
    assert not {r["resource_id"] for r in before} & {r["resource_id"] for r in after}

    api.say(session_id, "A calmer mood, please, with more trees")
    api.advance(60)
    third = [content(resource["url"]) for resource in pictures(api, session_id)]
    assert len(third) == len(new) + 1
    assert len(set(third) & set(new)) == len(new) - 2


def test_kept_pictures_keep_their_ids_when_asked(api: Api) -> None:
    session_id = api.to_storyboard("About tea [keep-ids]")
    before = [resource["resource_id"] for resource in pictures(api, session_id)]
    api.say(session_id, "Make the second picture darker")
    api.advance(60)
    after = api.read(session_id)["messages"][0]["resource_ids"]
    assert set(before) & set(after) == {before[0], *before[2:]}


def test_resources_of_every_kind(api: Api) -> None:
    session_id, _ = api.to_video()
    kinds = {}
    for message in api.read(session_id)["messages"]:
        for name in message["resource_ids"] or ():
            resource = api.get(f"/video-agents/{session_id}/resources/{name}")
            kinds[resource["resource_type"]] = [key for key in ("url", "thumbnail_url") if resource[key]]
    assert kinds == {
        "avatar": [],
        "voice": [],
        "blueprint": [],
        "image": ["url", "thumbnail_url"],
        "draft": ["url", "thumbnail_url"],
        "video": ["url", "thumbnail_url"],
    }


def test_links_differ_at_each_read_and_expire(api: Api) -> None:
    session_id = api.to_storyboard()
    resource_id = pictures(api, session_id)[0]["resource_id"]
    path = f"/video-agents/{session_id}/resources/{resource_id}"
    first, second = api.get(path)["url"], api.get(path)["url"]
    assert first != second
    assert first.partition("?")[0] == second.partition("?")[0]
    assert content(first) == content(second)
    api.advance(3601)
    assert requests.get(first, timeout=10).status_code == 403
    content(api.get(path)["url"])


def test_a_forged_link_is_refused(api: Api) -> None:
    session_id = api.to_storyboard()
    link = pictures(api, session_id)[0]["url"]
    for forged in (
        link.partition("?")[0],
        link.replace("Expires=1", "Expires=9"),
        link.replace("Signature=", "Signature=0"),
    ):
        assert requests.get(forged, timeout=10).status_code == 403


def test_life_of_links_can_be_set(api: Api) -> None:
    api.simulator.control.settings(link_seconds=30)
    session_id = api.to_storyboard()
    link = pictures(api, session_id)[0]["url"]
    api.advance(31)
    assert requests.get(link, timeout=10).status_code == 403


def test_uploaded_files_become_resources(api: Api) -> None:
    files = [
        {"type": "url", "url": "https://example.com/logo.png"},
        {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
    ]
    session_id = api.create(files=files)
    names = api.read(session_id)["messages"][0]["resource_ids"]
    found = [api.get(f"/video-agents/{session_id}/resources/{name}") for name in names]
    assert [(r["source_type"], r["url"]) for r in found] == [
        ("user_uploaded", "https://example.com/logo.png"),
        ("user_uploaded", None),
    ]


def test_unknown_resource(api: Api) -> None:
    response = api.call("GET", f"/video-agents/{api.create()}/resources/res_nothing")
    assert (response.status_code, response.json()["error"]["message"]) == (404, "Resource not found.")
