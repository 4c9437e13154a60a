from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from realtime_app.playlists import listed, origin_of


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://live.example.com/a/index.m3u8?sig=1", True),
        ("https://live.example.com:443/a", True),
        ("http://live.example.com/a", False),
        ("https://live.example.com:8443/a", False),
        ("https://live.example.com.evil.test/a", False),
        ("https://user@live.example.com/a", False),
        ("http://127.0.0.1:9000/a", True),
        ("http://127.0.0.1:99999/a", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_only_listed_origins_may_be_loaded(url: str, allowed: bool, settings: Settings) -> None:
    settings.MEDIA_HOSTS = ["https://live.example.com", "http://127.0.0.1:9000"]
    assert listed(url) is allowed


def test_an_origin_is_named_without_path_and_query() -> None:
    assert origin_of("https://live.example.com:8443/a?token=1") == "https://live.example.com:8443"
    assert origin_of("javascript:alert(1)") == ""
