"""Uploads: multipart and direct."""

from __future__ import annotations

import hashlib

import pytest
import requests

from .conftest import Api

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 100
FILES = {
    "image/png": PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0" + b"\x00" * 20,
    "video/mp4": b"\x00\x00\x00\x18ftypisom" + b"\x00" * 20,
    "video/webm": b"\x1a\x45\xdf\xa3" + b"\x00" * 20,
    "audio/mpeg": b"ID3\x04" + b"\x00" * 20,
    "audio/wav": b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\x00" * 20,
    "application/pdf": b"%PDF-1.7\n",
    "application/x-subrip": b"1\n00:00:00,000 --> 00:00:01,000\nHello\n",
}


@pytest.mark.parametrize("mime", FILES)
def test_detected_type_wins(api: Api, mime: str) -> None:
    data = api.call("POST", "/assets", files={"file": ("a.bin", FILES[mime], "text/plain")}).json()["data"]
    assert (data["mime_type"], data["size_bytes"]) == (mime, len(FILES[mime]))
    assert requests.get(data["url"], timeout=10).content == FILES[mime]


def test_an_asset_lives_until_it_is_deleted(api: Api, other: Api) -> None:
    uploaded = api.call("POST", "/assets", files={"file": ("logo.png", PNG)}).json()["data"]
    identifier = uploaded["asset_id"]
    user = api.get("/users/me")["username"]
    read = api.get(f"/assets/{identifier}")
    assert (read["id"], read["name"], read["type"], read["owner"]) == (identifier, "logo.png", "image", user)
    assert [asset["id"] for asset in api.get("/assets", params={"username": user})] == [identifier]
    assert api.get("/assets", params={"username": "somebody"}) == []
    assert api.call("GET", "/assets").json()["error"]["param"] == "username"
    assert other.call("GET", f"/assets/{identifier}").json()["error"]["code"] == "asset_not_found"
    files = [{"type": "asset_id", "asset_id": identifier}]
    assert (
        other.post("/video-agents", {"prompt": "a", "files": files}, status=400)["param"]
        == "files.0.asset_id"
    )
    session_id = api.create(files=files)
    (name,) = api.read(session_id)["messages"][0]["resource_ids"]
    resource = api.get(f"/video-agents/{session_id}/resources/{name}")
    assert requests.get(resource["url"], timeout=10).content == PNG
    assert api.call("DELETE", f"/assets/{identifier}").json() == {"data": {"id": identifier}}
    assert api.call("GET", f"/assets/{identifier}").status_code == 404


def test_uploads_that_are_refused(api: Api) -> None:
    assert api.call("POST", "/assets", files={"file": ("a.txt", b"plain text")}).status_code == 400
    assert api.call("POST", "/assets", files={"other": ("a.png", PNG)}).json()["error"]["param"] == "other"
    assert api.call("POST", "/assets", json={}).status_code == 400
    large = PNG + b"\x00" * (32 * 1024 * 1024)
    response = api.call("POST", "/assets", files={"file": ("a.png", large)})
    assert (response.status_code, response.json()["error"]["code"]) == (413, "payload_too_large")


def test_upload_with_an_idempotency_key(api: Api) -> None:
    headers = {"Idempotency-Key": "upload-1"}
    first = api.call("POST", "/assets", files={"file": ("a.png", PNG)}, headers=headers).json()
    second = api.call("POST", "/assets", files={"file": ("a.png", PNG)}, headers=headers).json()
    assert second == first


def test_direct_upload(api: Api) -> None:
    body = {
        "filename": "clip.png",
        "content_type": "image/png",
        "size_bytes": len(PNG),
        "checksum_sha256": hashlib.sha256(PNG).hexdigest(),
    }
    slot = api.post("/assets/direct-uploads", body)
    identifier = slot["asset_id"]
    assert (slot["status"], slot["max_bytes"]) == ("pending_upload", len(PNG))
    assert api.post(f"/assets/{identifier}/complete", status=409)["code"] == "conflict"
    assert api.call("GET", f"/assets/{identifier}").status_code == 404
    short = requests.put(slot["upload_url"], data=PNG[:-1], headers=slot["upload_headers"], timeout=10)
    assert short.status_code == 400
    assert (
        requests.put(slot["upload_url"], data=PNG, headers={"Content-Type": "a/b"}, timeout=10).status_code
        == 403
    )
    assert (
        requests.put(slot["upload_url"], data=PNG, headers=slot["upload_headers"], timeout=10).status_code
        == 200
    )
    for _ in range(2):
        done = api.post(f"/assets/{identifier}/complete")
        assert (done["status"], done["mime_type"]) == ("processing", "image/png")
    assert api.get(f"/assets/{identifier}")["name"] == "clip.png"


def test_direct_upload_with_a_wrong_checksum(api: Api) -> None:
    body = {"filename": "a.png", "content_type": "image/png", "size_bytes": len(PNG)}
    slot = api.post("/assets/direct-uploads", body)
    requests.put(slot["upload_url"], data=PNG, headers=slot["upload_headers"], timeout=10)
    error = api.post(f"/assets/{slot['asset_id']}/complete", {"checksum_sha256": "0" * 64}, status=400)
    assert error["param"] == "checksum_sha256"


def test_direct_upload_slots_expire(api: Api) -> None:
    slot = api.post("/assets/direct-uploads", {"filename": "a", "content_type": "image/png", "size_bytes": 3})
    api.advance(slot["expires_in_seconds"] + 1)
    late = requests.put(slot["upload_url"], data=b"abc", headers=slot["upload_headers"], timeout=10)
    assert late.status_code == 403
