from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from config import serving


def ask(
    application: Any,
    path: str = "/",
    *,
    headers: dict[bytes, bytes] | None = None,
    body: list[bytes] | None = None,
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body; status 0 when the application gave no answer."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": list((headers or {}).items()),
    }
    sent: list[dict[str, Any]] = []
    chunks = list(body or [b""])

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    if not sent:
        return 0, {}, b""
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:])


def saying(text: bytes) -> Any:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await serving.answer(send, 200, text)

    return application


async def swallow(scope: Any, receive: Any, send: Any) -> None:
    """Reads a body as Django does: all of it, or nothing when the browser is gone."""
    received = b""
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        received += event["body"]
        if not event["more_body"]:
            return await serving.answer(send, 200, b"%d bytes" % len(received))


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/stream/x/", b"stream"),
        ("/healthz", b"health"),
        ("/healthz/", b"pages"),
        ("/healthzz", b"pages"),
        ("/stream", b"pages"),
        ("/", b"pages"),
    ],
)
def test_a_path_leads_to_its_route(path, answer):
    routed = serving.routed(
        {"/stream/": saying(b"stream"), "/healthz": saying(b"health")}, otherwise=saying(b"pages")
    )

    assert ask(routed, path)[2] == answer


def test_a_body_within_the_limit_passes():
    limited = serving.limited(swallow, most_bytes=10)

    assert ask(limited, headers={b"content-length": b"10"}, body=[b"12345", b"67890"])[::2] == (
        200,
        b"10 bytes",
    )


def test_a_body_that_declares_too_much_is_refused_unread():
    limited = serving.limited(swallow, most_bytes=10)

    assert ask(limited, headers={b"content-length": b"11"}, body=[])[0] == 413


@pytest.mark.parametrize("headers", [{}, {b"content-length": b"lots"}, {b"content-length": b"1"}])
def test_a_body_that_grows_beyond_the_limit_is_cut_off(headers):
    limited = serving.limited(swallow, most_bytes=10)

    assert ask(limited, headers=headers, body=[b"12345", b"67890", b"1"]) == (0, {}, b"")


def test_static_files_are_kept_for_ever_when_their_name_has_a_hash(tmp_path: Path):
    (tmp_path / "app.css").write_text("a{}")
    (tmp_path / "app.0123456789ab.css").write_text("a{}")
    served = serving.static_files(saying(b"pages"), root=tmp_path, prefix="/static/")

    plain, hashed = ask(served, "/static/app.css"), ask(served, "/static/app.0123456789ab.css")

    assert (plain[0], plain[2], plain[1][b"cache-control"]) == (200, b"a{}", b"max-age=60, public")
    assert hashed[1][b"cache-control"] == b"max-age=315360000, public, immutable"
    assert hashed[1][b"x-content-type-options"] == b"nosniff"
    assert b"access-control-allow-origin" not in hashed[1]


@pytest.mark.parametrize("path", ["/static/../secret", "/static/missing.css", "/static/"])
def test_what_is_no_static_file_is_a_page(tmp_path: Path, path: str):
    (tmp_path / "static").mkdir()
    (tmp_path / "secret").write_text("x")
    served = serving.static_files(saying(b"pages"), root=tmp_path / "static", prefix="/static/")

    assert ask(served, path)[2] == b"pages"


def test_healthz_needs_nothing():
    assert ask(serving.alive)[::2] == (200, b"ok")
