"""`/files/<id>/`: who gets a file, in which form, and what happens while there is no copy."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from polling.models import PollState
from sessions_app.models import MediaFile
from tests.factories import MediaFileFactory, MembershipFactory, ResourceFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db

ORIGIN = "https://files.heygen.ai"


@pytest.fixture(autouse=True)
def _hosts(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_HOSTS, settings.MEDIA_DIR = [ORIGIN], tmp_path


def stored(**fields: Any) -> MediaFile:
    given = {"state": "stored", "path": "ab/cdef", "size": 10, "content_type": "image/png"} | fields
    file: MediaFile = MediaFileFactory(**given)
    return file


def ask(file: MediaFile, query: str = "", *, member: bool = True) -> Any:
    user = UserFactory()
    if member:
        MembershipFactory(user=user, workspace=file.workspace)
    client = Client()
    client.force_login(user)
    return client.get(file.get_absolute_url() + query)


def test_a_copy_is_named_to_the_server_with_headers_that_keep_it_harmless():
    file = stored(resource=ResourceFactory(metadata={"name": "Opening scene"}))
    answer = ask(file)
    assert answer.status_code == 200
    assert {name: answer[name] for name in answer.headers if name in
            ("Content-Type", "X-Send-File", "Content-Disposition", "Cache-Control", "X-Content-Type-Options",
             "Content-Security-Policy")} == {
        "Content-Type": "image/png",
        "X-Send-File": "ab/cdef",
        "Content-Disposition": 'inline; filename="opening-scene.png"',
        "Cache-Control": "private, max-age=3600",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }  # fmt: skip


def test_a_download_has_a_name_that_tells_what_it_is():
    video = VideoFactory(title="Spring / Summer")
    file = stored(resource=None, video=video, role="captioned", content_type="video/mp4")
    assert ask(file, "?download=1")["Content-Disposition"] == (
        'attachment; filename="spring-summer-captioned.mp4"'
    )


@pytest.mark.parametrize(
    ("content_type", "inline"),
    [
        ("image/webp", True),
        ("video/mp4", True),
        ("audio/mpeg", True),
        ("image/svg+xml", False),
        ("text/html", False),
        ("text/plain", False),
        ("application/pdf", False),
        ("application/xhtml+xml", False),
        ("", False),
    ],
)
def test_only_what_cannot_run_is_shown_in_the_page(content_type: str, inline: bool):
    answer = ask(stored(content_type=content_type))
    assert answer["Content-Disposition"].startswith("inline;" if inline else "attachment;")


@pytest.mark.parametrize("name", ["files:file", "files:captions"])
def test_strangers_get_404_and_signed_out_people_the_sign_in_page(name: str):
    file = stored(role="subtitles", content_type="text/plain")
    client = Client()
    client.force_login(UserFactory())
    assert client.get(reverse(name, args=[file.pk])).status_code == 404
    assert Client().get(reverse(name, args=[file.pk])).status_code == 302


def test_a_link_read_a_moment_ago_is_handed_on():
    file = MediaFileFactory(remote_url=f"{ORIGIN}/a.png?s=1", linked_at=timezone.now())
    answer = ask(file)
    assert (answer.status_code, answer["Location"]) == (302, f"{ORIGIN}/a.png?s=1")
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("link", "minutes"),
    [
        (f"{ORIGIN}/a.png", 6),
        ("https://evil.example/a.png", 0),
        ("javascript:alert(1)", 0),
        ("http://[broken", 0),
        ("", 0),
    ],
)
def test_any_other_link_is_read_anew_instead(link: str, minutes: int):
    resource = ResourceFactory()
    PollState.objects.create(kind="resource", object_id=resource.pk, workspace=resource.workspace)
    linked_at = timezone.now() - dt.timedelta(minutes=minutes)
    answer = ask(MediaFileFactory(resource=resource, remote_url=link, linked_at=linked_at))
    assert (answer.status_code, answer["Retry-After"]) == (503, "3")
    assert PollState.objects.filter(object_id=resource.pk, next_poll_at__isnull=False).exists()


def test_who_asks_for_a_file_that_was_given_up_has_it_tried_again():
    file = MediaFileFactory(state="failed", linked_at=None)
    assert ask(file).status_code == 503
    file.refresh_from_db()
    assert file.state == "wanted"


def test_captions_are_webvtt_for_the_player(settings: Any):
    file = stored(role="subtitles", content_type="text/plain")
    path = settings.MEDIA_DIR / file.path
    path.parent.mkdir()
    path.write_bytes("\ufeff1\n00:00:01,500 --> 00:00:02,000\nGrüße, 10,5 mal\n".encode())
    user = UserFactory()
    MembershipFactory(user=user, workspace=file.workspace)
    client = Client()
    client.force_login(user)

    answer = client.get(reverse("files:captions", args=[file.pk]))

    assert answer["Content-Type"] == "text/vtt; charset=utf-8"
    assert answer.content.decode() == "WEBVTT\n\n1\n00:00:01.500 --> 00:00:02.000\nGrüße, 10,5 mal\n"
