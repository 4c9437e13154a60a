"""Search gives what a plain comparison of all texts gives, newest first, on either database."""

from __future__ import annotations

import random
from uuid import UUID

import pytest

from sessions_app import search
from sessions_app.models import SearchText, VideoSession
from sessions_app.search import Hit, find
from sessions_app.search_words import indexed, words_of
from tests.factories import VideoSessionFactory
from workspaces_app.models import Workspace

pytestmark = pytest.mark.django_db

CASES = (
    "the",
    "th",
    "the film",
    "oven",
    "zebra",
    "the zebra",
    "film oven",
    "nothing",
    "the nothing",
    "Élan",
    "2024",
    "",
    "_",
)


def texts() -> list[SearchText]:
    """Two busy workspaces, and one whose rows are all older than theirs; words from everywhere to once."""
    dice = random.Random(3)
    sessions = [VideoSessionFactory() for _ in range(3)]
    rows = []
    for number in range(300):
        session = sessions[2] if number < 80 else sessions[number % 2]
        words = ["the"] if dice.random() < 0.8 else ["élan"]
        words += dice.choices(["film", "oven", "2024", "Thé"], [8, 2, 1, 1], k=3)
        words += ["zebra"] * (number in (5, 250))
        rows.append(
            SearchText(session=session, position=number, text=indexed(" ".join(words), session.workspace_id))
        )
    return SearchText.objects.bulk_create(rows)


def compared(query: str, workspaces: list[UUID], limit: int) -> list[Hit]:
    """By looking at every row."""
    words = words_of(query)
    owners = dict(VideoSession.objects.values_list("pk", "workspace_id"))
    found = [
        Hit(row.session_id, row.position)
        for row in SearchText.objects.order_by("-id")
        if owners[row.session_id] in workspaces
        and words
        and all(any(known.startswith(word) for known in row.text.split()[1:]) for word in words)
    ]
    return found[:limit]


@pytest.mark.parametrize("walks", [(0, 0), (10, 40), (60, 240), (1000, 1000)])
def test_finds_the_newest_of_all_that_fit(walks: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """However far the walk goes: what it does not reach is looked up."""
    monkeypatch.setattr(search, "WALKS", walks)
    monkeypatch.setattr(search, "WALK_LEAST", 0)
    texts()
    everything = list(Workspace.objects.order_by("pk").values_list("pk", flat=True))
    for workspaces in (everything, everything[:1], everything[2:], [everything[0], everything[2]]):
        for query in CASES:
            for limit in (3, 40, 1000):
                assert find(query, workspaces, limit=limit) == compared(query, workspaces, limit), (
                    query,
                    limit,
                )


def test_nobody_finds_anything_without_a_workspace() -> None:
    texts()

    assert find("the", []) == []
