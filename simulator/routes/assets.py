"""Uploaded files (contract 8)."""

from __future__ import annotations

import json
from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.responses import Response

from simulator import schemas
from simulator.assets import KINDS, LARGEST, SLOT_SECONDS
from simulator.errors import ApiError, invalid
from simulator.gateway import Call, answer, as_json, operation, read_body
from simulator.idempotency import idempotent
from simulator.paging import cut, envelope


async def upload(call: Call) -> Response:
    request = call.request
    length = request.headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length) > LARGEST + 65_536:
        raise ApiError(413, "payload_too_large", "The file is larger than 32 MB.", param="file")
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise invalid("The body must be multipart/form-data.", "file")
    try:
        form = await request.form(max_files=2, max_fields=2)
    except (MultiPartException, KeyError, UnicodeDecodeError, LookupError) as error:
        raise invalid("The body is not multipart/form-data.", "file") from error
    try:
        for name in form:
            if name != "file":
                raise invalid(f"{name} is not a known field.", name)
        file = form.get("file")
        if not isinstance(file, UploadFile) or len(form.multi_items()) != 1:
            raise invalid("One part named file is required.", "file")
        data = await file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ApiError(413, "payload_too_large", "The file is larger than 32 MB.", param="file")
        identifier = call.simulator.assets.upload(call.account, file.filename or "file", data)
    finally:
        await form.close()
    return answer(uploaded_view(call, identifier))


def uploaded_view(call: Call, identifier: str) -> dict[str, Any]:
    document = call.simulator.assets.documents[identifier]
    return {
        "asset_id": identifier,
        "url": call.simulator.assets.url(identifier),
        "mime_type": document["mime"],
        "size_bytes": document["size"],
    }


def asset_view(call: Call, identifier: str, document: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": identifier,
        "name": document["name"],
        "type": KINDS[document["mime"]][1],
        "owner": call.account.username,
        "space_id": call.account.space_id,
        "uploaded_at": document["at"],
        "folder_id": None,
        "url": call.simulator.assets.url(identifier),
    }


async def list_assets(call: Call) -> Response:
    query = call.query
    if "username" not in query:
        raise invalid("username is required.", "username")
    found = [] if query.get("folder_id") else call.simulator.assets.listed(call.account, query["username"])
    page, token = cut(found, query, lambda pair: pair[0], default=20, most=100)
    return as_json(envelope([asset_view(call, *pair) for pair in page], token))


async def direct_upload(call: Call) -> Response:
    body = await call.body()
    schemas.DIRECT_UPLOAD(body, "")
    identifier = call.simulator.assets.reserve(call.account, body)
    url = call.world.links.signed(f"/media/uploads/{identifier}", seconds=SLOT_SECONDS)
    return answer(
        {
            "asset_id": identifier,
            "upload_url": url,
            "upload_headers": {"Content-Type": body["content_type"]},
            "expires_in_seconds": SLOT_SECONDS,
            "max_bytes": int(body["size_bytes"]),
            "status": "pending_upload",
        }
    )


async def complete(call: Call) -> Response:
    raw = await read_body(call.request)
    try:
        body = json.loads(raw) if raw.strip() else {}
    except ValueError as error:
        raise invalid("The body is not JSON.") from error
    schemas.COMPLETE_UPLOAD(body, "")
    identifier = call.id("asset_id")
    call.simulator.assets.complete(call.account, identifier, body.get("checksum_sha256"))
    return answer({**uploaded_view(call, identifier), "status": "processing"})


async def read(call: Call) -> Response:
    identifier = call.id("asset_id")
    return answer(asset_view(call, identifier, call.simulator.assets.get(call.account, identifier)))


async def delete(call: Call) -> Response:
    identifier = call.id("asset_id")
    call.simulator.assets.delete(call.account, identifier)
    return answer({"id": identifier})


ROUTES = [
    operation("POST", "/v3/assets", idempotent(upload)),
    operation("GET", "/v3/assets", list_assets),
    operation("POST", "/v3/assets/direct-uploads", direct_upload),
    operation("POST", "/v3/assets/{asset_id}/complete", complete),
    operation("GET", "/v3/assets/{asset_id}", read),
    operation("DELETE", "/v3/assets/{asset_id}", delete),
]
