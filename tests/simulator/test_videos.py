"""Finished videos: the object, the list, the file that plays."""

from __future__ import annotations

import io

import av
import requests

from .conftest import Api


def test_the_file_is_a_film_with_sound_that_starts_at_once(api: Api) -> None:
    _, video_id = api.to_video()
    video = api.get(f"/videos/{video_id}")
    data = requests.get(video["video_url"], timeout=60).content
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(io.BytesIO(data)) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        assert container.duration is not None
        assert abs(container.duration / 1_000_000 - video["duration"]) < 0.2
        frames = list(container.decode(video=0))
    # Sums of the brightness say whether the picture moves, without a conversion of each.
    assert len({bytes(frame.planes[0])[::997] for frame in frames[::10]}) == len(frames[::10])
    assert 6 <= video["duration"] <= 12

    part = requests.get(video["video_url"], headers={"Range": "bytes=100-199"}, timeout=10)
    assert (part.status_code, part.content) == (206, data[100:200])


def test_captions_subtitles_and_thumbnail(api: Api) -> None:
    _, video_id = api.to_video()
    video = api.get(f"/videos/{video_id}")
    captioned = requests.get(video["captioned_video_url"], timeout=60)
    plain = requests.get(video["video_url"], timeout=60)
    assert captioned.headers["content-type"] == "video/mp4"
    assert captioned.content != plain.content
    subtitles = requests.get(video["subtitle_url"], timeout=10)
    assert subtitles.headers["content-type"].startswith("application/x-subrip")
    assert subtitles.text.startswith("1\n00:00:00,000 --> ")
    assert requests.get(video["thumbnail_url"], timeout=10).content.startswith(b"\xff\xd8")


def test_links_of_videos_expire(api: Api) -> None:
    _, video_id = api.to_video()
    link = api.get(f"/videos/{video_id}")["subtitle_url"]
    assert api.get(f"/videos/{video_id}")["subtitle_url"] != link
    api.advance(4000)
    assert requests.get(link, timeout=10).status_code == 403


def test_list_search_and_delete(api: Api) -> None:
    _, tea = api.to_video("A film about tea")
    _, coffee = api.to_video("A film about coffee")
    assert [video["id"] for video in api.get("/videos")] == [coffee, tea]
    assert [video["id"] for video in api.get("/videos", params={"title": "TEA"})] == [tea]
    page = api.call("GET", "/videos?limit=1").json()
    assert page["has_more"] is True
    assert [video["id"] for video in api.get("/videos", params={"token": page["next_token"]})] == [tea]
    link = api.get(f"/videos/{tea}")["video_url"]
    assert api.call("DELETE", f"/videos/{tea}").json() == {"data": {"id": tea, "deleted": True}}
    assert api.call("GET", f"/videos/{tea}").json()["error"]["code"] == "video_not_found"
    assert api.call("DELETE", f"/videos/{tea}").status_code == 404
    assert requests.get(link, timeout=10).status_code == 404
    assert [video["id"] for video in api.get("/videos")] == [coffee]


def test_statuses_of_many(api: Api, other: Api) -> None:
    _, done = api.to_video()
    _, theirs = other.to_video()
    items = api.get("/videos/statuses", params={"video_ids": f"{done},v_nothing,{theirs}"})
    assert [(item["video_id"], item["status"]) for item in items] == [
        (done, "completed"),
        ("v_nothing", "not_found"),
        (theirs, "not_found"),
    ]
    many = ",".join(["v"] * 101)
    assert api.call("GET", "/videos/statuses", params={"video_ids": many}).status_code == 400
