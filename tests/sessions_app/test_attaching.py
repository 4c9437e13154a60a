"""Files in the composer of a session: there until they were sent or taken out, whatever becomes of the page."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from commands import tokens
from commands.models import Command
from sessions_app import actions
from sessions_app.models import Upload, VideoSession
from simulator.testing import Running
from tests.factories import MembershipFactory, UploadFactory, UserFactory, VideoSessionFactory
from tests.processes import wait_until
from tests.sessions_app.presses import press_in
from workspaces_app import crypto
from workspaces_app.models import Role, User

pytestmark = pytest.mark.django_db

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")


def picture(name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, PNG, "image/png")


@pytest.fixture
def session() -> VideoSession:
    found: VideoSession = VideoSessionFactory(group="needs_you", status="waiting_for_input")
    return found


@pytest.fixture
def connected(session: VideoSession, heygen: Running, valkey: Any) -> VideoSession:
    """The same in a workspace with a key that the simulator knows."""
    key = "attaching-test-key"
    heygen.control.account(key)
    workspace = session.workspace
    workspace.base_url = heygen.url
    workspace.encrypted_key = crypto.seal(key)
    workspace.key_fingerprint = crypto.fingerprint(key)
    workspace.save()
    return session


def signed_in(session: VideoSession, role: Role = Role.CREATOR) -> tuple[Client, User]:
    client = Client()
    user = MembershipFactory(workspace=session.workspace, role=role).user
    client.force_login(user)
    return client, user


def waiting(session: VideoSession, owner: User, name: str = "logo.png") -> Upload:
    upload: Upload = UploadFactory(
        workspace=session.workspace, owner=owner, filename=name, asset_id=f"asset-{name}", waits_in=session
    )
    return upload


def attach(client: Client, session: VideoSession, file: SimpleUploadedFile) -> Any:
    """The answer, once the limits let the file through: like the page, it is sent again when they do not."""
    answers: list[Any] = []

    def taken() -> bool:
        file.seek(0)
        answers.append(client.post(reverse("sessions:attach", args=[session.pk]), {"file": file}))
        return answers[-1].status_code != 429

    wait_until(taken, seconds=30, what="the limits let the file through")
    return answers[-1]


def detach_address(session: VideoSession, upload: Upload) -> str:
    return reverse("sessions:detach", args=[session.pk, upload.pk])


def page(client: Client, session: VideoSession) -> str:
    html: str = client.get(session.get_absolute_url()).content.decode()
    return html


def send(client: Client, session: VideoSession, **fields: Any) -> Any:
    data = {"token": tokens.new(), "message": "Use this", **fields}
    return client.post(reverse("sessions:send", args=[session.pk]), data)


def test_what_was_attached_is_there_after_a_reload_for_its_person_only(connected: VideoSession):
    client, user = signed_in(connected)

    answers = [attach(client, connected, picture(name)) for name in ("one.png", "two.png")]

    rows = list(Upload.objects.order_by("id"))
    assert [(row.owner, row.waits_in, row.filename) for row in rows] == [
        (user, connected, "one.png"),
        (user, connected, "two.png"),
    ]
    assert [answer.json() for answer in answers] == [
        {"id": str(row.pk), "name": row.filename, "remove": detach_address(connected, row)} for row in rows
    ]
    html = page(client, connected)
    assert html.index("one.png") < html.index("two.png")
    assert html.count("checked>") >= 2
    assert "one.png" not in page(signed_in(connected)[0], connected)
    assert "one.png" not in page(client, VideoSessionFactory(workspace=connected.workspace))


def test_what_was_sent_waits_no_longer(session: VideoSession):
    client, user = signed_in(session)
    sent, kept = waiting(session, user, "sent.png"), waiting(session, user, "kept.png")

    assert send(client, session, uploads=[str(sent.pk)]).status_code == 302

    assert Command.objects.get().payload["files"] == [{"type": "asset_id", "asset_id": "asset-sent.png"}]
    assert list(Upload.objects.filter(waits_in=session)) == [kept]
    html = page(client, session)
    assert ("kept.png" in html, 'value="' + str(sent.pk) in html) == (True, False)


def test_files_leave_the_composer_with_the_press_or_not_at_all(
    session: VideoSession, monkeypatch: pytest.MonkeyPatch
):
    """A process that died in between would leave them to go out with the next message, too."""
    _client, user = signed_in(session)
    upload = waiting(session, user)

    def sent() -> None:
        actions.send(session, text="With it", token=tokens.new(), by=user, attached=[upload])

    with monkeypatch.context() as patch:
        patch.setattr(actions, "touched", nothing_goes_on)
        with pytest.raises(InterruptedError):
            sent()
    assert not Command.objects.exists()
    assert Upload.objects.get().waits_in == session

    sent()
    assert Command.objects.exists()
    assert Upload.objects.get().waits_in is None


def nothing_goes_on(*_: object) -> None:
    raise InterruptedError


def test_a_message_that_is_refused_keeps_its_files(connected: VideoSession):
    client, user = signed_in(connected)
    first = waiting(connected, user)
    html = page(client, connected)
    seen = html.partition('id="composer-seen" value="')[2].partition('"')[0]
    press_in(connected, by=UserFactory())

    answer = send(client, connected, uploads=[str(first.pk)], attachments=[picture("late.png")], seen=seen)

    assert answer.status_code == 422
    assert "This came while you were typing" in answer.content.decode()
    assert set(Upload.objects.filter(waits_in=connected).values_list("filename", flat=True)) == {
        "logo.png",
        "late.png",
    }
    assert "late.png" in answer.content.decode()


def test_a_file_is_taken_out_once_and_for_good(session: VideoSession):
    client, user = signed_in(session)
    upload = waiting(session, user)

    for _ in range(2):
        assert client.post(detach_address(session, upload)).status_code == 204

    assert "logo.png" not in page(client, session)
    assert Upload.objects.get().waits_in is None


def test_who_may_attach_and_take_out(session: VideoSession):
    owner = signed_in(session)[1]
    upload = waiting(session, owner)
    address = reverse("sessions:attach", args=[session.pk])

    viewer, other = signed_in(session, Role.VIEWER)[0], signed_in(session, Role.ADMIN)[0]
    stranger = Client()
    stranger.force_login(MembershipFactory(role=Role.ADMIN).user)

    assert viewer.post(address, {"file": picture()}).status_code == 403
    assert stranger.post(address, {"file": picture()}).status_code == 404
    for client in (viewer, other, stranger):
        assert client.post(detach_address(session, upload)).status_code == 404
    for path in (address, detach_address(session, upload)):
        assert other.get(path).status_code == 405
        assert Client().post(path).status_code == 302
    upload.refresh_from_db()
    assert upload.waits_in == session


def test_a_file_that_is_not_taken_does_not_wait(connected: VideoSession):
    client, _user = signed_in(connected)
    answer = attach(client, connected, SimpleUploadedFile("virus.exe", b"MZ", "application/x-msdownload"))
    assert (answer.status_code, Upload.objects.count()) == (422, 0)


def test_where_the_limits_are_used_up_the_answer_says_when_to_try_again(
    connected: VideoSession, settings: Settings
):
    settings.POLL_REQUESTS_PER_SECOND, settings.POLL_BURST = 0.1, 1
    client, _user = signed_in(connected)
    address = reverse("sessions:attach", args=[connected.pk])

    answers = [client.post(address, {"file": picture()}) for _ in range(2)]

    assert answers[-1].status_code == 429
    assert 0 < answers[-1].json()["again_in"] <= 20
    assert Upload.objects.count() < 2


@pytest.mark.parametrize("count", [0, 1, 3])
def test_waiting_files_are_read_at_once(
    session: VideoSession, count: int, django_assert_num_queries: Any, django_assert_max_num_queries: Any
):
    client, user = signed_in(session)
    page(client, session)
    with django_assert_max_num_queries(60) as without:
        page(client, session)
    for number in range(count):
        waiting(session, user, f"{number}.png")
    with django_assert_num_queries(len(without) + bool(count)):
        page(client, session)
