"""Which pictures make a storyboard revision."""

from __future__ import annotations

from sessions_app.models import Message, Resource
from sessions_app.storyboard import revisions


def said(position: int, role: str, content: str = "", *resource_ids: str) -> Message:
    return Message(
        position=position, role=role, type="text", content=content, resource_ids=list(resource_ids)
    )


def picture(resource_id: str, kind: str = "image") -> Resource:
    return Resource(resource_id=resource_id, type=kind)


def test_what_is_shown_between_two_messages_of_a_person_is_one_revision():
    a, b, voice = picture("a"), picture("b"), picture("v", "voice")

    (only,) = revisions(
        [said(0, "user", "A film"), said(1, "model", "Working"), said(2, "model", "Look", "b", "v", "a")],
        [a, b, voice],
    )

    assert (only.number, only.position, only.text, only.resources) == (1, 2, "Look", (b, a))


def test_a_revision_keeps_what_it_shows_again_and_knows_what_is_new():
    a, b, c = picture("a"), picture("b"), picture("c")

    first, second = revisions(
        [
            said(0, "user", "A film"),
            said(1, "model", "First", "a", "b"),
            said(2, "user", "Brighter"),
            said(3, "model", "Second", "a", "c"),
        ],
        [a, b, c],
    )

    assert (first.resources, second.resources) == ((a, b), (a, c))
    assert (second.number, second.position) == (2, 3)


def test_showing_only_known_pictures_makes_no_new_revision():
    found = revisions(
        [said(0, "model", "Look", "a"), said(1, "user", "?"), said(2, "model", "As I said", "a")],
        [picture("a")],
    )

    assert [revision.number for revision in found] == [1]


def test_what_a_person_attached_is_no_storyboard():
    assert (
        revisions([said(0, "user", "Use this", "a"), said(1, "model", "Thanks", "a")], [picture("a")]) == []
    )


def test_a_draft_counts_only_where_there_is_no_picture():
    a, draft = picture("a"), picture("d", "draft")

    (with_picture,) = revisions([said(0, "model", "Look", "a", "d")], [a, draft])
    (alone,) = revisions([said(0, "model", "Look", "d")], [draft])

    assert (with_picture.resources, alone.resources) == ((a,), (draft,))


def test_a_resource_that_is_not_described_yet_is_left_out():
    assert revisions([said(0, "model", "Look", "a")], []) == []
