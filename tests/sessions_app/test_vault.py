"""What the vault fetches, and what it refuses to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from sessions_app import vault
from tests.sessions_app.media_host import PNG, MediaHost, running


@pytest.fixture
def host(settings: Any, tmp_path: Path) -> Iterator[MediaHost]:
    with running() as host:
        settings.MEDIA_DIR = tmp_path
        settings.MEDIA_HOSTS = [host.origin]
        yield host


def stored(settings: Any) -> list[bytes]:
    """The contents of every file below MEDIA_DIR, half copies included."""
    return [path.read_bytes() for path in settings.MEDIA_DIR.rglob("*") if path.is_file()]


def test_a_copy_has_a_name_of_our_own_and_the_type_of_its_content(host: MediaHost, settings: Any):
    link = host.serve("/passwd.html", PNG, "text/html")

    copy = vault.fetch(link + "?signature=secret", seconds=5)

    assert (copy.size, copy.content_type, copy.sha256) == (len(PNG), "image/png", sha256(PNG).hexdigest())
    assert "passwd" not in copy.path
    assert (settings.MEDIA_DIR / copy.path).read_bytes() == PNG
    assert set(host.asked[0][1]) == {"host", "user-agent", "accept", "accept-encoding", "connection"}


@pytest.mark.parametrize(
    ("body", "declared", "expected"),
    [
        (b"1\n00:00:00,000 --> 00:00:01,000\nHello\n", "application/x-subrip", "text/plain"),
        (b"no shape at all", "text/html", "application/octet-stream"),
        (b"no shape at all", "image/svg+xml", "application/octet-stream"),
    ],
)
def test_a_declared_type_counts_only_for_plain_text(
    host: MediaHost, body: bytes, declared: str, expected: str
):
    assert vault.fetch(host.serve("/file", body, declared), seconds=5).content_type == expected


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_link_that_is_no_longer_good_says_so(host: MediaHost, status: int):
    with pytest.raises(vault.Expired):
        vault.fetch(host.refuse("/old", status), seconds=5)


def test_a_host_in_trouble_is_only_a_failure_for_now(host: MediaHost):
    with pytest.raises(vault.NotFetched) as caught:
        vault.fetch(host.refuse("/busy", 503), seconds=5)
    assert caught.value.reason == "not_fetched"


@pytest.mark.parametrize(
    "link",
    [
        "{other}/a.png",
        "https://files.heygen.ai/a.png",
        "http://user@127.0.0.1:{port}/a.png",
        "http://@127.0.0.1:{port}/a.png",
        "http://:secret@127.0.0.1:{port}/a.png",
        "https://127.0.0.1:{port}/a.png",
        "http://127.0.0.1:99999/a.png",
        "http://[::1/a.png",
        "file:///etc/passwd",
        "ftp://127.0.0.1:{port}/a.png",
        "//127.0.0.1:{port}/a.png",
        "",
    ],
)
def test_only_listed_origins_are_asked(host: MediaHost, link: str):
    port = host.origin.rpartition(":")[2]
    with running() as other, pytest.raises(vault.ForbiddenAddress):
        vault.fetch(link.format(port=port, other=other.origin), seconds=5)
    assert host.asked == []
    assert other.asked == []


def test_an_internal_address_is_refused_unless_it_is_listed_with_its_port(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Port 80 of loopback stands for a listed name that leads inside."""
    settings.MEDIA_DIR, settings.MEDIA_HOSTS = tmp_path, ["http://127.0.0.1"]
    with running() as host:
        port = int(host.origin.rpartition(":")[2])
        monkeypatch.setattr("urllib3.connection.HTTPConnection.default_port", port)
        connect = vault.HTTPConnection._new_conn

        def to_the_host(self: Any) -> Any:
            self.port = port
            return connect(self)

        monkeypatch.setattr(vault.HTTPConnection, "_new_conn", to_the_host)
        host.serve("/a.png", PNG)
        with pytest.raises(vault.ForbiddenAddress, match="internal address"):
            vault.fetch("http://127.0.0.1/a.png", seconds=5)
        assert host.asked == []


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fe80::1", "::ffff:10.0.0.1",
     "64:ff9b::a00:1", "2002:a00:1::", "224.0.0.1", "fd00::1"],
)  # fmt: skip
def test_no_address_is_public_that_leads_inside(address: str):
    class Connected:
        closed = False

        def getpeername(self) -> tuple[str, int]:
            return (address, 443)

        def close(self) -> None:
            self.closed = True

    connected: Any = Connected()
    with pytest.raises(vault.ForbiddenAddress):
        vault._require_public(connected)
    assert connected.closed


