from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest
import uuid6

from timeline import exchanges
from timeline.append_only import AppendOnlyError
from timeline.exchanges import NewExchange
from timeline.models import Exchange
from timeline.redaction import redact, secret_names
from workspaces_app.models import Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return Workspace.objects.create(name="Red", slug="red")


def new(workspace: Workspace, session: UUID, **fields: Any) -> NewExchange:
    return NewExchange(
        **{
            "workspace_id": workspace.pk,
            "object_kind": "session",
            "object_id": session,
            "operation": "GET /v3/video-agents/{session_id}",
            "request": None,
            "answer": {"data": {"status": "thinking"}},
            "status": 200,
            "milliseconds": 87,
            **fields,
        }
    )


def test_an_exchange_is_kept_without_its_secrets(workspace: Workspace) -> None:
    session = uuid6.uuid7()
    exchanges.keep(
        [
            new(
                workspace,
                session,
                request={"headers": {"X-Api-Key": "sk_secret", "Accept": "application/json"}},
                answer={"data": {"url": "https://files.example/a.mp4?Expires=9&Signature=abc&b=1", "n": [1]}},
            )
        ]
    )

    [kept] = Exchange.objects.of("session", session)
    assert exchanges.read(kept) == {
        "request": {"headers": {"X-Api-Key": "[redacted]", "Accept": "application/json"}},
        "answer": {
            "data": {"url": "https://files.example/a.mp4?Expires=9&Signature=[redacted]&b=1", "n": [1]}
        },
    }
    assert (kept.status, kept.milliseconds, kept.size) == (200, 87, len(bytes(kept.body)))


def test_only_the_newest_of_an_object_are_kept(workspace: Workspace) -> None:
    busy, quiet = uuid6.uuid7(), uuid6.uuid7()
    exchanges.keep([new(workspace, quiet)])
    for start in range(0, 60, 15):
        exchanges.keep([new(workspace, busy, milliseconds=n) for n in range(start, start + 15)])

    kept = [exchange.milliseconds for exchange in Exchange.objects.of("session", busy)]
    assert kept == list(range(59, 59 - exchanges.KEPT_EACH, -1))
    assert Exchange.objects.of("session", quiet).count() == 1


def test_the_kept_bytes_of_an_object_are_bounded(workspace: Workspace) -> None:
    session, noise = uuid6.uuid7(), random.Random(5)
    for n in range(10):
        text = "".join(noise.choice("0123456789abcdef") for _ in range(100_000))
        exchanges.keep([new(workspace, session, answer=text, milliseconds=n)])

    kept = list(Exchange.objects.of("session", session))
    assert 1 < len(kept) < 10
    assert kept[0].milliseconds == 9
    assert sum(exchange.size for exchange in kept) <= exchanges.KEPT_BYTES


def test_a_long_answer_is_cut(workspace: Workspace) -> None:
    session = uuid6.uuid7()
    exchanges.keep([new(workspace, session, answer="x" * 10_000_000)])

    content = exchanges.read(Exchange.objects.get())
    assert content == {"request": None, "answer": "x" * exchanges.SIDE_CHARACTERS + "…"}


def test_exchanges_are_not_changed_by_hand(workspace: Workspace) -> None:
    exchanges.keep([new(workspace, uuid6.uuid7())])

    for change in (Exchange.objects.get().delete, Exchange.objects.all().delete):
        with pytest.raises(AppendOnlyError):
            change()
    assert Exchange.objects.count() == 1


@pytest.mark.parametrize(
    ("value", "without"),
    [
        ({"api_key": "a", "avatar_id": "b"}, {"api_key": "[redacted]", "avatar_id": "b"}),
        ([{"Authorization": "Bearer x"}], [{"Authorization": "[redacted]"}]),
        (
            "https://h/?X-Amz-Signature=ab%2F&X-Amz-Expires=9",
            "https://h/?X-Amz-Signature=[redacted]&X-Amz-Expires=9",
        ),
        (
            {"next_token": "page2", "text": "my password is long"},
            {"next_token": "page2", "text": "my password is long"},
        ),
        (None, None),
        (3.5, 3.5),
    ],
    ids=str,
)
def test_redaction(value: Any, without: Any) -> None:
    assert redact(value) == without


def test_links_that_are_still_needed_keep_their_signature() -> None:
    link = "https://h/a.m3u8?Signature=abc"
    assert redact({"hls_url": link, "secret": "s"}, signatures=False) == {
        "hls_url": link,
        "secret": "[redacted]",
    }


def test_names_of_secrets_are_found_at_any_depth() -> None:
    assert secret_names({"a": [{"X-API-Key": 1}], "password": {"secret": 2}}) == [
        "password",
        "X-API-Key",
        "secret",
    ]
