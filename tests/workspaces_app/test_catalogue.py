"""The mirror of account and catalogue, page by page, as the engine calls it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

import heygen
from polling.cadence import Pace
from polling.kinds import Change, Changed, Claim, Failed, Kind, Reading, Unchanged, named
from simulator.testing import Running
from tests.factories import CatalogueItemFactory, UserFactory, WorkspaceFactory
from tests.fakes import FakeClient
from tests.workspaces_app.conftest import API_KEY
from workspaces_app import keys
from workspaces_app.account import ACCOUNT, Balance, balance_of
from workspaces_app.catalogue import CATALOGUE, PARTS, Progress, Read, read_pages
from workspaces_app.models import (
    AccountSnapshot,
    CatalogueItem,
    CatalogueKind,
    CatalogueRead,
    RecentItem,
    Workspace,
)
from workspaces_app.search_text import search_text, search_words


def claim_of(kind: Kind, workspace_id: UUID, digest: str = "") -> Claim:
    return Claim(
        pk=1,
        kind=kind.name,
        object_id=workspace_id,
        workspace_id=workspace_id,
        fingerprint="",
        sequence=1,
        lease_token=uuid4(),
        digest=digest,
        group="working",
        failures=0,
        polled_at=None,
        changed_at=None,
        watched=False,
    )


def poll(kind: Kind, workspace: Workspace, digest: str = "") -> Reading:
    """One poll as a drain makes it; a new key's budget fills within milliseconds."""
    claim = claim_of(kind, workspace.pk, digest)
    job = kind.load([claim])[workspace.pk]
    for _ in range(100):
        reading = kind.read(claim, job)
        if not isinstance(reading, Failed) or reading.reason != "held":
            break
        time.sleep(reading.retry_after or 0)
    if isinstance(reading, Changed):
        store(kind, [Change(claim, job, reading.value, reading.digest, reading.group)])
    return reading


def store(kind: Kind, changes: Sequence[Change]) -> None:
    stored = kind.gather(changes)
    kind.write([(change, kind.merge(change, stored.get(change.claim.object_id))) for change in changes])


@pytest.fixture
def studio(workspace: Workspace, simulator: Running) -> Workspace:
    workspace.base_url = simulator.url
    workspace.save(update_fields=["base_url"])
    keys.save(workspace, API_KEY, by=None, checked=False)
    return workspace


def whole_pass(workspace: Workspace) -> int:
    """Polls until a pass is complete; returns how many it took."""
    for number in range(1, 50):
        reading = poll(CATALOGUE, workspace)
        assert isinstance(reading, Changed), reading
        if reading.group == "done":
            return number
    raise AssertionError("the pass never ended")


# --- Account -----------------------------------------------------------------------------------------------------


def test_kinds_are_registered() -> None:
    assert (named("account"), named("catalogue")) == (ACCOUNT, CATALOGUE)


@pytest.mark.django_db
def test_account_is_mirrored_and_then_unchanged(studio: Workspace) -> None:
    first = poll(ACCOUNT, studio)
    assert isinstance(first, Changed)
    snapshot = AccountSnapshot.objects.get(workspace=studio)
    assert snapshot.email
    assert snapshot.balance_words.startswith("$")
    assert poll(ACCOUNT, studio, first.digest) == Unchanged()


@pytest.mark.django_db
def test_failed_account_reading_keeps_the_last_one(studio: Workspace, simulator: Running) -> None:
    poll(ACCOUNT, studio)
    before = AccountSnapshot.objects.values().get()
    simulator.control.fault("status", "/v3/users/me", status=503)
    reading = poll(ACCOUNT, studio)
    assert isinstance(reading, Failed)
    assert reading.reason == "server_error"
    assert AccountSnapshot.objects.values().get() == before


@pytest.mark.parametrize(
    ("raw", "expected", "words"),
    [
        (
            {
                "billing_type": "wallet",
                "wallet": {"currency": "usd", "remaining_balance": 1234.5, "auto_reload": None},
            },
            Balance(1234.5, "usd"),
            "$1,234.50",
        ),
        (
            {"billing_type": "wallet", "wallet": {"currency": "credits", "remaining_balance": None}},
            Balance(None, "credits"),
            "",
        ),
        (
            {
                "billing_type": "subscription",
                "subscription": {
                    "plan": "team",
                    "credits": {"premium_credits": {"remaining": 200}, "add_on_credits": {"remaining": 5}},
                },
            },
            Balance(205.0, "credits", "team"),
            "205 credits",
        ),
        (
            {"billing_type": "subscription", "subscription": {"plan": "free", "credits": None}},
            Balance(None, "credits", "free"),
            "free",
        ),
        (
            {"billing_type": "usage_based", "usage_based": {"remaining_credits": 12.25}},
            Balance(12.25, "credits"),
            "12.25 credits",
        ),
        ({"billing_type": None}, Balance(None, ""), ""),
    ],
)
def test_balance_of_every_shape_of_account(raw: dict[str, Any], expected: Balance, words: str) -> None:
    account = heygen.Account.from_json(
        {"username": "u", "email": None, "first_name": None, "last_name": None} | raw
    )
    assert balance_of(account) == expected
    shown = AccountSnapshot(
        balance={"remaining": expected.remaining, "unit": expected.unit, "plan": expected.plan}
    ).balance_words
    assert shown == words


