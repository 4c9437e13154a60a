"""Entering, checking, replacing and removing an API key, against a HeyGen that answers over HTTP."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

import heygen
from polling import keys as key_states
from polling.budget import Priority
from polling.models import PollState
from polling.schedule import NO_KEY
from simulator.testing import Running
from tests.factories import WorkspaceFactory
from tests.workspaces_app.conftest import API_KEY
from workspaces_app import crypto, keys
from workspaces_app.connections import KeyGate, client_for, connection_to, connections_for
from workspaces_app.models import AuditEntry, User, Workspace

pytestmark = pytest.mark.django_db

KEY_PAGE = "/workspaces/studio/key/"
Browse = Callable[[User | None], Client]


@pytest.fixture
def at_simulator(workspace: Workspace, simulator: Running) -> Workspace:
    workspace.base_url = simulator.url
    workspace.save(update_fields=["base_url"])
    return workspace


def everything_in_the_database() -> str:
    """All rows of all tables as text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found.append(repr(cursor.fetchall()))
    return "\n".join(found)


def test_good_key_is_saved_and_polled_with(at_simulator: Workspace, admin: User, browse: Browse) -> None:
    response = browse(admin).post(KEY_PAGE, {"api_key": API_KEY})
    assert response["Location"] == "/workspaces/studio/"
    stored = Workspace.objects.get()
    assert (stored.key_last4, stored.key_fingerprint) == ("9XYZ", crypto.fingerprint(API_KEY))
    assert crypto.unseal(stored.encrypted_key) == API_KEY
    polled = (
        PollState.objects.filter(kind__in=["account", "catalogue"])
        .order_by("kind")
        .values_list("kind", "object_id", "key_fingerprint")
    )
    assert list(polled) == [
        ("account", stored.pk, stored.key_fingerprint),
        ("catalogue", stored.pk, stored.key_fingerprint),
    ]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.workspace) == ("key.saved", admin, stored)
    assert entry.data == {"fingerprint": stored.key_fingerprint, "last4": "9XYZ", "checked": True}


