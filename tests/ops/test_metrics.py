"""`/metrics`: who may scrape, and what the text says."""

from __future__ import annotations

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from tests.factories import UserFactory
from tests.ops.conftest import Populate
from tests.processes import Valkey

pytestmark = pytest.mark.django_db

TOKEN = "a-token-for-the-scraper"


def test_staff_and_the_token_get_in_and_nobody_else(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    asked = {
        authorization: Client().get("/metrics", headers={"Authorization": authorization}).status_code
        for authorization in (
            "",
            f"Bearer {TOKEN}",
            f"bearer {TOKEN}",
            f"Basic {TOKEN}",
            "Bearer",
            "Bearer x",
        )
    }
    assert asked == {
        "": 404,
        f"Bearer {TOKEN}": 200,
        f"bearer {TOKEN}": 200,
        f"Basic {TOKEN}": 404,
        "Bearer": 404,
        "Bearer x": 404,
    }
    member, staff = Client(), Client()
    member.force_login(UserFactory())
    staff.force_login(UserFactory(is_staff=True))
    assert (member.get("/metrics").status_code, staff.get("/metrics").status_code) == (404, 200)


def test_without_a_token_no_bearer_opens_it(settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    for bearer in ("Bearer ", "Bearer", "Bearer None"):
        assert Client().get("/metrics", headers={"Authorization": bearer}).status_code == 404


def test_a_scraper_reads_the_figures(settings: Settings, populate: Populate, valkey: Valkey) -> None:
    settings.METRICS_TOKEN = TOKEN
    session = populate()

    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }
    key = session.workspace.key_fingerprint
    expected = {
        ("dailies_redis_up",): 1,
        ("dailies_beat_up",): 0,
        ("dailies_workers",): 1,
        ("dailies_problem", "", "beat_gone"): 1,
        ("dailies_problem", key, "key_refused"): 1,
        ("dailies_lane_due", "polls"): 0,
        ("dailies_polls_scheduled", "session"): 1,
        ("dailies_polls_failing", "session"): 1,
        ("dailies_key_closed", *sorted((key, "all", "unauthorized"))): 1,
        ("dailies_commands", "queued"): 1,
        ("dailies_commands", "unknown"): 1,
        ("dailies_commands_asking",): 1,
        ("dailies_sessions", "working"): 1,
        ("dailies_gaps",): 1,
        ("dailies_streams_running",): 1,
        ("dailies_streams_dollars_per_second",): 0.05,
        ("dailies_files", "failed"): 1,
    }
    assert {name: samples.get(name) for name in expected} == expected
    assert samples[("dailies_poll_age_seconds", "session")] >= 90