# --- Catalogue ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_whole_catalogue_is_mirrored(studio: Workspace, simulator: Running) -> None:
    whole_pass(studio)
    client = heygen.Client(base_url=simulator.url, key=API_KEY)
    expected = {
        CatalogueKind.LOOK: {
            look.look_id
            for ownership in ("public", "private")
            for look in heygen.every(lambda token, o=ownership: client.list_looks(ownership=o, token=token))
        },
        CatalogueKind.VOICE: {
            voice.voice_id
            for ownership in ("public", "private")
            for voice in heygen.every(lambda token, o=ownership: client.list_voices(type=o, token=token))
        },
        CatalogueKind.STYLE: {
            style.style_id for style in heygen.every(lambda token: client.list_styles(token=token))
        },
        CatalogueKind.BRAND_KIT: {
            kit.brand_kit_id for kit in heygen.every(lambda token: client.list_brand_kits(token=token))
        },
        CatalogueKind.GLOSSARY: {
            glossary.brand_glossary_id
            for glossary in heygen.every(lambda token: client.list_brand_glossaries(token=token))
        },
    }
    mirrored = {
        kind: set(CatalogueItem.objects.filter(kind=kind, gone=False).values_list("remote_id", flat=True))
        for kind in CatalogueKind
    }
    assert mirrored == expected
    assert all(mirrored.values())
    read = CatalogueRead.objects.get()
    assert (read.part, read.number, read.problems, read.finished_at is not None) == ("", 1, {}, True)
    assert read.facets["style"]["aspect_ratio"] == ["16:9", "1:1", "9:16"]
    assert "retro-tech" in read.facets["style"]["tags"]
    assert {"English", "German"} <= set(read.facets["voice"]["language"])
    assert set(read.facets["look"]) == {"avatar_type", "gender", "preferred_orientation"}


@pytest.mark.django_db
def test_second_pass_marks_what_is_gone_and_keeps_favourites(studio: Workspace) -> None:
    whole_pass(studio)
    favourite = CatalogueItem.objects.filter(kind=CatalogueKind.LOOK).first()
    assert favourite is not None
    CatalogueItem.objects.filter(pk=favourite.pk).update(favourite=True)
    withdrawn = CatalogueItemFactory(workspace=studio, remote_id="look_withdrawn", seen_in=1)
    returned = CatalogueItem.objects.filter(kind=CatalogueKind.VOICE).first()
    assert returned is not None
    CatalogueItem.objects.filter(pk=returned.pk).update(gone=True)
    ids = set(CatalogueItem.objects.values_list("pk", flat=True))

    whole_pass(studio)

    assert set(CatalogueItem.objects.filter(gone=True)) == {withdrawn}
    assert set(CatalogueItem.objects.filter(favourite=True)) == {favourite}
    assert set(CatalogueItem.objects.values_list("pk", flat=True)) == ids
    assert CatalogueRead.objects.get().number == 2


@pytest.mark.django_db
def test_failure_in_the_middle_keeps_what_was_read_and_goes_on(studio: Workspace, simulator: Running) -> None:
    simulator.control.fault("status", "/v3/brand-kits", status=503, count=None)
    readings = [poll(CATALOGUE, studio)]
    # The budget of a new key may end a poll before the fault does.
    while isinstance(readings[-1], Changed):
        readings.append(poll(CATALOGUE, studio))
    assert isinstance(readings[-1], Failed)
    assert readings[-1].reason == "server_error"
    assert (CatalogueRead.objects.get().part, CatalogueRead.objects.get().number) == ("brand_kit", 1)
    mirrored = CatalogueItem.objects.count()
    assert mirrored > 0
    simulator.control.clear_faults()
    whole_pass(studio)
    assert CatalogueItem.objects.count() > mirrored
    assert CatalogueItem.objects.filter(kind=CatalogueKind.BRAND_KIT).exists()


def pages(*items: list[Any]) -> list[heygen.Page[Any]]:
    return [
        heygen.Page(
            items=tuple(each), next_token=str(number + 1) if number + 1 < len(items) else None, raw={}
        )
        for number, each in enumerate(items)
    ]


def test_list_that_is_refused_is_noted_and_passed_over() -> None:
    client = FakeClient(
        list_looks=[*pages([]), heygen.Forbidden("not yours", status=403, code="forbidden")],
        list_voices=[*pages([]), *pages([])],
        list_brand_kits=pages([]),
        list_brand_glossaries=pages([]),
        list_styles=pages([]),
    )
    first = read_pages(client, Progress())  # type: ignore[arg-type]
    assert isinstance(first, Changed)
    second = read_pages(client, first.value.then)  # type: ignore[arg-type]
    assert isinstance(second, Changed)
    assert second.group == "done"
    then = second.value.then
    assert (then.part, then.number, then.problems) == ("", 1, {"look/public": "403 forbidden: not yours"})
    assert second.value.complete == ("style", "voice/public")