def test_key_shows_nowhere(
    at_simulator: Workspace, admin: User, browse: Browse, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = browse(admin)
    pages = [client.post(KEY_PAGE, {"api_key": API_KEY})]
    pages += [
        client.get(url)
        for url in ("/workspaces/", "/workspaces/studio/", KEY_PAGE, "/workspaces/studio/audit/")
    ]
    stored = Workspace.objects.get()
    one = connection_to(stored)
    heygen_client = one.client(priority=Priority.COMMAND)
    haystack = "\n".join(
        [
            *(page.content.decode() for page in pages),
            everything_in_the_database(),
            caplog.text,
            repr(stored),
            repr(one),
            repr(heygen_client),
            repr(connections_for([stored.pk])),
        ]
    )
    assert API_KEY not in haystack
    assert API_KEY[:-4] not in haystack


@pytest.mark.parametrize("unchecked", ["", "on"])
def test_refused_key_is_never_saved_nor_echoed(
    unchecked: str, at_simulator: Workspace, admin: User, browse: Browse
) -> None:
    wrong = "sk_wrong_key_of_nobody_0000"
    response = browse(admin).post(KEY_PAGE, {"api_key": wrong, "unchecked": unchecked})
    assert response.status_code == 422
    assert response.context["form"].errors["api_key"] == ["HeyGen does not accept this key."]
    assert wrong not in response.content.decode()
    assert not Workspace.objects.get().has_key
    assert wrong not in everything_in_the_database()


def test_unreachable_heygen_is_said_and_may_be_passed_over(
    workspace: Workspace, admin: User, browse: Browse, settings: Settings
) -> None:
    # Port 9 is nobody's.
    client = browse(admin)
    refused = client.post(KEY_PAGE, {"api_key": API_KEY})
    assert refused.status_code == 422
    assert "HeyGen cannot be reached" in refused.context["form"].non_field_errors()[0]
    assert not Workspace.objects.get().has_key
    assert client.post(KEY_PAGE, {"api_key": API_KEY, "unchecked": "on"}).status_code == 302
    assert Workspace.objects.get().has_key
    assert AuditEntry.objects.get().data["checked"] is False


@pytest.mark.parametrize("nonsense", ["", "short", "sk key with spaces", "sk_schlüssel_0000000", "x" * 600])
def test_what_cannot_be_a_key_is_refused_without_asking(
    nonsense: str, workspace: Workspace, admin: User, browse: Browse
) -> None:
    response = browse(admin).post(KEY_PAGE, {"api_key": nonsense})
    assert response.status_code == 422
    assert "api_key" in response.context["form"].errors


def test_new_key_opens_what_the_old_one_closed(at_simulator: Workspace, admin: User, browse: Browse) -> None:
    keys.save(at_simulator, "sk_an_old_key_that_expired", by=None, checked=False)
    old = at_simulator.key_fingerprint
    with pytest.raises(heygen.Unauthorized):
        client_for(at_simulator, priority=Priority.COMMAND).me()
    assert key_states.state(old) is not None
    page = browse(admin).get("/workspaces/studio/").content.decode()
    assert "HeyGen refuses the workspace&#x27;s API key." in page

    browse(admin).post(KEY_PAGE, {"api_key": API_KEY})
    stored = Workspace.objects.get()
    assert key_states.state(stored.key_fingerprint) is None
    assert set(PollState.objects.values_list("key_fingerprint", flat=True)) == {stored.key_fingerprint}
    assert client_for(stored, priority=Priority.COMMAND).me().email
    assert AuditEntry.objects.order_by("id").last().action == "key.replaced"


def test_entering_a_key_again_does_not_end_the_wait_that_heygen_asked_for(at_simulator: Workspace) -> None:
    keys.save(at_simulator, API_KEY, by=None, checked=False)
    fingerprint = at_simulator.key_fingerprint
    key_states.close(fingerprint, seconds=300, reason="rate_limited")

    answer = keys.check(at_simulator, API_KEY)
    keys.save(at_simulator, API_KEY, by=None, checked=answer.asked)

    assert (answer.asked, answer.refused) == (False, False)
    assert "wait" in answer.message
    assert key_states.state(fingerprint) is not None


def test_a_key_goes_only_where_its_page_said(at_simulator: Workspace, admin: User, browse: Browse) -> None:
    client = browse(admin)
    address = re.search(r'name="address" value="([^"]+)"', client.get(KEY_PAGE).content.decode())
    assert address is not None
    Workspace.objects.update(base_url="https://elsewhere.example")

    answer = client.post(KEY_PAGE, {"api_key": API_KEY, "unchecked": "on", "address": address[1]})

    assert answer.status_code == 422
    assert "https://elsewhere.example" in answer.content.decode()
    assert not Workspace.objects.get().has_key


def test_a_key_is_not_saved_for_an_address_that_it_was_not_tried_at(
    at_simulator: Workspace, admin: User
) -> None:
    Workspace.objects.update(base_url="https://elsewhere.example")
    with pytest.raises(keys.AddressChanged):
        keys.save(at_simulator, API_KEY, by=admin, checked=True)
    assert not Workspace.objects.get().has_key


def test_removed_key_is_gone_and_its_polls_wait(at_simulator: Workspace, admin: User, browse: Browse) -> None:
    keys.save(at_simulator, API_KEY, by=None, checked=False)
    client = browse(admin)
    assert client.post("/workspaces/studio/key/remove/")["Location"] == "/workspaces/studio/"
    stored = Workspace.objects.get()
    assert (stored.encrypted_key, stored.key_fingerprint, stored.key_last4) == ("", "", "")
    assert set(PollState.objects.values_list("key_fingerprint", flat=True)) == {NO_KEY}
    with pytest.raises(heygen.Held) as held:
        client_for(stored, priority=Priority.COMMAND)
    assert held.value.reason == "no_key"
    # Pressed again, nothing is left to remove.
    client.post("/workspaces/studio/key/remove/")
    assert AuditEntry.objects.filter(action="key.removed").count() == 1


def test_short_keys_show_no_last_four(workspace: Workspace) -> None:
    keys.save(workspace, "sk_12345678", by=None, checked=False)
    assert workspace.key_last4 == ""


def test_connections_of_many_workspaces_cost_one_query(django_assert_num_queries) -> None:
    ids = [WorkspaceFactory(key=f"sk_key_number_{number}").pk for number in range(3)]
    with django_assert_num_queries(1):
        found = connections_for(ids)
    with django_assert_num_queries(0):
        assert [found[each].key for each in ids] == ["sk_key_number_0", "sk_key_number_1", "sk_key_number_2"]
        found[ids[0]].client(priority=Priority.WATCHED)


def test_key_that_cannot_be_opened_holds_calls_back(settings: Settings) -> None:
    workspace = WorkspaceFactory(key=API_KEY)
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    found = connections_for([workspace.pk])
    assert list(found) == [workspace.pk]
    with pytest.raises(heygen.Held) as held:
        found[workspace.pk].client(priority=Priority.COMMAND)
    assert held.value.reason == "key_unreadable"


def test_older_sessions_keep_their_dialect(workspace: Workspace) -> None:
    keys.save(workspace, API_KEY, by=None, checked=False)
    spoken = [
        client_for(workspace, priority=Priority.COMMAND, dialect=dialect).dialect.value
        for dialect in (None, "sessions")
    ]
    assert spoken == ["current", "sessions"]


# --- The gate ----------------------------------------------------------------------------------------------------


def gate_state(workspace: Workspace) -> dict[str, tuple[str, bool] | None]:
    fingerprint = workspace.key_fingerprint
    scopes = {scope: key_states.state(fingerprint, scope=scope) for scope in ("all", "paid")}  # type: ignore[arg-type]
    return {scope: (row.reason, row.needs_person) if row else None for scope, row in scopes.items()}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (heygen.Unauthorized("no", status=401), {"all": ("unauthorized", True), "paid": None}),
        (heygen.PaymentRequired("pay", status=402), {"all": None, "paid": ("payment_required", True)}),
        (heygen.QuotaExceeded("used", status=429), {"all": None, "paid": ("quota_exceeded", False)}),
        (
            heygen.RateLimited("slow", status=429, retry_after=20),
            {"all": ("rate_limited", False), "paid": None},
        ),
        (heygen.RateLimited("slow", status=429), {"all": ("rate_limited", False), "paid": None}),
        (heygen.NotFound("gone", status=404), {"all": None, "paid": None}),
        (heygen.ServerError("oops", status=500), {"all": None, "paid": None}),
        (
            heygen.ServerError("later", status=503, retry_after=20),
            {"all": ("rate_limited", False), "paid": None},
        ),
        (None, {"all": None, "paid": None}),
    ],
)
def test_answers_close_the_key_as_far_as_they_concern_it(
    error: heygen.ApiError | None, expected: object, workspace: Workspace
) -> None:
    keys.save(workspace, API_KEY, by=None, checked=False)
    gate = KeyGate(workspace.key_fingerprint, Priority.COMMAND, key_states.epoch(workspace.key_fingerprint))
    gate.observe(heygen.Call("GET", "/v3/users/me", paid=False, write=False), error)
    assert gate_state(workspace) == expected


