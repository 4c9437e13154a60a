"""Words for what HeyGen sent, and rows of the history, fifty of them on a page: plain string work, because a template costs five
times as much."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from html import escape

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from interface.templatetags.interface import icon, initials, status, written
from sessions_app import prose, words
from sessions_app.lists import HistoryRow

register = template.Library()
register.filter("resource_type", words.resource_type)
register.filter("as_read", prose.as_read)


@register.simple_tag
def history_rows(rows: Iterable[HistoryRow]) -> SafeString:
    """The `<tr>`s of the history's table."""
    elsewhere, now, language, late = escape(_("made elsewhere")), timezone.now(), get_language(), late_mark()
    # Every part is escaped here, or comes from a tag that does so.
    return mark_safe(  # noqa: S308
        "\n".join(
            f'<tr id="row-{row.id}">'
            '<td class="cell-main"><a class="item-link clamp-2" dir="auto" data-key-item '
            f'href="{row.address}">{escape(row.title)}</a></td>'
            f'<td class="cell-status nowrap">{status(row.group, row.word)}{late if row.is_late else ""}</td>'
            f'<td class="cell-tight">{escape(row.workspace)}</td>'
            f'<td class="cell-tight">{_person(row.owner) if row.owner else elsewhere}</td>'
            f'<td class="cell-tight number wide-only">{row.message_count}</td>'
            f'<td class="cell-tight cell-when">{written(row.active_at, "relative", now, language)}</td>'
            "</tr>"
            for row in rows
        )
    )


@register.simple_tag
def late_mark() -> SafeString:
    """Stands beside the status of a session in a list whose `is_late` is set."""
    why = escape(_("May be out of date: HeyGen does not answer for this session."))
    return mark_safe(  # noqa: S308  ours, and escaped
        f' <span class="late-mark" title="{why}">{icon("triangle-alert")}<span class="visually-hidden">{why}</span></span>'
    )


@lru_cache(maxsize=1024)
def _person(name: str) -> str:
    return f'<span class="person">{initials(name)}{escape(name)}</span>'