def test_a_redirect_is_followed_three_times_without_cookies(host: MediaHost):
    host.serve("/3", PNG)
    for number in (2, 1, 0):
        host.redirect(f"/{number}", f"/{number + 1}")
    assert vault.fetch(host.origin + "/0", seconds=5).size == len(PNG)
    assert all("cookie" not in headers for _, headers in host.asked)

    host.redirect("/first", "/0")
    with pytest.raises(vault.NotFetched, match="too many redirects"):
        vault.fetch(host.origin + "/first", seconds=5)


def test_a_redirect_to_a_host_that_is_not_listed_ends_there(host: MediaHost):
    with running() as other, pytest.raises(vault.ForbiddenAddress):
        vault.fetch(host.redirect("/away", other.serve("/a.png", PNG)), seconds=5)
    assert other.asked == []


def test_what_is_too_large_is_not_kept(host: MediaHost, settings: Any):
    settings.MEDIA_MAX_BYTES = 1000
    assert vault.fetch(host.serve("/fits", b"x" * 1000), seconds=5).size == 1000
    with pytest.raises(vault.NotCopied, match="larger than 1000"):
        vault.fetch(host.serve("/large", b"x" * 1001), seconds=5)
    assert [len(body) for body in stored(settings)] == [1000]


def test_what_is_cut_off_is_not_kept(host: MediaHost, settings: Any):
    link = host.serve("/half", b"x" * 500, content_length="1000", connection="close")
    with pytest.raises(vault.NotFetched) as caught:
        vault.fetch(link, seconds=5)
    assert caught.value.reason == "not_fetched"
    assert stored(settings) == []


def test_a_broken_chunk_is_a_failure_that_holds_no_link(host: MediaHost, settings: Any):
    host.answers["/chunks"] = (200, {"transfer-encoding": "chunked", "connection": "close"}, b"zz\r\n")
    with pytest.raises(vault.NotFetched) as caught:
        vault.fetch(host.origin + "/chunks?signature=secret", seconds=5)
    assert "secret" not in str(caught.value)
    assert stored(settings) == []


def test_what_takes_longer_than_it_may_is_given_up(host: MediaHost, settings: Any):
    with pytest.raises(vault.NotFetched, match="took too long"):
        vault.fetch(host.serve("/slow", PNG), seconds=-1)
    assert stored(settings) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_a_failure_for_now(host: MediaHost, settings: Any, monkeypatch: pytest.MonkeyPatch):
    link = host.serve("/a.png", PNG)
    opened = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda self, *a, **k: (
            opened(Path("/dev/full"), *a, **k) if self.suffix == ".part" else opened(self, *a, **k)
        ),
    )
    with pytest.raises(vault.NotFetched, match="No space left on device"):
        vault.fetch(link, seconds=5)


def test_what_a_killed_copy_left_is_removed_in_the_end(settings: Any, tmp_path: Path):
    settings.MEDIA_DIR = tmp_path
    (tmp_path / "ab").mkdir()
    left, under_way, whole = (tmp_path / "ab" / name for name in ("old.part", "new.part", "old"))
    for path in (left, under_way, whole):
        path.write_bytes(b"half")
    for path in (left, whole):
        os.utime(path, (0, 0))

    assert vault.forget_unfinished() == 1

    assert not left.exists()
    assert under_way.exists()
    assert whole.exists()