def test_closed_key_holds_calls_back_before_they_are_made(
    at_simulator: Workspace, simulator: Running
) -> None:
    keys.save(at_simulator, API_KEY, by=None, checked=False)
    client = client_for(at_simulator, priority=Priority.COMMAND)
    key_states.close(at_simulator.key_fingerprint, seconds=None, reason="unauthorized")
    simulator.control.clear_calls()
    with pytest.raises(heygen.Held) as held:
        client.me()
    assert held.value.reason == "unauthorized"
    assert simulator.control.calls()["total"] == 0


@pytest.fixture
def refuse_key(simulator: Running) -> Iterator[Callable[[], None]]:
    """HeyGen takes the key no more, to the end of the test."""
    yield lambda: simulator.control.account(API_KEY, key_works=False)
    simulator.control.account(API_KEY, key_works=True)


@pytest.mark.parametrize("batch", [False, True], ids=["one", "many"])
def test_refusal_that_comes_after_the_key_was_entered_again_is_out_of_date(
    batch: bool, at_simulator: Workspace, refuse_key: Callable[[], None]
) -> None:
    """The request was under way meanwhile, here: its answer was read only afterwards."""
    keys.save(at_simulator, API_KEY, by=None, checked=False)
    stored = Workspace.objects.get(pk=at_simulator.pk)
    connection = connections_for([stored.pk])[stored.pk] if batch else connection_to(stored)
    refuse_key()

    entered: list[str] = []

    def enter_it_again(_exchange: heygen.Exchange) -> None:
        entered.append("again")
        keys.save(at_simulator, API_KEY, by=None, checked=False)

    client = connection.client(priority=Priority.COMMAND, listener=enter_it_again)
    with pytest.raises(heygen.Unauthorized):
        client.me()
    assert entered == ["again"]
    assert key_states.state(stored.key_fingerprint) is None

    # The next one begins with what was entered, and counts.
    with pytest.raises(heygen.Unauthorized):
        client_for(stored, priority=Priority.COMMAND).me()
    assert key_states.state(stored.key_fingerprint) is not None


