"""Deliveries that come in, and the registration of our address."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from heygen.webhooks import delivery_of
from polling.budget import Priority
from polling.kinds import Change, Changed, Unchanged
from polling.models import PollState
from simulator.testing import Running
from tests.factories import WorkspaceFactory
from tests.sessions_app.mirroring import claim_of, store
from tests.workspaces_app.conftest import API_KEY
from workspaces_app import connections, crypto, keys, webhook_registration, webhooks
from workspaces_app.models import AuditEntry, User, WebhookDelivery, WebhookEndpoint, Workspace

pytestmark = pytest.mark.django_db

SECRET = "whsec_only_for_tests"
Browse = Callable[[User | None], Client]


@pytest.fixture
def heard() -> Iterator[list[webhooks.Delivery]]:
    """What a registered handler is told; it knows the session "s1"."""
    told: list[webhooks.Delivery] = []

    def handler(delivery: webhooks.Delivery) -> bool:
        told.append(delivery)
        return delivery.session_id == "s1"

    before = list(webhooks._handlers)
    webhooks._handlers[:] = [handler]
    yield told
    webhooks._handlers[:] = before


@pytest.fixture
def endpoint(workspace: Workspace) -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(
        workspace=workspace, path_token="tok-1", remote_id="ep_1", encrypted_secret=crypto.seal(SECRET)
    )


def signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def body_of(**data: Any) -> bytes:
    return json.dumps({"event_type": "video_agent.success", "event_data": data}).encode()


def deliver(body: bytes, headers: dict[str, str] | None = None, path: str = "/webhooks/tok-1/") -> int:
    client = Client(enforce_csrf_checks=True)
    response = client.post(path, body, content_type="application/json", headers=headers or {})
    return response.status_code


# --- Deliveries --------------------------------------------------------------------------------------------------


def test_signed_delivery_is_kept_and_handed_on(
    endpoint: WebhookEndpoint, heard: list[webhooks.Delivery]
) -> None:
    body = body_of(session_id="s1", video_id="v1", callback_id="c1")
    headers = {
        "Heygen-Signature": signature(body),
        "Heygen-Timestamp": str(int(time.time())),
        "Heygen-Event-Id": "e1",
    }
    assert deliver(body, headers) == 200
    assert heard == [
        webhooks.Delivery(
            endpoint.workspace_id, "video_agent.success", session_id="s1", video_id="v1", callback_id="c1"
        )
    ]
    row = WebhookDelivery.objects.get()
    assert (row.key, row.event_type, row.matched, row.source) == (
        "event:e1",
        "video_agent.success",
        True,
        "webhook",
    )


def test_repeats_are_recognised_by_event_id_or_by_what_they_say(
    endpoint: WebhookEndpoint, heard: list[webhooks.Delivery]
) -> None:
    body = body_of(session_id="s1")
    signed = {"Signature": signature(body)}
    assert [deliver(body, signed), deliver(body, signed)] == [200, 200]
    named = {**signed, "Heygen-Event-Id": "e1"}
    assert [deliver(body, named), deliver(body, named)] == [200, 200]
    assert len(heard) == 2


@pytest.mark.parametrize("ahead", [-3600, 3600])
def test_a_web_process_whose_clock_is_off_still_hears_heygen(
    ahead: float,
    endpoint: WebhookEndpoint,
    heard: list[webhooks.Delivery],
    set_clock: Callable[[float], None],
) -> None:
    body = body_of(session_id="s1")
    headers = {"Signature": signature(body), "Heygen-Timestamp": str(int(time.time()))}
    set_clock(ahead)
    assert deliver(body, headers) == 200
    assert len(heard) == 1


@pytest.mark.parametrize("name", ["Heygen-Signature", "Signature", "X-HeyGen-Signature"])
def test_each_style_of_signature_opens_the_door(
    name: str, endpoint: WebhookEndpoint, heard: list[webhooks.Delivery]
) -> None:
    assert deliver(body_of(session_id="s1"), {name: f"sha256={signature(body_of(session_id='s1'))}"}) == 200
    assert len(heard) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Signature": "0" * 64},
        {"Signature": signature(b"other")},
        {"Signature": signature(body_of(session_id="s1")), "Heygen-Timestamp": "1000"},
        {"Signature": signature(body_of(session_id="s1")), "Heygen-Timestamp": str(int(time.time()) + 600)},
        {"Signature": signature(body_of(session_id="s1")), "Heygen-Timestamp": "yesterday"},
        # The first header counts, whatever stands in the others.
        {"Heygen-Signature": "0" * 64, "Signature": signature(body_of(session_id="s1"))},
    ],
)
def test_unsigned_wrong_and_old_deliveries_are_refused(
    headers: dict[str, str], endpoint: WebhookEndpoint, heard: list[webhooks.Delivery]
) -> None:
    assert deliver(body_of(session_id="s1"), headers) == 403
    assert (heard, WebhookDelivery.objects.count()) == ([], 0)


def test_registration_without_a_secret_has_its_address_alone(
    endpoint: WebhookEndpoint, heard: list[webhooks.Delivery]
) -> None:
    WebhookEndpoint.objects.update(encrypted_secret="")
    assert deliver(body_of(session_id="s1")) == 200
    assert len(heard) == 1


def test_unknown_address_is_not_found(endpoint: WebhookEndpoint) -> None:
    assert deliver(body_of(), path="/webhooks/tok-2/") == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["/webhooks/tok-1/", "/webhooks/nobody/", "/webhooks/callback/x/"])
def test_probes_are_answered_alike(method: str, path: str, endpoint: WebhookEndpoint) -> None:
    assert Client().generic(method, path).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"), [(b"<html>", 400), (b"[]", 400), (b"", 400), (b"{" * 100_000, 400)]
)
def test_what_is_no_object_is_refused(body: bytes, status: int, endpoint: WebhookEndpoint) -> None:
    assert deliver(body, {"Signature": signature(body)}) == status


def test_huge_delivery_is_refused(endpoint: WebhookEndpoint) -> None:
    assert deliver(b"x" * (1024 * 1024 + 1)) == 413


@pytest.mark.parametrize("name", ["event_type", "event", "type"])
def test_type_is_read_from_all_its_names(
    name: str, endpoint: WebhookEndpoint, heard: list[webhooks.Delivery]
) -> None:
    body = json.dumps({name: "avatar_video.fail", "video_id": "v1", "event_data": None}).encode()
    deliver(body, {"Signature": signature(body)})
    assert [(each.event_type, each.video_id) for each in heard] == [("avatar_video.fail", "v1")]


def test_unknown_events_are_kept(endpoint: WebhookEndpoint, heard: list[webhooks.Delivery]) -> None:
    body = json.dumps({"event_type": "future.event", "event_data": {"session_id": 7}}).encode()
    assert deliver(body, {"Signature": signature(body)}) == 200
    assert WebhookDelivery.objects.get().matched is False
    assert heard[0].session_id == "7"


@pytest.mark.parametrize(
    "odd",
    [
        '"a\\u0000b"',
        '"\\ud800"',
        "NaN",
        "1e999",
        "9" * 5_000,
        "[" * 500 + "]" * 500,
        json.dumps("x" * 70_000),
    ],
)
def test_what_a_database_refuses_is_taken_all_the_same(
    odd: str, endpoint: WebhookEndpoint, heard: list[webhooks.Delivery]
) -> None:
    text = json.dumps(
        {"event_type": "HERE", "event_id": "HERE", "event_data": {"session_id": "s1", "more": "HERE"}}
    )
    body = text.replace('"HERE"', odd).encode()
    assert [deliver(body, {"Signature": signature(body)}) for _ in range(2)] == [200, 200]
    assert [each.session_id for each in heard] == ["s1"]


def test_failing_handler_keeps_nothing_so_that_the_repeat_counts(
    endpoint: WebhookEndpoint, heard: list[Any]
) -> None:
    def broken(delivery: webhooks.Delivery) -> bool:
        raise RuntimeError("no")

    webhooks.register(broken)
    with pytest.raises(RuntimeError):
        deliver(body_of(), {"Signature": signature(body_of())})
    assert WebhookDelivery.objects.count() == 0


# --- Callback addresses ------------------------------------------------------------------------------------------


def test_callback_address_leads_to_its_object(
    workspace: Workspace, heard: list[webhooks.Delivery], settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://dailies.example"
    object_id = uuid4()
    address = webhooks.callback_url(workspace.pk, "session", object_id)
    assert address is not None
    assert address.startswith("https://dailies.example/webhooks/callback/")
    path = address.removeprefix("https://dailies.example")
    assert [deliver(b"", path=path), deliver(body_of(session_id="s1"), path=path)] == [200, 200]
    assert [(each.object_kind, each.object_id) for each in heard] == [("session", object_id)] * 2


def test_forged_callback_is_not_found(workspace: Workspace, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://dailies.example"
    address = webhooks.callback_url(workspace.pk, "session", UUID(int=1))
    assert address is not None
    path = address.removeprefix("https://dailies.example")
    assert deliver(b"{}", path=path.replace(UUID(int=1).hex, UUID(int=2).hex)) == 404
    assert deliver(b"{}", path="/webhooks/callback/nonsense/") == 404


def test_without_https_there_is_no_callback_address(workspace: Workspace, settings: Settings) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    assert webhooks.callback_url(workspace.pk, "session", uuid4()) is None


# --- Registration ------------------------------------------------------------------------------------------------


@pytest.fixture
def studio(workspace: Workspace, simulator: Running, settings: Settings) -> Workspace:
    settings.PUBLIC_URL = "https://dailies.example"
    simulator.control.reset()
    workspace.base_url = simulator.url
    workspace.save(update_fields=["base_url"])
    keys.save(workspace, API_KEY, by=None, checked=False)
    return workspace


def test_webhook_is_registered_rotated_and_removed(studio: Workspace, admin: User, browse: Browse) -> None:
    client = browse(admin)

    def press(what: str) -> str:
        return client.post(f"/workspaces/studio/webhook/{what}/", follow=True).content.decode()

    assert "The webhook is registered." in press("register")
    made = WebhookEndpoint.objects.get()
    secret = crypto.unseal(made.encrypted_secret)
    assert secret.startswith("whsec_")
    assert made.url == f"https://dailies.example/webhooks/{made.path_token}/"
    page = press("rotate")
    assert "The webhook has a new signing secret." in page
    assert secret not in page
    assert made.path_token not in page
    assert crypto.unseal(WebhookEndpoint.objects.get().encrypted_secret) != secret
    assert "A webhook is registered already." in press("register")
    assert "The webhook is removed." in press("remove")
    assert not WebhookEndpoint.objects.exists()
    actions = (
        AuditEntry.objects.filter(action__startswith="webhook")
        .order_by("id")
        .values_list("action", flat=True)
    )
    assert list(actions) == ["webhook.register", "webhook.rotate", "webhook.register", "webhook.remove"]


def test_without_https_the_page_says_so(
    studio: Workspace, admin: User, browse: Browse, settings: Settings
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    page = browse(admin).post("/workspaces/studio/webhook/register/", follow=True).content.decode()
    assert "Webhooks need a public https address" in page
    assert not WebhookEndpoint.objects.exists()


def test_an_unclear_answer_of_heygen_is_shown(
    studio: Workspace, simulator: Running, admin: User, browse: Browse
) -> None:
    simulator.control.fault("status", "/v3/webhooks/endpoints", status=503)
    page = browse(admin).post("/workspaces/studio/webhook/register/", follow=True).content.decode()
    assert "HeyGen gave no clear answer" in page


def press(browse: Browse, admin: User, what: str) -> str:
    return browse(admin).post(f"/workspaces/studio/webhook/{what}/", follow=True).content.decode()


def remote_endpoints(studio: Workspace) -> list[str]:
    client = connections.client_for(studio, priority=Priority.COMMAND)
    return [each.url for each in client.list_webhook_endpoints().items]


@pytest.mark.parametrize("heygen_remembers", [True, False])
def test_a_registration_whose_answer_was_lost_is_finished_by_the_next_press(
    studio: Workspace, simulator: Running, admin: User, browse: Browse, heygen_remembers: bool
) -> None:
    simulator.control.fault("drop", "/v3/webhooks/endpoints", method="POST", after=True)
    assert "it may have been registered" in press(browse, admin, "register")
    begun = WebhookEndpoint.objects.get()
    assert (begun.remote_id, remote_endpoints(studio)) == ("", [begun.url])
    # What HeyGen sends meanwhile is taken: the address is the secret.
    assert deliver(body_of(session_id="s1"), path=f"/webhooks/{begun.path_token}/") == 200
    if not heygen_remembers:
        # After a day the same key is a new request, and the address a duplicate.
        simulator.control.fault("status", "/v3/webhooks/endpoints", method="POST", status=409)

    page = browse(admin).get("/workspaces/studio/").content.decode()
    assert "Finish the registration" in page
    assert "The webhook is registered." in press(browse, admin, "register")

    made = WebhookEndpoint.objects.get()
    assert (made.path_token, made.url) == (begun.path_token, begun.url)
    assert made.remote_id
    assert crypto.unseal(made.encrypted_secret).startswith("whsec_")
    assert remote_endpoints(studio) == [begun.url]


def test_an_unfinished_registration_can_be_removed(
    studio: Workspace, simulator: Running, admin: User, browse: Browse
) -> None:
    simulator.control.fault("drop", "/v3/webhooks/endpoints", method="POST", after=True)
    press(browse, admin, "register")

    assert "The webhook is removed." in press(browse, admin, "remove")

    assert (list(WebhookEndpoint.objects.all()), remote_endpoints(studio)) == ([], [])


def test_an_unclear_rotation_says_that_the_old_secret_may_be_dead(
    studio: Workspace, simulator: Running, admin: User, browse: Browse
) -> None:
    press(browse, admin, "register")
    simulator.control.fault("drop", "/v3/webhooks/endpoints/*", method="POST", after=True)

    assert "The old secret may be dead" in press(browse, admin, "rotate")
    assert "has a new signing secret" in press(browse, admin, "rotate")


def test_a_refused_registration_leaves_nothing(
    studio: Workspace, simulator: Running, admin: User, browse: Browse
) -> None:
    simulator.control.fault("status", "/v3/webhooks/endpoints", method="POST", status=403)

    assert "HeyGen did not do it" in press(browse, admin, "register")
    assert not WebhookEndpoint.objects.exists()


def test_unknown_change_is_not_found(workspace: Workspace, admin: User, browse: Browse) -> None:
    assert browse(admin).post("/workspaces/studio/webhook/explode/").status_code == 404


def test_missed_deliveries_are_fetched_once(
    studio: Workspace, simulator: Running, admin: User, browse: Browse, heard: list[webhooks.Delivery]
) -> None:
    for number in range(3):
        simulator.control.emit("video_agent.success", {"session_id": f"s{number}"})
    client = browse(admin)
    first = client.post("/workspaces/studio/webhook/catch-up/", follow=True).content.decode()
    again = client.post("/workspaces/studio/webhook/catch-up/", follow=True).content.decode()
    assert "3 deliveries were not known yet." in first
    assert "0 deliveries were not known yet." in again
    assert sorted(each.session_id for each in heard) == ["s0", "s1", "s2"]


def test_one_that_was_missed_is_fetched_though_a_later_one_arrived(
    studio: Workspace, simulator: Running, admin: User, browse: Browse, heard: list[webhooks.Delivery]
) -> None:
    for number in range(3):
        simulator.control.emit("video_agent.success", {"session_id": f"s{number}"}, event_id=f"e{number}")
    webhooks.take(studio.pk, delivery_of({"event_type": "x"}, event_id="e2"), source="webhook")

    assert "2 deliveries were not known yet." in press(browse, admin, "catch-up")


def test_missed_deliveries_are_fetched_by_polling(
    studio: Workspace, simulator: Running, admin: User, browse: Browse, heard: list[webhooks.Delivery]
) -> None:
    kind = webhook_registration.DELIVERIES
    assert PollState.objects.filter(kind=kind.name, object_id=studio.pk).count() == 1
    studio.workspace_id = studio.pk  # type: ignore[attr-defined]
    claim = claim_of(studio, kind)
    assert kind.load([claim]) == {}  # none is registered: nothing to ask for

    press(browse, admin, "register")
    simulator.control.emit("video_agent.success", {"session_id": "s1"})
    [job] = kind.load([claim]).values()
    reading = kind.read(claim, job)
    assert isinstance(reading, Changed)
    store(kind, [Change(claim, job, reading.value, reading.digest, "done")])

    assert [each.session_id for each in heard] == ["s1"]
    assert WebhookDelivery.objects.get().source == "catch-up"
    assert isinstance(kind.read(replace(claim, digest=reading.digest), job), Unchanged)


def test_old_deliveries_are_forgotten(workspace: Workspace) -> None:
    WebhookDelivery.objects.create(workspace=workspace, key="new")
    old = WebhookDelivery.objects.create(workspace=workspace, key="old")
    WebhookDelivery.objects.filter(pk=old.pk).update(received_at="2020-01-01T00:00:00Z")
    assert webhooks.forget_old() == 1
    assert WebhookDelivery.objects.get().key == "new"


def test_deliveries_of_two_workspaces_stay_apart(
    workspace: Workspace, heard: list[webhooks.Delivery]
) -> None:
    other = WorkspaceFactory()
    for each in (workspace, other, workspace):
        webhooks.take(each.pk, delivery_of({"event_type": "x"}, event_id="1"), source="webhook")
    assert [delivery.workspace_id for delivery in heard] == [workspace.pk, other.pk]
