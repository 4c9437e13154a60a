from __future__ import annotations

from django import forms

from commands import tokens


class Press(forms.Form):
    token = tokens.TokenField()


def test_tokens_are_fresh_and_of_their_shape() -> None:
    made = {tokens.new() for _ in range(1000)}

    assert len(made) == 1000
    assert all(tokens.is_token(token) for token in made)


def test_tokens_of_one_page_begin_alike() -> None:
    first, other = tokens.new(), tokens.new()
    second = tokens.new(first)
    assert tokens.is_token(second)
    assert second != first
    assert tokens.page_of(second) == tokens.page_of(first) != tokens.page_of(other)
    assert tokens.is_token(tokens.new("<no token>"))


def test_a_form_of_each_page_has_its_own_token() -> None:
    assert Press()["token"].value() != Press()["token"].value()
    assert Press()["token"].is_hidden


def test_a_form_takes_only_what_could_be_a_token() -> None:
    assert Press({"token": tokens.new()}).is_valid()
    for wrong in ("", "short", "x" * 33, "ä" * 32, "' OR 1=1 --".ljust(32)):
        assert not Press({"token": wrong}).is_valid(), wrong
