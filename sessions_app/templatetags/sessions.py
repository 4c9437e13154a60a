"""Rows of the history, fifty of them on a page: plain string work, because a template costs five times as much."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from interface.templatetags.interface import initials, status, when
from sessions_app.lists import HistoryRow

register = template.Library()


@register.simple_tag
def history_rows(rows: Iterable[HistoryRow]) -> SafeString:
    """The `<tr>`s of the history's table."""
    elsewhere = escape(_("made elsewhere"))
    # Every part is escaped here, or comes from a tag that does so.
    return mark_safe("\n".join(_row(row, elsewhere) for row in rows))  # noqa: S308


def _row(row: HistoryRow, elsewhere: str) -> str:
    owner = (
        f'<span class="person">{initials(row.owner)}{escape(row.owner)}</span>' if row.owner else elsewhere
    )
    return (
        f'<tr id="row-{row.id}">'
        '<td class="cell-main"><a class="item-link clamp-2" dir="auto" data-key-item '
        f'href="{row.address}">{escape(row.title)}</a></td>'
        f'<td class="cell-status">{status(row.group, row.word)}</td>'
        f'<td class="cell-tight">{escape(row.workspace)}</td>'
        f'<td class="cell-tight">{owner}</td>'
        f'<td class="cell-tight number wide-only">{row.message_count}</td>'
        f'<td class="cell-tight cell-when">{when(row.active_at)}</td>'
        "</tr>"
    )