def test_key_without_credit_still_reads(at_simulator: Workspace) -> None:
    keys.save(at_simulator, API_KEY, by=None, checked=False)
    client = client_for(at_simulator, priority=Priority.COMMAND)
    key_states.close(at_simulator.key_fingerprint, seconds=None, reason="payment_required", scope="paid")
    assert client.me().email
    with pytest.raises(heygen.Held) as held:
        client.create_session(heygen.CreateSession(prompt="A film"))
    assert held.value.reason == "payment_required"


# --- Rotation ----------------------------------------------------------------------------------------------------


def test_rotation_puts_everything_under_the_newest_key(workspace: Workspace, settings: Settings) -> None:
    old, new = settings.FIELD_KEYS[0], Fernet.generate_key().decode()
    keys.save(workspace, API_KEY, by=None, checked=False)
    before = workspace.key_fingerprint
    key_states.close(before, seconds=None, reason="unauthorized")

    settings.FIELD_KEYS = [new, old]
    said = io.StringIO()
    call_command("rotate_keys", stdout=said)
    settings.FIELD_KEYS = [new]

    stored = Workspace.objects.get()
    assert crypto.unseal(stored.encrypted_key) == API_KEY
    assert stored.key_fingerprint == crypto.fingerprint(API_KEY) != before
    assert set(PollState.objects.values_list("key_fingerprint", flat=True)) == {stored.key_fingerprint}
    closed = key_states.state(stored.key_fingerprint)
    assert closed is not None
    assert closed.reason == "unauthorized"
    assert said.getvalue() == "1 secrets are under the newest key now.\n"
    call_command("rotate_keys", stdout=said)
    assert said.getvalue().endswith("0 secrets are under the newest key now.\n")


def test_rotation_says_what_it_cannot_open(workspace: Workspace, settings: Settings) -> None:
    keys.save(workspace, API_KEY, by=None, checked=False)
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    complained = io.StringIO()
    with pytest.raises(CommandError, match="1 could not be opened"):
        call_command("rotate_keys", stdout=io.StringIO(), stderr=complained)
    assert complained.getvalue().startswith("workspace studio: sealed with key")
    assert json.dumps(API_KEY) not in complained.getvalue()


def test_an_administrator_says_that_credit_is_back(
    at_simulator: Workspace, admin: User, browse: Browse
) -> None:
    keys.save(at_simulator, API_KEY, by=None, checked=False)
    address = at_simulator.get_absolute_url()
    button = f"{address}key/credit-back/"
    assert button not in browse(admin).get(address).content.decode()
    key_states.close(at_simulator.key_fingerprint, seconds=None, reason="payment_required", scope="paid")
    page = browse(admin).get(address).content.decode()
    assert "Nothing new is started" in page
    assert button in page

    browse(admin).post(button)
    browse(admin).post(button)

    assert key_states.state(at_simulator.key_fingerprint, scope="paid") is None
    assert AuditEntry.objects.filter(workspace=at_simulator, action="key.reopened").count() == 1