def test_refused_key_ends_the_poll() -> None:
    client = FakeClient(list_looks=[heygen.Unauthorized("no", status=401, code="unauthorized")])
    reading = read_pages(client, Progress())  # type: ignore[arg-type]
    assert isinstance(reading, Failed)
    assert reading.reason == "unauthorized"


def test_server_that_repeats_its_cursor_ends_the_list() -> None:
    stuck = heygen.Page(items=(), next_token="same", raw={})
    client = FakeClient(list_looks=[stuck, stuck], list_voices=pages([]), list_brand_kits=pages([]))
    reading = read_pages(client, Progress())  # type: ignore[arg-type]
    assert isinstance(reading, Changed)
    assert isinstance(reading.value, Read)
    assert reading.value.complete == ("look/private", "voice/private", "brand_kit")


def test_unknown_place_of_an_older_version_begins_anew() -> None:
    client = FakeClient(
        list_looks=[heygen.NoAnswer("timeout", code="timeout")],
    )
    reading = read_pages(client, Progress(number=3, part="templates", cursor="x"))  # type: ignore[arg-type]
    assert isinstance(reading, Failed)
    assert client.calls[0].name == "list_looks"


@pytest.mark.parametrize(
    ("pace", "seconds"),
    [
        (Pace("working", 0), 1.0),
        (Pace("done", 0), 21600.0),
        (Pace("working", 0, failures=1), 60.0),
        (Pace("working", 0, failures=3), 240.0),
        (Pace("done", 0, failures=50), 21600.0),
        (Pace("done", 0, failures=1, retry_after=86400), 86400),
    ],
)
def test_cadence_of_the_catalogue(pace: Pace, seconds: float) -> None:
    assert CATALOGUE.cadence(pace) == seconds


@pytest.mark.parametrize(
    ("pace", "seconds"),
    [(Pace("done", 0), 600.0), (Pace("done", 0, failures=2), 120.0), (Pace("done", 9e9), 600.0)],
)
def test_cadence_of_the_account(pace: Pace, seconds: float) -> None:
    assert ACCOUNT.cadence(pace) == seconds


def test_own_items_come_before_public_ones() -> None:
    assert [part.ownership for part in PARTS] == ["private"] * 4 + ["public"] * 3


# --- Pickers -----------------------------------------------------------------------------------------------------


def item(workspace: Workspace, name: str, **fields: Any) -> CatalogueItem:
    return CatalogueItemFactory(workspace=workspace, name=name, search_text=search_text([name]), **fields)


@pytest.mark.django_db
def test_picker_finds_all_words_by_prefix_without_case_and_accents(workspace: Workspace) -> None:
    zoe = item(workspace, "Zoë in Café")
    item(workspace, "Zoe outside")
    item(WorkspaceFactory(), "Zoë in Café")
    item(workspace, "Zoë in Café", gone=True)
    item(workspace, "Zoë in Café", kind=CatalogueKind.VOICE)
    for search in ("zoe caf", "CAFÉ zo", "  café  ", "in zoë"):
        assert list(CatalogueItem.objects.for_picker(workspace, CatalogueKind.LOOK, search)) == [zoe]
    for search in ("afe", "zoe bar", "zoë%", "_oe cafe x"):
        found = list(CatalogueItem.objects.for_picker(workspace, CatalogueKind.LOOK, search))
        assert zoe not in found or search == "zoë%"


@pytest.mark.django_db
def test_picker_filters_and_puts_favourites_first(workspace: Workspace) -> None:
    first = item(workspace, "A", position=1, data={"gender": "Male"})
    second = item(workspace, "B", position=2, data={"gender": "female"}, ownership="private")
    loved = item(workspace, "C", position=3, data={"gender": "female"}, favourite=True)
    pick = CatalogueItem.objects.for_picker
    assert list(pick(workspace, "look")) == [loved, first, second]
    assert list(pick(workspace, "look", filters={"gender": "FEMALE"})) == [loved, second]
    assert list(pick(workspace, "look", filters={"ownership": "private", "gender": ""})) == [second]
    assert list(pick(workspace, "look", filters={"no such; field": "x"})) == [loved, first, second]


@pytest.mark.django_db
def test_recents_are_a_persons_own_newest_first(workspace: Workspace) -> None:
    one, two = item(workspace, "One"), item(workspace, "Two")
    amy, ben = UserFactory(), UserFactory()
    RecentItem.objects.note(amy, [one])
    RecentItem.objects.note(amy, [two])
    RecentItem.objects.note(amy, [one])
    assert list(CatalogueItem.objects.recent_of(amy)) == [one, two]
    assert list(CatalogueItem.objects.recent_of(ben)) == []


@pytest.mark.parametrize(
    ("status", "usable"),
    [(None, True), ("completed", True), ("complete", True), ("processing", False), ("failed", False)],
)
def test_only_finished_items_are_usable(status: str | None, usable: bool) -> None:
    assert CatalogueItem(data={"status": status}).usable is usable


def test_words_of_any_script() -> None:
    assert search_words("Ünïcode straße 日本 emoji🎬x") == ["unicode", "strasse", "日本", "emoji", "x"]
