from __future__ import annotations

import re

from django import forms
from django.template import Context, Template

from commands import tokens, words
from commands.models import Command, State


class Press(forms.Form):
    token = tokens.TokenField()


def test_tokens_are_fresh_and_of_their_shape() -> None:
    made = {tokens.new() for _ in range(1000)}

    assert len(made) == 1000
    assert all(tokens.is_token(token) for token in made)


def test_a_form_of_each_page_has_its_own_token() -> None:
    page = Template("{% load presses %}{% press_token %}")
    pattern = re.compile(r'<input type="hidden" name="token" value="([\w-]{32})">')

    first, second = (pattern.fullmatch(page.render(Context())) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first[1] != second[1]
    assert Press()["token"].value() != Press()["token"].value()
    assert Press()["token"].is_hidden


def test_a_form_takes_only_what_could_be_a_token() -> None:
    assert Press({"token": tokens.new()}).is_valid()
    for wrong in ("", "short", "x" * 33, "ä" * 32, "' OR 1=1 --".ljust(32)):
        assert not Press({"token": wrong}).is_valid(), wrong


def test_open_commands_explain_themselves() -> None:
    page = Template("{% load presses %}{{ command|why_open }}")

    def explained(**fields: object) -> str:
        return page.render(Context({"command": Command(kind="session.send", **fields)}))

    assert explained(state=State.QUEUED, waiting_for="order") == "It goes out after the one before it."
    assert explained(state=State.QUEUED, waiting_for="moon phase") == "moon phase"
    assert explained(
        state=State.UNKNOWN, error={"code": "unclear", "reason": "not_seen"}
    ) == words.why_unclear("not_seen")
    assert explained(state=State.ACCEPTED) == ""
