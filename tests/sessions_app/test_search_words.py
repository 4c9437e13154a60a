from uuid import UUID

import pytest

from sessions_app.search_words import indexed, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Café au lait", ["cafe", "au", "lait"]),
        ("STRASSE straße", ["strasse", "strasse"]),
        ("snake_case-and.dots", ["snake", "case", "and", "dots"]),
        ("日本語 テスト", ["日本語", "テスト"]),
        ("İstanbul", ["istanbul"]),
        ("<script>alert(1)</script>", ["script", "alert", "1", "script"]),
        ("", []),
        ("  … ", []),
    ],
)
def test_words_are_plain(text, words):
    assert words_of(text) == words


def test_the_workspace_is_one_of_the_words():
    workspace_id = UUID(int=0xABC)

    assert indexed("Hello", workspace_id) == "w00000000000000000000000000000abc hello"
