from __future__ import annotations

import pytest

import heygen
from heygen import Client, Page
from tests.heygen.server import Server, answer


def listed(*tokens: str | None) -> list[bytes]:
    return [
        answer({"data": [{"session_id": f"s{number}"}], "has_more": True, "next_token": token})
        for number, token in enumerate(tokens)
    ]


def ids(client: Client) -> list[str]:
    return [one.session_id for one in heygen.every(lambda token: client.list_sessions(100, token))]


@pytest.mark.parametrize("end", [None, "", "a", "b"])
def test_a_walk_ends_with_the_cursor_or_when_one_comes_back(
    server: Server, client: Client, end: str | None
) -> None:
    server.reply(*listed("a", "b", end))

    assert ids(client) == ["s0", "s1", "s2"]
    assert [one.path.partition("&")[2] for one in server.received] == ["", "token=a", "token=b"]


def test_has_more_false_ends_it_whatever_the_cursor_says(server: Server, client: Client) -> None:
    server.reply(answer({"data": [{"session_id": "s0"}], "has_more": False, "next_token": "a"}))

    assert ids(client) == ["s0"]


def test_an_absent_cursor_ends_it_although_more_is_promised(server: Server, client: Client) -> None:
    server.reply(answer({"data": [{"session_id": "s0"}], "has_more": True}))

    assert ids(client) == ["s0"]


def test_cursors_are_returned_unchanged(server: Server, client: Client) -> None:
    server.reply(*listed("a+/=%& ü", None))

    ids(client)

    assert server.last.path.endswith("token=a%2B%2F%3D%25%26+%C3%BC")


def test_an_endless_list_ends(server: Server) -> None:
    counted = 0

    def fetch(token: str | None) -> Page[int]:
        nonlocal counted
        counted += 1
        return Page((counted,), str(counted), {})

    assert list(heygen.every(fetch, most=5)) == [1, 2, 3, 4, 5]
    assert len(list(heygen.pages(fetch, most=3))) == 3


def test_pages_are_fetched_only_when_asked_for(server: Server, client: Client) -> None:
    server.reply(*listed("a", "b", None))

    first = next(heygen.pages(lambda token: client.list_sessions(100, token)))

    assert [one.session_id for one in first.items] == ["s0"]
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "body", [{"data": None}, {"data": []}, {"data": {"items": None}}, {"data": {"items": []}}]
)
def test_a_null_list_is_empty(server: Server, client: Client, body: object) -> None:
    server.reply(answer(body))

    assert client.list_sessions().items == ()


@pytest.mark.parametrize("body", [{}, {"data": 7}, {"data": {}}, {"data": {"items": "x"}}, {"data": "x"}])
def test_no_list_is_a_bad_payload(server: Server, client: Client, body: object) -> None:
    server.reply(answer(body))

    with pytest.raises(heygen.BadPayload):
        client.list_sessions()


def test_a_bad_item_is_left_out_and_logged_once(
    server: Server, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    server.reply(answer({"data": [7, {"title": "no id"}, {"session_id": "good"}, None]}))

    assert [one.session_id for one in client.list_sessions().items] == ["good"]
    assert len(caplog.records) == 1


def test_statuses_of_many_videos_are_asked_for_in_hundreds(server: Server, client: Client) -> None:
    server.reply(
        answer({"data": {"items": [{"video_id": "v1", "status": "queued"}], "has_more": False}}),
        answer({"data": [{"video_id": "v2", "status": "not_found", "error": {"code": "x"}}]}),
    )

    found = client.video_statuses([f"v{number}" for number in range(150)])

    assert [(one.video_id, one.status) for one in found] == [("v1", "queued"), ("v2", "not_found")]
    assert found[1].error == {"code": "x"}
    assert [one.path.count("%2C") + 1 for one in server.received] == [100, 50]
