"""`{% load presses %}`: the one-time token of a form, and the ledger's codes in words."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from commands import tokens, words
from commands.models import Command, State

register = template.Library()


@register.simple_tag
def press_token() -> SafeString:
    """A hidden field with a fresh token: once in every form whose button must reach HeyGen.

    Never inside a fragment that is shared between people or kept in a cache.
    """
    return format_html('<input type="hidden" name="{}" value="{}">', tokens.FIELD_NAME, tokens.new())


@register.filter
def why_open(command: Command) -> str:
    """One sentence on why a command is not over yet; "" when there is nothing to explain."""
    if command.state == State.QUEUED:
        return words.why_waiting(command.waiting_for)
    if command.state == State.UNKNOWN:
        return words.why_unclear(command.error.get("reason") or command.error.get("code", ""))
    return ""
