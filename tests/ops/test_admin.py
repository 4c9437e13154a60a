"""The operators' admin of everything: it opens, finds, links, never multiplies queries, and acts on the engine."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from polling.models import KeyState, PollState
from sessions_app.models import VideoSession
from tests.ops.conftest import Populate, poll
from timeline.admin import ReadOnlyAdmin
from workspaces_app.models import AuditEntry, User

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
OUR_APPS = ("polling", "commands", "timeline", "workspaces_app", "sessions_app", "realtime_app")


def url_of(model: type, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_model_of_ours_has_an_admin() -> None:
    from django.apps import apps

    ours = {model for label in OUR_APPS for model in apps.get_app_config(label).get_models()}
    assert {model.__name__ for model in ours - set(MODELS)} == set()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_staff_open_list_row_and_search(model: type, inside: Client, populate: Populate) -> None:
    session = populate()
    listed = inside.get(url_of(model, "changelist"))
    assert listed.status_code == 200
    for words in ("hello", str(session.pk)):
        assert inside.get(url_of(model, "changelist"), {"q": words}).status_code == 200
    row = model._default_manager.order_by("pk").first()
    if row is not None:
        assert inside.get(url_of(model, "change", row.pk)).status_code == 200


def test_a_member_finds_no_admin(populate: Populate) -> None:
    member = Client()
    member.force_login(populate().owner)
    for model in MODELS:
        assert member.get(url_of(model, "changelist")).status_code == 404


def test_mirrored_rows_are_only_looked_at(operator: User) -> None:
    for model in MODELS:
        its_admin = admin.site._registry[model]
        if model._meta.app_label in ("sessions_app", "realtime_app", "polling"):
            assert isinstance(its_admin, ReadOnlyAdmin), model


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("sessions_app_videosession", 6),
        ("sessions_app_message", 6),
        ("sessions_app_messagerevision", 4),
        ("sessions_app_resource", 7),
        ("sessions_app_mediafile", 5),
        ("sessions_app_rawwindow", 4),
        ("commands_command", 10),
        ("timeline_event", 9),
        ("timeline_exchange", 8),
        ("polling_pollstate", 8),
        ("realtime_app_stream", 8),
        ("realtime_app_textdelta", 5),
        ("realtime_app_word", 5),
    ],
)
def test_lists_cost_the_same_with_one_row_and_with_three(
    name: str,
    queries: int,
    inside: Client,
    populate: Populate,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for more in (1, 2):
        for _ in range(more):
            populate()
        inside.get(reverse(f"admin:{name}_changelist"))  # what is cached once for a process is
        with django_assert_num_queries(queries):
            assert inside.get(reverse(f"admin:{name}_changelist")).status_code == 200


def test_from_a_session_to_all_that_belongs_to_it(inside: Client, populate: Populate) -> None:
    session, other = populate(), populate()
    page = inside.get(url_of(VideoSession, "change", session.pk)).content.decode()
    for model, filters, rows in [
        ("sessions_app_message", "session__id__exact=%s", 1),
        ("sessions_app_gap", "session__id__exact=%s", 1),
        ("commands_command", "object_id__exact=%s", 1),
        ("timeline_event", "object_kind__exact=session&object_id__exact=%s", 1),
        ("timeline_exchange", "object_kind__exact=session&object_id__exact=%s", 1),
        ("polling_pollstate", "object_id__exact=%s", 1),
    ]:
        link = f"{reverse(f'admin:{model}_changelist')}?{filters % session.pk}"
        assert link.replace("&", "&amp;") in page
        shown = inside.get(link)
        assert shown.status_code == 200
        assert shown.context["cl"].result_count == rows
        assert str(other.pk) not in shown.content.decode()


def test_a_command_leads_back_to_its_session(inside: Client, populate: Populate) -> None:
    session = populate()
    link = f'<a href="{url_of(VideoSession, "change", session.pk)}">'
    for model in ("commands_command", "timeline_event", "timeline_exchange", "polling_pollstate"):
        assert link in inside.get(reverse(f"admin:{model}_changelist")).content.decode()


def test_poll_now_makes_it_due_and_says_who_did(inside: Client, operator: User, populate: Populate) -> None:
    session = populate()
    PollState.objects.update(next_poll_at=None)
    row = PollState.objects.get()
    answer = inside.post(
        url_of(PollState, "changelist"), {"action": "poll_now", "_selected_action": [row.pk]}, follow=True
    )
    assert "1 object is polled now." in answer.content.decode()
    row.refresh_from_db()
    assert row.next_poll_at is not None
    assert row.next_poll_at <= timezone.now()
    entry = AuditEntry.objects.get(action="poll.woken")
    assert (entry.actor, entry.data) == (operator, {"session": [str(session.pk)]})


def test_poll_now_from_the_sessions_themselves(inside: Client, populate: Populate) -> None:
    session = populate()
    PollState.objects.update(next_poll_at=None)
    inside.post(url_of(VideoSession, "changelist"), {"action": "poll_now", "_selected_action": [session.pk]})
    assert PollState.objects.filter(next_poll_at__isnull=False).count() == 1
    assert AuditEntry.objects.get(action="poll.woken").data == {"session": [str(session.pk)]}


def test_reopen_key_opens_it_and_tries_again_what_failed(
    inside: Client, operator: User, populate: Populate
) -> None:
    session = populate()
    row = KeyState.objects.get()
    inside.post(url_of(KeyState, "changelist"), {"action": "reopen_key", "_selected_action": [row.pk]})
    assert not KeyState.objects.exists()
    assert PollState.objects.get(object_id=session.pk).failures == 0
    entry = AuditEntry.objects.get(action="key.reopened")
    data = {"fingerprint": row.fingerprint, "scope": "all", "reason": "unauthorized"}
    assert (entry.actor, entry.data) == (operator, data)


def test_failing_and_due_polls_can_be_picked(inside: Client, populate: Populate) -> None:
    session = populate()
    poll(session.workspace, "video", session.videos.get().pk, failures=0, reason="", next_poll_at=None)
    picked = {
        query: [
            row.kind
            for row in inside.get(f"{url_of(PollState, 'changelist')}?{query}").context["cl"].result_list
        ]
        for query in ("failing=yes", "failing=no", "next=due", "next=never", "next=later")
    }
    assert picked == {
        "failing=yes": ["session"],
        "failing=no": ["video"],
        "next=due": ["session"],
        "next=never": ["video"],
        "next=later": [],
    }
