"""Files that a view names are sent whole or in ranges, with the view's headers, and from below one folder only."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from config.sendfile import sending_files


def ask(application: Any, headers: dict[bytes, bytes] | None = None) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body, as a server sees them whose browser stays to the end."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "asgi": {"spec_version": "2.4"},
        "headers": list((headers or {}).items()),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(event: Any) -> None:
        sent.append(event)

    asyncio.run(application(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(event["body"] for event in sent[1:])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "media"
    (root / "ab").mkdir(parents=True)
    (root / "ab" / "film").write_bytes(b"0123456789")
    (tmp_path / "secret").write_bytes(b"secret")
    return root


def naming(name: str) -> Any:
    """A view that has checked access and names a file."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        headers = [
            (b"X-Send-File", name.encode()),
            (b"Content-Type", b"video/mp4"),
            (b"Content-Length", b"0"),
            (b"Content-Disposition", b'attachment; filename="film.mp4"'),
            (b"X-Content-Type-Options", b"nosniff"),
            (b"Cache-Control", b"private, max-age=3600"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return application


def test_the_file_goes_out_with_the_headers_of_the_view(root: Path):
    status, headers, body = ask(sending_files(naming("ab/film"), root=root))

    assert (status, body) == (200, b"0123456789")
    assert {name: headers[name] for name in headers if name not in (b"etag", b"last-modified")} == {
        b"content-type": b"video/mp4",
        b"content-length": b"10",
        b"content-disposition": b'attachment; filename="film.mp4"',
        b"x-content-type-options": b"nosniff",
        b"cache-control": b"private, max-age=3600",
        b"accept-ranges": b"bytes",
    }


@pytest.mark.parametrize(
    ("asked", "part", "sent"),
    [
        (b"bytes=2-4", b"bytes 2-4/10", b"234"),
        (b"bytes=7-", b"bytes 7-9/10", b"789"),
        (b"bytes=-3", b"bytes 7-9/10", b"789"),
    ],
)
def test_a_player_gets_the_part_that_it_asks_for(root: Path, asked: bytes, part: bytes, sent: bytes):
    status, headers, body = ask(sending_files(naming("ab/film"), root=root), headers={b"range": asked})
    assert (status, headers[b"content-range"], body) == (206, part, sent)


def test_a_part_beyond_the_end_is_refused(root: Path):
    status, headers, _ = ask(sending_files(naming("ab/film"), root=root), headers={b"range": b"bytes=100-"})
    assert (status, headers[b"content-range"]) == (416, b"bytes */10")


@pytest.mark.parametrize("name", ["../secret", "ab/../../secret", "{outside}", "ab/link", "ab", "no/file"])
def test_nothing_outside_of_the_folder_is_ever_sent(root: Path, name: str):
    outside = root.parent / "secret"
    (root / "ab" / "link").symlink_to(outside)
    status, _, body = ask(sending_files(naming(name.format(outside=outside)), root=root))
    assert (status, body) == (404, b"The stored file is missing.")


def test_other_answers_pass_untouched(root: Path):
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 201, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"made", "more_body": False})

    assert ask(sending_files(application, root=root)) == (201, {b"a": b"b"}, b"made")
