"""Tags for what appears many times on a page: icons, statuses, times. Plain string work, no template per row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache, lru_cache

from django import template
from django.conf import settings
from django.forms.utils import ErrorDict, ErrorList
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext, pgettext_lazy

from interface import context

register = template.Library()

HOUR = 3600
DAY = 24 * HOUR

# Group of a status -> its icon and the word that stands there when the caller has no better one.
STATUSES: Mapping[str, tuple[str, Promise]] = {
    "working": ("loader", pgettext_lazy("status", "Working")),
    "needs_you": ("hand", pgettext_lazy("status", "Needs you")),
    "done": ("circle-check", pgettext_lazy("status", "Done")),
    "failed": ("circle-x", pgettext_lazy("status", "Failed")),
    "unknown": ("circle-question-mark", pgettext_lazy("status", "Unknown")),
    "gone": ("circle-slash", pgettext_lazy("status", "Gone")),
    # Of a person's own words on their way to HeyGen.
    "queued": ("clock", pgettext_lazy("status", "Queued")),
    "sending": ("send-horizontal", pgettext_lazy("status", "Sending")),
    "accepted": ("check", pgettext_lazy("status", "Sent")),
    "present": ("check-check", pgettext_lazy("status", "In the conversation")),
    "refused": ("circle-x", pgettext_lazy("status", "Refused")),
    "live": ("radio", pgettext_lazy("status", "Live")),
}
# Pictures that point along the line of writing are mirrored where it runs from right to left.
DIRECTED = frozenset(
    {"arrow-left", "arrow-right", "chevron-left", "chevron-right", "send-horizontal", "log-out"}
)


@cache
def _icon(name: str, extra: str, sprite: str) -> SafeString:
    classes = " ".join(filter(None, ("icon", "icon-directed" if name in DIRECTED else "", extra)))
    return mark_safe(  # noqa: S308  names come from templates, never from people
        f'<svg class="{escape(classes)}" aria-hidden="true"><use href="{escape(sprite)}#{escape(name)}"/></svg>'
    )


@cache
def _sprite() -> str:
    """Where the sprite is. The same for the life of a process, and asked for a hundred times a page."""
    return static("icons/sprite.svg")


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """The icon `name` of the sprite as decoration: what it means stands beside it in words."""
    return _icon(name, extra, _sprite())


@register.simple_tag
def places(staff: bool) -> list[context.Link]:
    """The doors of the main navigation, for a person of the staff or not."""
    return context.navigation(staff=bool(staff))


@register.simple_tag
def door(url_name: str) -> str:
    """As `{% url %}` without arguments, but looked up once; "" where an installation leaves that room out."""
    return context.door(url_name)


@register.simple_tag
def shared(template_name: str, **known: str | bool | int) -> SafeString:
    """A template that holds nothing of the request, the person or the page but what it is given here.

    It is rendered once for each language and each combination of that, which must therefore be one of few.
    """
    if settings.DEBUG:
        return render_to_string(template_name, known)
    return _shared(template_name, get_language() or "", **known)


@lru_cache(maxsize=512)
def _shared(template_name: str, _language: str, **known: str | bool | int) -> SafeString:
    return render_to_string(template_name, known)


@register.simple_block_tag
def rendered(content: str) -> str:
    """What the block shows, for a template that shows it in two places: `{% rendered as menu %}…{% endrendered %}`."""
    return content


@register.simple_tag
def status(group: str, word: object = "") -> SafeString:
    """A status as icon, word and colour. `group` decides how it looks, `word` what it says.

    An unheard-of group looks like "unknown" and shows itself, as it came.
    """
    picture, usual = STATUSES.get(group, STATUSES["unknown"])
    said = word or (usual if group in STATUSES else group)
    return _status(group if group in STATUSES else "unknown", str(said), icon(picture))


@lru_cache(maxsize=512)
def _status(group: str, said: str, picture: str) -> SafeString:
    return mark_safe(  # noqa: S308  every part is escaped here
        f'<span class="status" data-group="{group}">{picture}<span>{escape(said)}</span></span>'
    )


@register.simple_tag
def errors(found: ErrorList | ErrorDict, named: str = "", say: bool = False) -> SafeString:
    """What is wrong with a field, or with any of a form's; nothing where nothing is.

    `named` is its id, for the field's `aria-describedby`. `say`: it comes to a page that is open, and composer.js says it.
    """
    lists = found.values() if isinstance(found, ErrorDict) else [found]
    sentences = [escape(sentence) for each in lists for sentence in each]
    if not sentences:
        return mark_safe("")
    attributes = (f' id="{escape(named)}"' if named else "") + (
        f' data-say="{" ".join(sentences)}"' if say else ""
    )
    picture = icon("circle-alert")
    lines = "".join(f"<li>{picture}<span>{sentence}</span></li>" for sentence in sentences)
    return mark_safe(f'<ul class="errors" role="list"{attributes}>{lines}</ul>')  # noqa: S308  every part is escaped


@register.simple_tag
def when(moment: dt.datetime | None, style: str = "relative") -> SafeString:
    """A `<time>` that is right without JavaScript (UTC, or as long ago as it was then) and in the reader's own zone with it.

    `style`: "relative" (5 min. ago), "clock" (14:05, with the date where it is another day's), "date", "full", or
    "elapsed" (counts up).
    The text holds nothing of one person, so a fragment with it can be shared by all who look. It is about as long as what
    `time.js` makes of it: nothing beside it moves when that comes.
    """
    if moment is None:
        return mark_safe('<span class="muted">&ndash;</span>')
    return mark_safe(written(moment, style, timezone.now(), get_language()))  # noqa: S308  see there


def written(moment: dt.datetime, style: str, now: dt.datetime, language: str | None) -> str:
    """The markup of `when`, for lists that ask for the time and the language once. Every part is escaped, or ours."""
    # Not Django's date formats: fifty of them cost more than the rest of a list.
    utc = moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    shown = utc[:10] if style in ("relative", "date") else f"{utc[:10]} {utc[11:16]} UTC"
    if style in ("relative", "elapsed"):
        past = max(0, int((now - moment).total_seconds()))
        if style == "elapsed":
            shown = clock(past)
        elif past < 7 * DAY:
            shown = _ago(past, language)
    return f'<time datetime="{utc}Z" data-when="{style}">{shown}</time>'


def _ago(past: int, language: str | None) -> str:
    """So many seconds in the one unit that fits: the steps and words of `time.js`."""
    if past < 45:
        return _count_ago("now", 0, language)
    if past < HOUR:
        return _count_ago("minutes", round(past / 60), language)
    if past < DAY:
        return _count_ago("hours", round(past / HOUR), language)
    return _count_ago("days", round(past / DAY), language)


@cache
def _count_ago(unit: str, count: int, _language: str | None) -> str:
    return escape(_count_words(unit, count))


def _count_words(unit: str, count: int) -> str:
    if unit == "now":
        return gettext("now")
    if unit == "minutes":
        return ngettext("%(count)d min. ago", "%(count)d min. ago", count) % {"count": count}
    if unit == "hours":
        return ngettext("%(count)d hr. ago", "%(count)d hr. ago", count) % {"count": count}
    if count == 1:
        return gettext("yesterday")
    return ngettext("%(count)d day ago", "%(count)d days ago", count) % {"count": count}


@register.filter
def utc(moment: dt.datetime | None) -> str:
    """A moment for a module to read; the same for every reader, whatever their zone. None -> ""."""
    return "" if moment is None else f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


@register.simple_tag
def initials(name: object) -> SafeString:
    """A person as a small disc with up to two letters; the name itself must stand beside it."""
    return _disc(str(name))


@lru_cache(maxsize=1024)
def _disc(name: str) -> SafeString:
    letters = "".join(word[0] for word in name.split()[:2]).upper() or "?"
    tone = sum(map(ord, name)) % 6
    return mark_safe(  # noqa: S308  every part is escaped here
        f'<span class="avatar" data-tone="{tone}" aria-hidden="true">{escape(letters)}</span>'
    )


@register.filter
def clock(seconds: float | None) -> str:
    """Seconds as a length of film: 7 -> "0:07", 3725 -> "1:02:05"; None -> ""."""
    if seconds is None:
        return ""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
